/**
 * The CEL engine, and the only file that knows which one it is (`docs/decisions` says why this one). Conditions go in
 * as text and come out as our own syntax tree and a function; regular expressions run on RE2, compiled once.
 */
import { type CelFunc, CelScalar, celEnv, celFunc, isCelError, parse, plan } from '@bufbuild/cel'
import { strings } from '@bufbuild/cel/ext'
import { RE2JS } from '@bufbuild/re2'
import { percentOf } from './hash.ts'
import { languageWithin } from './language.ts'
import { MAX_PATTERN_CHARS, MAX_PATTERN_STEPS } from './limits.ts'
import type { Node } from './syntax.ts'
import { hourIn } from './zone.ts'

type Expr = NonNullable<ReturnType<typeof parse>['expr']>
type Bindings = Readonly<Record<string, never>>

/** What an evaluation gave: a value, or why there is none. `message` is the engine's and may quote the context. */
export type Outcome =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly message: string; readonly node: number | null }

export interface Program {
  readonly root: Node
  /** The hot path: the value itself, or an `EngineFailure`. */
  evaluate(context: object): unknown
  /** One node alone, for checks and explanations; planned again at each call. */
  evaluateAt(node: Node, context: object): Outcome
}

/** Opaque: `isFailure` tells it from a value, `outcomeOf` reads it. */
export function isFailure(value: unknown): boolean {
  return isCelError(value)
}

export function outcomeOf(value: unknown): Outcome {
  if (!isCelError(value)) return { ok: true, value }
  return { ok: false, message: value.message, node: value.exprId === undefined ? null : Number(value.exprId) }
}

export class SyntaxFault extends Error {
  constructor(
    message: string,
    readonly offset: number,
  ) {
    super(message)
  }
}

const { STRING, INT, DOUBLE, BOOL } = CelScalar
// The engine gives its timestamp type no name to import: the functions that take one say `dyn` and look.
const { DYN } = CelScalar

const VOICE_FUNCTIONS: CelFunc[] = [
  celFunc('lang', [STRING, STRING], BOOL, (tag, range) => languageWithin(tag, range)),
  celFunc('percent', [STRING, STRING], DOUBLE, (key, salt) => percentOf(key, salt)),
  celFunc('percent', [INT, STRING], DOUBLE, (key, salt) => percentOf(String(key), salt)),
  celFunc('percent', [DOUBLE, STRING], DOUBLE, (key, salt) => percentOf(String(key), salt)),
  celFunc('hourIn', [DYN, STRING], INT, (at, zone) => BigInt(hourIn(millisecondsOf(at), zone))),
]
/** Of the engine's string extension only what cannot grow a text or a list. */
const TEXT_FUNCTIONS = [...strings].filter(({ name }) => ['lowerAscii', 'upperAscii', 'trim'].includes(name))

const env = celEnv({
  funcs: [...TEXT_FUNCTIONS, ...VOICE_FUNCTIONS],
  re2: { compile: (pattern) => patternOf(pattern) },
})

/** All functions a condition may call, operators and macros included. */
export const FUNCTIONS: readonly string[] = [
  ...new Set([...env.funcs].map(({ name }) => name)),
  ...['_&&_', '_||_', '_?_:_', '_[_]', '@not_strictly_false'],
]
export const MACROS = ['has', 'all', 'exists', 'exists_one', 'map', 'filter'] as const

/** Throws `SyntaxFault`. */
export function programOf(text: string): Program {
  const parsed = parsing(text)
  const { expr } = parsed
  if (!expr) throw new SyntaxFault('is empty', 0)
  const byId = new Map<number, Expr>()
  const root = treeOf(expr, parsed.sourceInfo?.positions ?? {}, byId)
  const run = plan(env, expr)
  return {
    root,
    evaluate: (context) => run(context as Bindings),
    evaluateAt(node, context) {
      const at = byId.get(node.id)
      if (!at) return { ok: false, message: 'no such node', node: null }
      try {
        return outcomeOf(plan(env, at)(context as Bindings))
      } catch (error) {
        return { ok: false, message: error instanceof Error ? error.message : 'failed', node: null }
      }
    },
  }
}

const toTimestamp = plan(env, parse('timestamp(ms)'))

/** A CEL timestamp of Unix milliseconds. */
export function timestamp(wallMs: number): unknown {
  return toTimestamp({ ms: BigInt(Math.round(wallMs)) } as unknown as Bindings)
}

const patterns = new Map<string, RE2JS>()
/** Patterns are literals of loaded conditions: more than this are left over from reloads. */
const PATTERNS_KEPT = 1000

