/** From YAML text to a `Script`, or to every error in it, each with its line and column. */
import { isNode, LineCounter, parseDocument } from 'yaml'
import { compilePattern, groupNames } from './pattern.ts'
import { type CallFile, type RuleFile, type ScriptFile, type SentencesFile, scriptSchema } from './schema.ts'
import { type Json, type Line, type Rule, type Script, type ScriptedCall, spoken } from './script.ts'
import { placeholders } from './template.ts'

type Path = readonly (string | number)[]

export interface ScriptProblem {
  /** 1-based. */
  readonly line: number
  readonly column: number
  readonly message: string
}

/** `message` lists every problem as `file:line:column: what`, one a line. */
export class ScriptError extends Error {
  override readonly name = 'ScriptError'
  constructor(
    readonly file: string,
    readonly problems: readonly ScriptProblem[],
  ) {
    super(problems.map((p) => `${file}:${p.line}:${p.column}: ${p.message}`).join('\n'))
  }
}

const SCRIPT_CHARACTERS = 1_000_000
const PROBLEMS_SHOWN = 20
/** Always there beside what patterns capture. */
const BUILT_IN = new Set(['text', 'result', 'state', 'tool'])

/** `file` is only for messages. Throws `ScriptError`. */
export function parseScript(text: string, file: string): Script {
  if (text.length > SCRIPT_CHARACTERS) {
    throw new ScriptError(file, [
      { line: 1, column: 1, message: `larger than ${SCRIPT_CHARACTERS} characters` },
    ])
  }
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const problems: ScriptProblem[] = []
  const at = (offset: number, message: string) => {
    const { line, col } = lines.linePos(offset)
    problems.push({ line, column: col, message })
  }
  /** At the deepest node on the path that exists in the file. */
  const atPath = (path: Path, message: string) => {
    for (let depth = path.length; depth >= 0; depth--) {
      const node = depth === 0 ? document.contents : document.getIn(path.slice(0, depth), true)
      if (isNode(node) && node.range) return at(node.range[0], message)
    }
    at(0, message)
  }
  const stopOnProblems = () => {
    if (problems.length > 0) throw new ScriptError(file, problems.slice(0, PROBLEMS_SHOWN))
  }

  for (const error of document.errors) at(error.pos[0], error.message)
  stopOnProblems()
  const plain = toPlain(() => document.toJS({ maxAliasCount: 100 }), atPath)
  stopOnProblems()
  const parsed = scriptSchema.safeParse(plain)
  if (!parsed.success) {
    for (const issue of parsed.error.issues) {
      const path = issue.path.filter((p): p is string | number => typeof p !== 'symbol')
      const keys = issue.code === 'unrecognized_keys' ? issue.keys : []
      if (keys.length === 0) atPath(path, `${path.join('.') || 'script'}: ${issue.message}`)
      for (const key of keys) atPath([...path, key], `unknown member \`${key}\``)
    }
    stopOnProblems()
  }
  const script = compile(parsed.data as ScriptFile, atPath)
  stopOnProblems()
  return script
}

type Report = (path: Path, message: string) => void

function toPlain(read: () => unknown, report: Report): unknown {
  try {
    return read()
  } catch (error) {
    report([], error instanceof Error ? error.message : String(error))
    return undefined
  }
}

function compile(file: ScriptFile, report: Report): Script {
  const start = file.start ?? 'start'
  const rules = file.rules.map((rule, i) => compileRule(rule, i, report))
  const reachable = new Set([start, ...rules.flatMap((r) => r.goto ?? [])])
  const captured = new Set([...BUILT_IN, ...rules.flatMap((r) => r.patterns.flatMap(groupNames))])
  for (const [i, rule] of rules.entries()) {
    for (const state of rule.states ?? []) {
      if (!reachable.has(state)) report(['rules', i, 'in'], `no rule goes to the state \`${state}\``)
    }
    for (const [j, line] of rule.say.entries())
      checkNames(line.text, ['rules', i, 'say', j], captured, report)
    checkNames(JSON.stringify(rule.calls), ['rules', i, 'call'], captured, report)
  }
  const greeting = file.greeting === undefined ? null : compileLines(file.greeting)
  const fallback = compileLines(file.fallback)
  for (const line of greeting ?? []) checkNames(line.text, ['greeting'], captured, report)
  for (const line of fallback) checkNames(line.text, ['fallback'], captured, report)
  const { name = 'script', firstTokenMs = 0, wordMs = 0 } = file
  return { name, firstTokenMs, wordMs, start, greeting, rules, fallback }
}

function compileRule(rule: RuleFile, index: number, report: Report): Rule {
  const patterns: RegExp[] = []
  for (const [i, source] of many(rule.hears).entries()) {
    try {
      patterns.push(compilePattern(source))
    } catch (error) {
      const path = Array.isArray(rule.hears) ? ['rules', index, 'hears', i] : ['rules', index, 'hears']
      report(path, error instanceof Error ? error.message : String(error))
    }
  }
  return {
    name: rule.name ?? `rule ${index + 1}`,
    states: rule.in === undefined ? null : new Set(many(rule.in)),
    patterns,
    phrases: many(rule.words).map(spoken),
    results: rule.result === undefined ? null : new Set(many(rule.result)),
    afterMs: rule.afterMs ?? 0,
    say: rule.say === undefined ? [] : compileLines(rule.say),
    calls: rule.call === undefined ? [] : many(rule.call).map(compileCall),
    goto: rule.goto ?? null,
  }
}

function compileLines(sentences: SentencesFile): Line[] {
  return many(sentences).map((s) =>
    typeof s === 'string' ? { text: s, afterMs: 0 } : { text: s.text, afterMs: s.afterMs ?? 0 },
  )
}

function compileCall(call: CallFile): ScriptedCall {
  return { tool: call.tool, with: (call.with ?? {}) as { [key: string]: Json } }
}

function checkNames(text: string, path: Path, known: ReadonlySet<string>, report: Report): void {
  for (const name of placeholders(text)) {
    const root = name.split('.')[0] ?? name
    if (!known.has(root)) report(path, `nothing captures \`{${name}}\``)
  }
}

function many<T>(value: T | readonly T[] | undefined): readonly T[] {
  if (value === undefined) return []
  return Array.isArray(value) ? value : [value as T]
}
