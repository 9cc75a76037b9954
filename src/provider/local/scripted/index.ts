/**
 * `local/scripted`: a language model that says what a YAML file tells it to, word by word as a model does.
 * For demos, phone menus and tests. `local/scripted/NAME` runs the script of that name.
 */
import { randomUUID } from 'node:crypto'
import { delay } from '../../../clock.ts'
import type { ModelEvent, ModelRequest } from '../../../dialect/neutral.ts'
import { ProviderError } from '../../../errors.ts'
import type { LlmAdapter, LlmStreamOptions } from '../../../stage/llm.ts'
import { withinMatchingLimit } from './pattern.ts'
import { type Answer, respond } from './respond.ts'
import type { Script } from './script.ts'

export { parseScript, ScriptError } from './load.ts'
export type { Script } from './script.ts'

export interface ScriptedOptions {
  /** `provider/model`. */
  readonly id: string
  readonly script: Script
  /** Call ids must be unique in a conversation. */
  readonly newCallId?: () => string
}

export function createScripted(options: ScriptedOptions): LlmAdapter {
  return {
    id: options.id,
    caps: { tools: true, json: false, prefill: false },
    stream: (request, streamOptions) => stream(options, request, streamOptions),
  }
}

async function* stream(
  { id, script, newCallId = () => `call_${randomUUID()}` }: ScriptedOptions,
  request: ModelRequest,
  { signal, clock }: LlmStreamOptions,
): AsyncGenerator<ModelEvent> {
  signal.throwIfAborted()
  const answer = answerOf(id, script, request)
  const limit = request.maxTokens ?? Number.POSITIVE_INFINITY
  let outputTokens = 0
  let cut = false

  if (answer.afterMs > 0) await delay(clock, answer.afterMs, signal)
  for (const piece of pieces(answer)) {
    if (piece.afterMs > 0) await delay(clock, piece.afterMs, signal)
    if (outputTokens > 0 && script.wordMs > 0) await delay(clock, script.wordMs, signal)
    signal.throwIfAborted()
    if (outputTokens >= limit) {
      cut = true
      break
    }
    outputTokens++
    yield { type: 'text', text: piece.text }
  }
  for (const call of cut ? [] : answer.calls) {
    signal.throwIfAborted()
    outputTokens += wordsIn(call.arguments)
    yield { type: 'toolCall', call: { callId: newCallId(), ...call } }
  }
  yield { type: 'usage', usage: { inputTokens: inputTokens(request), outputTokens } }
  yield { type: 'finish', reason: cut ? 'length' : answer.calls.length > 0 ? 'tool_calls' : 'stop' }
}

function answerOf(id: string, script: Script, request: ModelRequest): Answer {
  try {
    return withinMatchingLimit(() => respond(script, request))
  } catch (error) {
    const provider = id.split('/')[0] ?? id
    const message = error instanceof Error ? error.message : 'the script failed'
    throw new ProviderError({ provider, stage: 'llm', kind: 'bad_request', message, cause: error })
  }
}

/** Words with the space before them, sentences joined by a space. */
function* pieces(answer: Answer): Generator<{ text: string; afterMs: number }> {
  let first = true
  for (const line of answer.lines) {
    let { afterMs } = line
    for (const [word] of line.text.trim().matchAll(/\s*\S+/gu)) {
      const joined = first || /^\s/.test(word) ? word : ` ${word}`
      yield { text: joined, afterMs }
      afterMs = 0
      first = false
    }
  }
}

/** Words stand for tokens. */
function inputTokens(request: ModelRequest): number {
  return request.messages.reduce((sum, message) => sum + wordsIn(message.text), 0)
}

function wordsIn(text: string): number {
  return text.match(/\S+/gu)?.length ?? 0
}