function patternOf(pattern: string): RE2JS {
  const known = patterns.get(pattern)
  if (known) return known
  const compiled = RE2JS.compile(pattern)
  if (patterns.size >= PATTERNS_KEPT) patterns.clear()
  patterns.set(pattern, compiled)
  return compiled
}

/** The length of the program that a pattern becomes. Throws what RE2 says of a bad one. */
export function patternSteps(pattern: string): number {
  return patternOf(pattern).re2().prog.numInst()
}

/** What is wrong with a regular expression, or undefined. */
export function patternFault(pattern: string): string | undefined {
  if (pattern.length > MAX_PATTERN_CHARS) return `is longer than ${MAX_PATTERN_CHARS} characters`
  try {
    const steps = patternSteps(pattern)
    return steps > MAX_PATTERN_STEPS
      ? `asks for too much work (${steps} steps, ${MAX_PATTERN_STEPS} at most)`
      : undefined
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^error parsing regexp: /, '') : ''
    return `cannot be read: ${why}`
  }
}

function parsing(text: string): ReturnType<typeof parse> {
  try {
    return parse(text)
  } catch (error) {
    const at = error as { location?: { start?: { offset?: number } }; rawMessage?: string }
    if (error instanceof RangeError) throw new SyntaxFault('is nested too deeply', 0)
    const offset = at.location?.start?.offset ?? 0
    throw new SyntaxFault(syntaxMessage(text, offset, at.rawMessage), offset)
  }
}

/** The parser's own words are of no help where the slip is a common one. */
function syntaxMessage(text: string, offset: number, raw: string | undefined): string {
  const rest = text.slice(offset)
  if (/^=(?!=)/.test(rest)) return 'one = is no comparison: write =='
  const dangling = /^(==|!=|&&|\|\||<=?|>=?|[-+*/%])\s*$/.exec(rest)?.[1]
  if (dangling) return `something must follow ${dangling}`
  if (rest.trim() === '') return 'ends too early'
  return `cannot be read from here on${raw === undefined ? '' : ` (${raw})`}`
}

function millisecondsOf(value: unknown): number {
  const message = (value as { message?: { seconds?: unknown; nanos?: unknown; $typeName?: unknown } } | null)
    ?.message
  if (message?.$typeName !== 'google.protobuf.Timestamp') throw new TypeError('not a timestamp')
  return Number(message.seconds) * 1000 + Math.floor(Number(message.nanos) / 1e6)
}

function treeOf(expr: Expr, offsets: Readonly<Record<string, number>>, byId: Map<number, Expr>): Node {
  const id = Number(expr.id)
  byId.set(id, expr)
  const place = { id, offset: offsets[String(id)] ?? 0 }
  const tree = (inner: Expr | undefined): Node => {
    if (!inner) throw new SyntaxFault('cannot be read', place.offset)
    return treeOf(inner, offsets, byId)
  }
  const { exprKind } = expr
  switch (exprKind.case) {
    case 'constExpr':
      return { ...place, kind: 'constant', value: exprKind.value.constantKind.value }
    case 'identExpr':
      return { ...place, kind: 'name', name: exprKind.value.name }
    case 'selectExpr': {
      const { operand, field, testOnly } = exprKind.value
      return { ...place, kind: 'member', of: tree(operand), name: field, presence: testOnly }
    }
    case 'callExpr': {
      const { function: name, target, args } = exprKind.value
      return { ...place, kind: 'call', name, target: target ? tree(target) : null, args: args.map(tree) }
    }
    case 'listExpr':
      return { ...place, kind: 'list', items: exprKind.value.elements.map(tree) }
    case 'structExpr': {
      const { messageName, entries } = exprKind.value
      if (messageName !== '') return { ...place, kind: 'message', name: messageName }
      return {
        ...place,
        kind: 'map',
        entries: entries.map(({ keyKind, value }) => [
          tree(keyKind.case === 'mapKey' ? keyKind.value : undefined),
          tree(value),
        ]),
      }
    }
    case 'comprehensionExpr': {
      const { iterRange, iterVar, accuVar, accuInit, loopCondition, loopStep, result } = exprKind.value
      return {
        ...place,
        kind: 'fold',
        range: tree(iterRange),
        item: iterVar,
        total: accuVar,
        start: tree(accuInit),
        goOn: tree(loopCondition),
        step: tree(loopStep),
        result: tree(result),
      }
    }
    default:
      throw new SyntaxFault('cannot be read', place.offset)
  }
}
