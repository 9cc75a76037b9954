/** What a zod schema found, told as problems with positions, in words for a person with an editor open. */
import { z } from 'zod'
import { hasErrors, type Problem } from './problem.ts'
import { suggest } from './suggest.ts'
import type { Path, YamlSource } from './yaml-source.ts'

type Issue = z.core.$ZodIssue

/**
 * Reads `source` by `schema`. Problems are in the order of the file; `value` is there when none is an error.
 * Never throws.
 */
export function check<S extends z.ZodType>(
  schema: S,
  source: YamlSource,
): { readonly value: z.output<S> | undefined; readonly problems: readonly Problem[] } {
  if (hasErrors(source.problems)) return { value: undefined, problems: source.problems }
  const result = schema.safeParse(source.value ?? {})
  if (result.success) return { value: result.data, problems: source.problems }
  const problems = result.error.issues.flatMap((issue) => tell(issue, [], schema, source))
  return { value: undefined, problems: [...source.problems, ...problems] }
}

function tell(issue: Issue, above: Path, schema: z.ZodType, source: YamlSource): Problem[] {
  const path = [...above, ...issue.path]
  if (issue.code === 'unrecognized_keys') {
    const known = membersAt(schema, path)
    return issue.keys.map((key) => ({
      ...source.atKey(path, key),
      severity: 'error',
      message: unknownMember(pathText([...path, key]), suggest(key, known)),
    }))
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    const branch = nearestBranch(issue.errors)
    if (branch) return branch.flatMap((inner) => tell(inner, path, schema, source))
  }
  if (issue.code === 'invalid_key') {
    const key = String(issue.path.at(-1))
    const why = issue.issues[0]?.message ?? 'not a valid name'
    return [
      { ...source.atKey(path.slice(0, -1), key), severity: 'error', message: `${pathText(path)}: ${why}` },
    ]
  }
  const value = valueAt(source.value, path)
  if (value === undefined && path.length > 0 && issue.code !== 'custom') {
    return [source.problem(path.slice(0, -1), `${pathText(path)} is missing`)]
  }
  const where = path.length === 0 ? 'the file' : pathText(path)
  return [source.problem(path, `${where} ${complaint(issue, value)}`)]
}

/** Text that follows the member's name. No message repeats a value: it might be a secret. */
function complaint(issue: Issue, value: unknown): string {
  switch (issue.code) {
    case 'invalid_type':
      return wrongType(issue.expected, value)
    case 'too_small':
      return `must ${bound(issue.origin, 'at least', issue.minimum, issue.inclusive !== false)}`
    case 'too_big':
      return `must ${bound(issue.origin, 'at most', issue.maximum, issue.inclusive !== false)}`
    case 'invalid_value':
      return oneOf(issue.values.map(String), value)
    case 'invalid_union': {
      if (issue.errors.length > 0) return `must be ${expectedOf(issue.errors)}, not ${typeName(value)}`
      const options = 'options' in issue && Array.isArray(issue.options) ? issue.options.map(String) : []
      return oneOf(options, value)
    }
    default:
      return issue.message
  }
}

function wrongType(expected: string, value: unknown): string {
  if (expected === 'int' && typeof value === 'number') return 'must be a whole number'
  const scalar = typeof value === 'number' || typeof value === 'boolean'
  const hint = expected === 'string' && scalar ? ' (put it in quotes)' : ''
  return `must be ${TYPE_NAMES[expected] ?? expected}, not ${typeName(value)}${hint}`
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map of members',
  record: 'a map of members',
}

function typeName(value: unknown): string {
  if (value === null || value === undefined) return 'empty'
  if (Array.isArray(value)) return 'a list'
  return TYPE_NAMES[typeof value] ?? typeof value
}

function bound(origin: string, word: string, limit: number | bigint, inclusive: boolean): string {
  if (origin === 'string') return limit === 1 ? 'not be empty' : `have ${word} ${limit} characters`
  if (origin === 'array')
    return limit === 1 && word === 'at least' ? 'not be empty' : `have ${word} ${limit} entries`
  if (!inclusive) return word === 'at least' ? `be more than ${limit}` : `be less than ${limit}`
  return `be ${word} ${limit}`
}

function oneOf(options: readonly string[], value: unknown): string {
  const near = typeof value === 'string' ? suggest(value, options) : undefined
  return `must be one of ${options.join(', ')}${near === undefined ? '' : `; did you mean ${near}?`}`
}

function expectedOf(branches: readonly (readonly Issue[])[]): string {
  const names = branches.map((issues) => {
    const first = issues[0]
    return first?.code === 'invalid_type' ? (TYPE_NAMES[first.expected] ?? first.expected) : 'something else'
  })
  return [...new Set(names)].join(' or ')
}

/** The branch whose outermost type already fitted; undefined when none did. */
function nearestBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  const fitting = branches.filter(
    (issues) => !issues.some((i) => i.code === 'invalid_type' && i.path.length === 0),
  )
  return fitting.toSorted((a, b) => a.length - b.length)[0]
}

export function unknownMember(name: string, near: string | undefined): string {
  return `${name} is not known${near === undefined ? '' : `; did you mean ${near}?`}`
}

/** `llm.routes[0].use[1]`. */
export function pathText(path: Path): string {
  let text = ''
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`
    else text += text === '' ? String(step) : `.${String(step)}`
  }
  return text
}

export function valueAt(value: unknown, path: Path): unknown {
  let at = value
  for (const step of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, step)) return undefined
    at = (at as Record<PropertyKey, unknown>)[step]
  }
  return at
}

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly items?: JsonSchema
  readonly additionalProperties?: JsonSchema | boolean
  readonly anyOf?: readonly JsonSchema[]
  readonly oneOf?: readonly JsonSchema[]
}

/** The members the schema knows at `path`, in every alternative. Used only to make a suggestion. */
function membersAt(schema: z.ZodType, path: Path): readonly string[] {
  const root = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema
  let here = alternatives(root)
  for (const step of path) {
    here = here.flatMap((at) => {
      const next =
        typeof step === 'number'
          ? at.items
          : at.properties && Object.hasOwn(at.properties, step)
            ? at.properties[String(step)]
            : at.additionalProperties
      return typeof next === 'object' ? alternatives(next) : []
    })
  }
  return here.flatMap((at) => Object.keys(at.properties ?? {}))
}

function alternatives(schema: JsonSchema): JsonSchema[] {
  return [schema, ...[...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].flatMap(alternatives)]
}
