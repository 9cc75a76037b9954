/** A model that answers whatever it is asked with the words that are due, and remembers what it was asked. In memory. */
import type { Clock } from '../../src/clock.ts'
import { createOpenAi } from '../../src/provider/openai/index.ts'
import type { Provider } from '../../src/stage/provider.ts'
import { reply } from '../../src/testing/carrier/http.ts'
import { MemoryDispatcher } from '../../src/testing/carrier/http-memory.ts'

const FIRST_TOKEN_MS = 150

export interface Script {
  /** The last user's words of every request. */
  readonly prompts: string[]
  /** What is answered now. */
  answer: string
}

export function scriptedModel(name: string, script: Script, clock: Clock): Provider {
  const dispatcher = new MemoryDispatcher(({ body }, answer) => {
    const { messages, model } = JSON.parse(body)
    script.prompts.push(messages.at(-1).content)
    return reply(clock, answer, {
      status: 200,
      headers: { 'content-type': 'text/event-stream' },
      body: answered(model, script.answer),
      afterMs: FIRST_TOKEN_MS,
    })
  })
  return createOpenAi({ clock, note: () => {} }, { name, baseUrl: 'http://model.test/v1', dispatcher })
}

/** The whole stream at once. */
function answered(model: string, text: string): string {
  const chunk = (delta: object, finish_reason: string | null) =>
    `data: ${JSON.stringify({
      id: 'chatcmpl-1',
      object: 'chat.completion.chunk',
      created: 1_700_000_000,
      model,
      choices: [{ index: 0, delta, finish_reason }],
    })}\n\n`
  return `${chunk({ role: 'assistant', content: text }, null)}${chunk({}, 'stop')}data: [DONE]\n\n`
}
