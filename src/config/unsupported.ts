/**
 * What the schema accepts and the server does not do yet. What would silently change a decision stops the
 * load; the rest is said aloud. When a member comes to life its line here goes.
 */
import type { Problem } from './problem.ts'
import type { Path, YamlSource } from './yaml-source.ts'

interface Unsupported {
  /** Steps from the file's top; `*` stands for every entry of a list or member of a map. */
  readonly path: readonly string[]
  readonly severity: Problem['severity']
  readonly message: string
}

const STAGES = ['stt', 'llm', 'tts'] as const
const inRoutes = (
  member: readonly string[],
  message: string,
  stages: readonly string[] = STAGES,
): Unsupported[] =>
  stages.map((stage) => ({ path: [stage, 'routes', '*', ...member], severity: 'error', message }))
export const UNSUPPORTED_IN_PIPELINES: readonly Unsupported[] = [
  ...inRoutes(['hedge'], 'hedging is done for the model only', ['stt', 'tts']),
  ...inRoutes(['onContextOverflow'], 'only a model declines', ['stt', 'tts']),
  ...inRoutes(['onContentRefusal'], 'only a model declines', ['stt', 'tts']),
]

/** Problems for every member of `source` that `table` lists, at its key. */
export function unsupported(source: YamlSource, table: readonly Unsupported[]): Problem[] {
  return table.flatMap(({ path, severity, message }) =>
    matches(source.value, path, []).map((found) => ({
      ...source.atKey(found.slice(0, -1), String(found.at(-1))),
      severity,
      message,
    })),
  )
}

function matches(value: unknown, rest: readonly string[], done: Path): Path[] {
  const [step, ...after] = rest
  if (step === undefined) return isEmpty(value) ? [] : [done]
  if (typeof value !== 'object' || value === null) return []
  const entries: [PropertyKey, unknown][] = Array.isArray(value)
    ? [...value.entries()]
    : Object.entries(value)
  return entries
    .filter(([key]) => step === '*' || key === step)
    .flatMap(([key, inner]) => matches(inner, after, [...done, key]))
}

/** `ladder: []` and `idle: null` ask for nothing. */
function isEmpty(value: unknown): boolean {
  return value === null || value === undefined || (Array.isArray(value) && value.length === 0)
}
