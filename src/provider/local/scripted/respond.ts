/**
 * What a script answers to a request. Pure and without memory of its own: the state and the captured names
 * are found by walking the request's messages again, so that a retry, a failover or a speculative revision
 * gives the same answer.
 *
 *     messages ─► (user | tool result)* ─► rule ─► { state, values } … ─► the last one's answer
 */
import type { ModelMessage, ModelRequest } from '../../../dialect/neutral.ts'
import { MATCHED_CHARACTERS } from './pattern.ts'
import { type Line, type Rule, type Script, type ScriptedCall, spoken } from './script.ts'
import { fill, fillJson } from './template.ts'

/** State and names are followed through the last so many messages. */
export const FOLLOWED_MESSAGES = 400

export interface Answer {
  /** The rule that answered, for tests and traces. */
  readonly rule: string
  readonly afterMs: number
  readonly lines: readonly Line[]
  readonly calls: readonly { readonly name: string; readonly arguments: string }[]
}

type Heard =
  | { readonly from: 'caller'; readonly text: string }
  | { readonly from: 'tool'; readonly tool: string; readonly text: string }

interface Memory {
  readonly state: string
  readonly values: ReadonlyMap<string, string>
}

/** Call it inside `withinMatchingLimit`. */
export function respond(script: Script, request: ModelRequest): Answer {
  const messages = request.messages.slice(-FOLLOWED_MESSAGES)
  const tools = usableTools(request)
  let memory: Memory = { state: script.start, values: new Map() }
  let answers: Answer[] = []
  let previous: Heard['from'] | 'none' = 'none'
  for (const heard of heardIn(messages)) {
    const step = answerOne(script, memory, heard, tools)
    // Results of calls made together are answered together.
    const together = heard.from === 'tool' && previous === 'tool'
    answers = together ? [...answers, step.answer] : [step.answer]
    memory = step.memory
    previous = heard.from
  }
  if (answers.length === 0) return greet(script, memory)
  return demanded(merge(answers), request)
}

function* heardIn(messages: readonly ModelMessage[]): Generator<Heard> {
  const names = new Map<string, string>()
  for (const message of messages) {
    if (message.role === 'user') yield { from: 'caller', text: tidy(message.text) }
    else if (message.role === 'tool') {
      yield { from: 'tool', tool: names.get(message.callId) ?? '', text: message.text.trim() }
    } else if (message.role === 'assistant') {
      for (const call of message.toolCalls ?? []) names.set(call.callId, call.name)
    }
  }
}

/** Recognisers end sentences with a mark that no pattern should have to mention. */
function tidy(text: string): string {
  return text
    .trim()
    .replace(/\s+/g, ' ')
    .replace(/[\s.!?…。！？]+$/u, '')
}

function usableTools(request: ModelRequest): ReadonlySet<string> {
  const { toolChoice } = request
  if (toolChoice === 'none') return new Set()
  const names = (request.tools ?? []).map((t) => t.name)
  if (typeof toolChoice === 'object') return new Set(names.filter((n) => n === toolChoice.name))
  return new Set(names)
}

function answerOne(script: Script, memory: Memory, heard: Heard, tools: ReadonlySet<string>) {
  const values = new Map(memory.values)
  values.set('text', heard.text)
  values.set('state', memory.state)
  if (heard.from === 'tool') {
    values.set('result', heard.text)
    values.set('tool', heard.tool)
  }
  for (const rule of script.rules) {
    const captures = match(rule, memory.state, heard, tools)
    if (!captures) continue
    for (const [name, value] of captures) values.set(name, value)
    const answer: Answer = {
      rule: rule.name,
      afterMs: script.firstTokenMs + rule.afterMs,
      lines: rule.say.map((line) => ({ ...line, text: fill(line.text, values) })),
      calls: rule.calls.map((call) => ({ name: call.tool, arguments: filledArguments(call, values) })),
    }
    return { answer, memory: { state: rule.goto ?? memory.state, values } }
  }
  const lines = script.fallback.map((line) => ({ ...line, text: fill(line.text, values) }))
  return { answer: { rule: 'fallback', afterMs: script.firstTokenMs, lines, calls: [] }, memory }
}

/** The captures, empty when a phrase matched; undefined when the rule does not apply. */
function match(
  rule: Rule,
  state: string,
  heard: Heard,
  tools: ReadonlySet<string>,
): [string, string][] | undefined {
  if (rule.states && !rule.states.has(state)) return undefined
  if (rule.calls.some((call) => !tools.has(call.tool))) return undefined
  if (heard.from === 'tool' ? !rule.results : rule.results) return undefined
  if (heard.from === 'tool' && !rule.results?.has(heard.tool) && !rule.results?.has('*')) return undefined
  if (rule.patterns.length === 0 && rule.phrases.length === 0) return []
  const text = heard.text.slice(0, MATCHED_CHARACTERS)
  for (const pattern of rule.patterns) {
    const found = pattern.exec(text)
    if (found) return capturesOf(found)
  }
  const said = spoken(text)
  return rule.phrases.some((phrase) => said.includes(phrase)) ? [] : undefined
}

function capturesOf(found: RegExpExecArray): [string, string][] {
  const numbered = found.slice(1).map((value, i): [string, string] => [String(i + 1), value ?? ''])
  const named = Object.entries(found.groups ?? {}).filter(([, value]) => value !== undefined)
  return [...numbered, ...named].map(([name, value]) => [name, value.trim()])
}

function filledArguments(call: ScriptedCall, values: ReadonlyMap<string, string>): string {
  return JSON.stringify(fillJson(call.with, values))
}

function greet(script: Script, memory: Memory): Answer {
  const lines = script.greeting ?? script.fallback
  return {
    rule: 'greeting',
    afterMs: script.firstTokenMs,
    lines: lines.map((line) => ({ ...line, text: fill(line.text, memory.values) })),
    calls: [],
  }
}

function merge(answers: readonly Answer[]): Answer {
  return {
    rule: answers.map((a) => a.rule).join(' + '),
    afterMs: Math.max(...answers.map((a) => a.afterMs)),
    lines: answers.flatMap((a) => a.lines),
    calls: answers.flatMap((a) => a.calls),
  }
}

/** A client that demands a call gets one, with empty arguments when no rule made it. */
function demanded(answer: Answer, request: ModelRequest): Answer {
  const { toolChoice, tools = [] } = request
  if (answer.calls.length > 0 || toolChoice === undefined) return answer
  const wanted = typeof toolChoice === 'object' ? toolChoice.name : tools[0]?.name
  const demands = typeof toolChoice === 'object' || toolChoice === 'required'
  if (!demands || !tools.some((tool) => tool.name === wanted)) return answer
  return { ...answer, lines: [], calls: [{ name: wanted as string, arguments: '{}' }] }
}
