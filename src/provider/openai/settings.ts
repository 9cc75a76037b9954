/** The settings of an OpenAI-compatible server. */
import type { Dispatcher } from 'undici'
import type { Connect } from '../socket.ts'
import type { Preset } from './presets/index.ts'
import type { SpeechSettings } from './speech.ts'

export interface OpenAiSettings {
  /** The provider's name in `parley.yaml`, the first half of every target. */
  readonly name: string
  /** Left out: any server that speaks as OpenAI does. */
  readonly preset?: Preset
  /** Everything before `/chat/completions` or `/responses`; a query string is kept. Left out: the preset's. */
  readonly baseUrl?: string
  /** Other members of the settings, for what the preset's address needs of them. */
  readonly members?: Readonly<Record<string, unknown>>
  /** Which of its interfaces is spoken. Left out: `chat`, chat completions. */
  readonly api?: 'chat' | 'responses'
  readonly apiKey?: string
  /** Added to every request, over ours. */
  readonly headers?: Readonly<Record<string, string>>
  /** Left out: as the preset has it. */
  readonly maxTokensField?: 'max_tokens' | 'max_completion_tokens'
  /** How it recognises speech. Left out: OpenAI itself in realtime sessions, others from files. */
  readonly stt?: 'realtime' | 'files'
  /** Left out: OpenAI's, PCM of 24 kHz. */
  readonly speech?: SpeechSettings
  /** For tests: another network. Closed with the provider. */
  readonly dispatcher?: Dispatcher
  /** For tests: another network, of sockets. */
  readonly connect?: Connect
}

/** Of the settings, as written. Throws an `Error` that names it. */
export function apiOf(name: string, api: unknown): 'chat' | 'responses' {
  if (api === undefined || api === 'chat') return 'chat'
  if (api === 'responses') return api
  throw new Error(`providers.${name}.api must be chat or responses`)
}

/** Of the settings, as written. Throws an `Error` that names it. */
export function sttOf(name: string, stt: unknown): 'realtime' | 'files' | undefined {
  if (stt === undefined || stt === 'realtime' || stt === 'files') return stt
  throw new Error(`providers.${name}.stt must be realtime or files`)
}
