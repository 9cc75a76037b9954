/** One of Google's models at an address: `PATH:generateContent`, streamed or not. */
import type { Dispatcher } from 'undici'
import { geminiProvider } from '../../dialect/gemini/index.ts'
import type { LlmAdapter } from '../../stage/llm.ts'
import type { HttpTarget } from '../http-exchange.ts'
import { httpModel } from '../http-model.ts'

type Headers = Readonly<Record<string, string>>

export interface GeminiModel {
  readonly provider: string
  readonly model: string
  readonly origin: string
  /** Everything before the colon. */
  readonly path: string
  /** A token may have to be fetched first. */
  readonly auth: () => Headers | Promise<Headers>
  readonly secrets: readonly string[]
  readonly dispatcher: Dispatcher
}

export function geminiModel({ origin, path, auth, ...model }: GeminiModel): LlmAdapter {
  const streamed = `${path}:streamGenerateContent?alt=sse`
  const whole = `${path}:generateContent`
  return httpModel({
    ...model,
    origin,
    caps: { tools: true, json: true, prefill: false },
    prepare() {
      const shown = auth()
      // That there is none is the request's to tell.
      if (shown instanceof Promise) shown.catch(() => {})
    },
    codec: geminiProvider,
    target: (delivery) => {
      const target = (shown: Headers): HttpTarget => ({
        origin,
        path: delivery === 'stream' ? streamed : whole,
        headers: { 'content-type': 'application/json', ...shown },
      })
      const shown = auth()
      return shown instanceof Promise ? shown.then(target) : target(shown)
    },
  })
}
