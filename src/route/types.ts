/**
 * Do the types of a condition fit? The engine has no checker, so every part of the tree is run alone on a sample context in
 * which all that is declared is there: a part that fails there for its types fails always. Each part alone, because a
 * whole condition stops at its first `false`. What only the client decides (`metadata`) is missing in the sample, and
 * nothing is said of it.
 */
import type { StageName } from '../errors.ts'
import type { Program } from './cel.ts'
import { RoutingContext, type RoutingFacts } from './context.ts'
import { failureOf, notTrueOrFalse, typeName, typeOf } from './failure.ts'
import type { ConditionFault } from './names.ts'
import { type Call, childrenOf, type Node, written } from './syntax.ts'

/** Functions that never give true or false, whatever they get. */
const NEVER_BOOL =
  /^(_[-+*/%]_|-_|size|int|uint|double|string|bytes|timestamp|duration|type|hourIn|percent|lowerAscii|upperAscii|trim|get[A-Z]\w*)$/

export function typeFaults(program: Program, stage: StageName): ConditionFault[] {
  const faults: ConditionFault[] = []
  const sample = new RoutingContext(sampleFacts(stage, attributesOf(program.root)))
  const test = (node: Node, context: object): void => {
    if (node.kind === 'fold') {
      test(node.range, context)
      const inside = withItem(program, node, context)
      if (inside) for (const part of partsOfStep(node)) test(part, inside)
    } else {
      for (const child of childrenOf(node)) test(child, context)
    }
    if (node.kind === 'name' || node.kind === 'constant') return
    const unlike = neverEqual(program, node, context)
    if (unlike !== undefined) faults.push({ message: unlike, offset: node.offset })
    const outcome = program.evaluateAt(node, context)
    if (outcome.ok) return
    const failure = failureOf(program.root, outcome)
    // A part's own fault was told when that part was run alone.
    const told = faults.some(({ offset }) => offset === failure.offset)
    if (failure.kind === 'type' && !told)
      faults.push({ message: failure.reason, offset: failure.offset ?? node.offset })
  }
  test(program.root, sample)
  if (faults.length === 0) faults.push(...resultFaults(program, sample))
  return faults
}

const NUMBERS = ['int', 'uint', 'double']

/** `session.turns == "2"` is no error to the engine, but false for ever; nobody means that. */
function neverEqual(program: Program, node: Node, context: object): string | undefined {
  if (node.kind !== 'call' || (node.name !== '_==_' && node.name !== '_!=_')) return undefined
  const [left, right] = node.args.map((arg) => {
    const outcome = program.evaluateAt(arg, context)
    return outcome.ok ? typeOf(outcome.value) : undefined
  })
  if (left === undefined || right === undefined || left === right) return undefined
  if (left === 'other' || right === 'other' || (NUMBERS.includes(left) && NUMBERS.includes(right)))
    return undefined
  const hint =
    left === 'null_type' || right === 'null_type' ? ': what is not known is missing, has(…) asks' : ''
  return `${written(node.name)} compares ${typeName(left)} with ${typeName(right)}, which are never equal${hint}`
}

/** Names of the key's attributes that the condition reads: all of them are text. */
function attributesOf(node: Node): string[] {
  const own = node.kind === 'member' && node.of.kind === 'name' && node.of.name === 'key' ? [node.name] : []
  return [...own, ...childrenOf(node).flatMap(attributesOf)]
}

function resultFaults(program: Program, sample: object): ConditionFault[] {
  const { root } = program
  const outcome = program.evaluateAt(root, sample)
  const of = (type: string): ConditionFault[] => [{ message: notTrueOrFalse(root, type).reason, offset: 0 }]
  if (outcome.ok) return typeof outcome.value === 'boolean' ? [] : of(typeOf(outcome.value))
  return root.kind === 'call' && NEVER_BOOL.test(root.name)
    ? [{ message: 'never gives true or false', offset: 0 }]
    : []
}

/** The context inside a loop, with the first item of what it goes through; undefined when that cannot be known. */
function withItem(
  program: Program,
  node: Extract<Node, { kind: 'fold' }>,
  context: object,
): object | undefined {
  const range = program.evaluateAt(node.range, context)
  if (!range.ok || typeof range.value !== 'object' || range.value === null) return undefined
  const items = range.value as { keys?: () => Iterable<unknown> } & Iterable<unknown>
  for (const item of items.keys ? items.keys() : items) {
    // Inherits from the context itself, whose getters then run on it as `this`.
    const inside: object = Object.create(context, { [node.item]: { value: item } })
    return inside
  }
  return undefined
}

/** What the author wrote inside a loop, without the scaffold that the macro put around it. */
function partsOfStep({ step, total }: Extract<Node, { kind: 'fold' }>): Node[] {
  const mentions = (node: Node): boolean =>
    (node.kind === 'name' && node.name === total) || childrenOf(node).some(mentions)
  const own = (node: Node): Node[] => {
    if (!mentions(node)) return [node]
    return node.kind === 'call' ? (node as Call).args.flatMap(own) : []
  }
  return own(step)
}

/** Every declared member is there. Only types matter, so the values are dull. */
function sampleFacts(stage: StageName, attributes: readonly string[]): RoutingFacts {
  const heard = stage !== 'stt'
  return {
    key: { id: 'key', attributes: Object.fromEntries(attributes.map((name) => [name, 'text'])) },
    metadata: {},
    minted: {},
    session: {
      id: 'sess_1',
      wire: 'realtime',
      language: 'en',
      turns: 1,
      durationMs: 1000,
      user: 'user',
      digits: '1',
    },
    turn: heard ? () => ({ text: 'a few words', language: 'en', confidence: 0.9 }) : null,
    request: heard
      ? () => ({
          model: 'model',
          messages: [{ role: 'user', text: 'a few words' }],
          tools: ['tool'],
          stream: true,
          maxTokens: 100,
        })
      : null,
    inputTokens: () => 10,
    budget: { remainingMs: 1000, turnMs: 1500 },
    health: () => ({ p50Ms: 200, p95Ms: 400, errorRate: 0.01, open: false }),
    wallMs: 1_700_000_000_000,
  }
}
