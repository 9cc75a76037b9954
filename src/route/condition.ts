/** A route's condition: compiled and checked when its pipeline is loaded, judged at every turn. */
import type { StageName } from '../errors.ts'
import { boundFaults } from './bounds.ts'
import { isFailure, outcomeOf, type Program, programOf, SyntaxFault } from './cel.ts'
import { expectName, type RoutingContext } from './context.ts'
import { type Failure, failureOf, notTrueOrFalse, typeOf } from './failure.ts'
import { MAX_CONDITION_CHARS } from './limits.ts'
import { type ConditionFault, nameFaults } from './names.ts'
import { type Call, childrenOf, type Node, say } from './syntax.ts'
import { typeFaults } from './types.ts'

export type { ConditionFault } from './names.ts'

export interface ConditionOptions {
  readonly stage: StageName
  /** The pipeline's targets, so that `health["…"]` can be checked; null: not checked. */
  readonly targets: readonly string[] | null
}

export type Compiled =
  | { readonly ok: true; readonly condition: Condition }
  | { readonly ok: false; readonly faults: readonly ConditionFault[] }

/** Never throws. Faults are in the order of the text, at most `MAX_FAULTS`. */
export function compileCondition(text: string, options: ConditionOptions): Compiled {
  if (text.length > MAX_CONDITION_CHARS) {
    return refused([{ message: `is longer than ${MAX_CONDITION_CHARS} characters`, offset: 0 }])
  }
  let program: Program
  try {
    program = programOf(text)
  } catch (error) {
    if (error instanceof SyntaxFault) return refused([{ message: error.message, offset: error.offset }])
    return refused([{ message: 'cannot be read', offset: 0 }])
  }
  // In this order, because the later checks take for granted what the earlier ones found true.
  for (const faults of [
    () => boundFaults(program.root),
    () => nameFaults(program.root, options),
    () => typeFaults(program, options.stage),
  ]) {
    const found = faults()
    if (found.length > 0) return refused(found)
  }
  expectNames(program.root)
  return { ok: true, condition: new Condition(text, program) }
}

/** `key.tier` and `metadata.tier` are found at once by conditions that name them. */
function expectNames(node: Node): void {
  if (
    node.kind === 'member' &&
    node.of.kind === 'name' &&
    (node.of.name === 'key' || node.of.name === 'metadata')
  ) {
    expectName(node.of.name, node.name)
  }
  for (const child of childrenOf(node)) expectNames(child)
}

const MAX_FAULTS = 10

function refused(faults: readonly ConditionFault[]): Compiled {
  return { ok: false, faults: faults.toSorted((a, b) => a.offset - b.offset).slice(0, MAX_FAULTS) }
}

export class Condition {
  readonly text: string
  readonly #program: Program

  constructor(text: string, program: Program) {
    this.text = text
    this.#program = program
  }

  /** True, false, or why neither; a failure is no match. */
  judge(context: RoutingContext): boolean | Failure {
    const value = this.#program.evaluate(context)
    if (typeof value === 'boolean') return value
    const { root } = this.#program
    if (!isFailure(value)) return notTrueOrFalse(root, typeOf(value))
    const outcome = outcomeOf(value)
    return outcome.ok ? notTrueOrFalse(root, 'value') : failureOf(root, outcome)
  }

  /** Which parts decided, in words: for a false `a && b` the parts that are false. No value of the context in it. */
  why(context: RoutingContext): string {
    const { root } = this.#program
    const verdict = this.judge(context)
    if (typeof verdict !== 'boolean') return verdict.reason
    const sign = verdict ? '_||_' : '_&&_'
    if (!isCall(root, sign)) return `${clip(this.text)} is ${verdict}`
    const decisive = partsOf(root, sign).filter((part) => {
      const outcome = this.#program.evaluateAt(part, context)
      return outcome.ok && outcome.value === verdict
    })
    return decisive.length === 0
      ? `is ${verdict}`
      : `${decisive.map((part) => clip(say(part))).join(', ')} is ${verdict}`
  }
}

function isCall(node: Node, name: string): node is Call {
  return node.kind === 'call' && node.name === name
}

function partsOf(node: Node, sign: string): Node[] {
  return isCall(node, sign) ? node.args.flatMap((arg) => partsOf(arg, sign)) : [node]
}

function clip(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length > 80 ? `${line.slice(0, 79)}…` : line
}
