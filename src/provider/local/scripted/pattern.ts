/**
 * A rule's regular expression, and the three guards against one that never ends: shapes that are known to
 * backtrack without bound are refused at load, what is matched is cut to `MATCHED_CHARACTERS`, and a whole
 * look through the rules is stopped after `MATCHING_LIMIT_MS`.
 */
import vm from 'node:vm'

/** Utterances and tool results are matched on their first so many characters. */
export const MATCHED_CHARACTERS = 500
/** Generous: a pass over 200 rules takes well under a millisecond. */
export const MATCHING_LIMIT_MS = 250
const PATTERN_CHARACTERS = 500
const UNBOUNDED_REPEATS = 8
const SHORT_REPEAT = 20

/** Compiles with the flags `iu`. Throws an `Error` whose message says what is wrong with the pattern. */
export function compilePattern(source: string): RegExp {
  if (source.length > PATTERN_CHARACTERS) {
    throw new Error(`the pattern is longer than ${PATTERN_CHARACTERS} characters`)
  }
  let pattern: RegExp
  try {
    pattern = new RegExp(source, 'iu')
  } catch (error) {
    throw new Error(
      error instanceof Error ? error.message.replace(/^Invalid regular/, 'invalid regular') : 'invalid',
    )
  }
  refuseRunaway(source)
  return pattern
}

/** The names of the groups a pattern captures, numbered ones as `1`, `2`, …. */
export function groupNames(pattern: RegExp): string[] {
  // With an empty alternative the pattern matches anything, and the match lists every group.
  const match = new RegExp(`${pattern.source}|`, pattern.flags).exec('')
  const numbered = Array.from({ length: (match?.length ?? 1) - 1 }, (_, i) => String(i + 1))
  return [...numbered, ...Object.keys(match?.groups ?? {})]
}

interface Group {
  repeats: boolean
  alternates: boolean
}

/** `(a+)+`, `(a|b)*` and their like take exponential time on some inputs; they are always avoidable here. */
function refuseRunaway(source: string): void {
  const stack: Group[] = [{ repeats: false, alternates: false }]
  let repeats = 0
  for (let i = 0; i < source.length; i++) {
    const c = source[i]
    let closed: Group | undefined
    if (c === '(') {
      stack.push({ repeats: false, alternates: false })
      continue
    }
    if (c === '|') {
      stack.at(-1)!.alternates = true
      continue
    }
    if (c === '\\') i++
    else if (c === '[') i = endOfClass(source, i)
    else if (c === ')') closed = stack.pop()
    const outer = stack.at(-1)!
    const repeat = repeatAt(source, i + 1)
    if (repeat && closed && (closed.repeats || (closed.alternates && repeat.many))) {
      throw new Error(`the repeated group before character ${i + 2} holds a repeat or an alternation itself`)
    }
    if (repeat?.many && ++repeats > UNBOUNDED_REPEATS) {
      throw new Error(`more than ${UNBOUNDED_REPEATS} repeats in one pattern`)
    }
    if (repeat?.many || closed?.repeats) outer.repeats = true
    if (repeat) i += repeat.length
  }
}

/** A short bounded repeat (`\d{1,3}`) cannot run away by itself. */
function repeatAt(source: string, index: number): { many: boolean; length: number } | undefined {
  const found = /^(?:[*+]|\{(\d+)(,?)(\d*)\})/.exec(source.slice(index, index + 20))
  if (!found) return undefined
  const [whole, least, comma, most] = found
  const upper = comma === ',' ? Number(most === '' ? Number.POSITIVE_INFINITY : most) : Number(least)
  return { many: least === undefined || upper > SHORT_REPEAT, length: whole.length }
}

function endOfClass(source: string, start: number): number {
  for (let i = start + 1; i < source.length; i++) {
    if (source[i] === '\\') i++
    else if (source[i] === ']') return i
  }
  return source.length
}

const call = new vm.Script('run()')
const context: { run?: () => unknown } = vm.createContext(Object.create(null))

/** Runs `work`, stopped after `MATCHING_LIMIT_MS` even inside a regular expression. Throws `MatchingTooLong`. */
export function withinMatchingLimit<T>(work: () => T): T {
  context.run = work
  try {
    return call.runInContext(context, { timeout: MATCHING_LIMIT_MS }) as T
  } catch (error) {
    const stopped = (error as { code?: unknown }).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT'
    throw stopped ? new MatchingTooLong() : error
  } finally {
    delete context.run
  }
}

export class MatchingTooLong extends Error {
  override readonly name = 'MatchingTooLong'
  constructor() {
    super(`the script's patterns took longer than ${MATCHING_LIMIT_MS} ms on one request`)
  }
}
