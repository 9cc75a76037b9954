/** Gladia v2 live: what a session is asked for, its messages, why it ends. Seconds become milliseconds here. Pure. */
import type { AudioFormat } from '../../audio/format.ts'
import type { ProviderErrorKind } from '../../errors.ts'
import type { Word } from '../../stage/stt.ts'
import { type Fields, isFields, listIn, messageOf, numberIn, optionalNumber, textIn } from '../message.ts'
import { Malformed } from '../protocol.ts'
import type { SocketClose } from '../socket.ts'

export const STOP_RECORDING = '{"type":"stop_recording"}'

const ENCODINGS = { pcm16: 'wav/pcm', mulaw: 'wav/ulaw', alaw: 'wav/alaw' } as const

/**
 * https://docs.gladia.io/chapters/recommended-parameters, read on 2026-11-25, for voice agents: 0.05 to 0.1 s of silence end an
 * utterance of its, and 15 s without.
 */
export const ENDPOINTING_MS = 100
const LONGEST_S = 15

export interface Session {
  readonly model: string
  readonly format: AudioFormat
  readonly language: string | undefined
  readonly hints: readonly string[]
}

/** The body of `POST /v2/live`. */
export function sessionBody({ model, format, language, hints }: Session): string {
  return JSON.stringify({
    encoding: ENCODINGS[format.encoding],
    bit_depth: format.encoding === 'pcm16' ? 16 : 8,
    sample_rate: format.sampleRateHz,
    channels: 1,
    model,
    endpointing: ENDPOINTING_MS / 1000,
    maximum_duration_without_endpointing: LONGEST_S,
    // Without `code_switching` it would find one, of the first utterance, for good.
    language_config:
      language === undefined
        ? { languages: [], code_switching: true }
        : { languages: [language.toLowerCase().split('-')[0]] },
    ...(hints.length > 0 && {
      realtime_processing: { custom_vocabulary: true, custom_vocabulary_config: { vocabulary: hints } },
    }),
    messages_config: {
      receive_partial_transcripts: true,
      receive_final_transcripts: true,
      receive_speech_events: true,
      receive_acknowledgments: true,
      receive_errors: true,
      receive_pre_processing_events: false,
      receive_realtime_processing_events: false,
      receive_post_processing_events: false,
      receive_lifecycle_events: false,
    },
  })
}

/** The session's address, which holds its token. Throws `Malformed`. */
export function sessionUrl(text: string, base: 'ws:' | 'wss:'): string {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {}
  const given = isFields(body) ? body['url'] : undefined
  let url: URL | undefined
  try {
    url = new URL(String(given))
  } catch {}
  // Not in the clear where the key was not sent in the clear.
  if (!url || (url.protocol !== 'wss:' && url.protocol !== base)) {
    throw new Malformed('Gladia gave no address for the session')
  }
  return url.href
}

export type GladiaMessage =
  | {
      readonly type: 'transcript'
      readonly settled: boolean
      readonly startMs: number
      readonly endMs: number
      readonly text: string
      readonly words: readonly Word[]
      readonly confidence: number | undefined
      readonly language: string | undefined
    }
  | { readonly type: 'speechStart' | 'speechEnd'; readonly atMs: number }
  /** Audio up to there arrived. */
  | { readonly type: 'taken'; readonly toMs: number }
  | { readonly type: 'failed' }
  /** Lifecycle, and whatever is invented later. */
  | { readonly type: 'other' }

/** Throws `Malformed`. */
export function readMessage(json: string): GladiaMessage {
  const message = messageOf(json, 'Gladia')
  switch (message.type) {
    case 'transcript':
      return transcriptOf(dataOf(message))
    case 'speech_start':
      return { type: 'speechStart', atMs: ms(numberIn(dataOf(message), 'time')) }
    case 'speech_end':
      return { type: 'speechEnd', atMs: ms(numberIn(dataOf(message), 'time')) }
    case 'audio_chunk':
      return message['acknowledged'] === true ? takenOf(dataOf(message)) : { type: 'failed' }
    case 'error':
      return { type: 'failed' }
    default:
      return { type: 'other' }
  }
}

function dataOf(message: Fields): Fields {
  const { data } = message
  if (!isFields(data)) throw new Malformed('data is no object')
  return data
}

function takenOf(data: Fields): GladiaMessage {
  const range = data['time_range']
  const to: unknown = Array.isArray(range) ? range[1] : undefined
  if (typeof to !== 'number') throw new Malformed('time_range is no range')
  return { type: 'taken', toMs: ms(to) }
}

function transcriptOf(data: Fields): GladiaMessage {
  const { utterance } = data
  if (!isFields(utterance)) throw new Malformed('utterance is no object')
  const { language } = utterance
  return {
    type: 'transcript',
    settled: data['is_final'] === true,
    startMs: ms(numberIn(utterance, 'start')),
    endMs: ms(numberIn(utterance, 'end')),
    text: textIn(utterance, 'text').trim(),
    words: listIn(utterance, 'words').map(wordOf),
    confidence: optionalNumber(utterance, 'confidence'),
    language: typeof language === 'string' && language !== '' ? language : undefined,
  }
}

function wordOf(word: Fields): Word {
  return {
    // A space stands in front of it.
    text: textIn(word, 'word').trim(),
    startMs: ms(numberIn(word, 'start')),
    endMs: ms(numberIn(word, 'end')),
  }
}

function ms(seconds: number): number {
  return Math.round(seconds * 1000)
}

/** From 4000 on the session is over, and its address good for nothing; which code means what is not documented. */
export function closedBy({ code }: SocketClose): { kind: ProviderErrorKind; message: string } {
  const kind = code === 4401 || code === 4403 ? 'expired' : code === 4429 ? 'rate' : 'transient'
  return { kind, message: `Gladia closed the connection (${code})` }
}
