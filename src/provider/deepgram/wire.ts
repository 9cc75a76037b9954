/** Deepgram v1 `listen`: its address, its messages, its reasons to close. Seconds become milliseconds here. Pure. */
import type { AudioFormat } from '../../audio/format.ts'
import type { ProviderErrorKind } from '../../errors.ts'
import type { Word } from '../../stage/stt.ts'
import { type Fields, isFields, listIn, messageOf, numberIn, optionalNumber, textIn } from '../message.ts'
import type { SocketClose } from '../socket.ts'

export const KEEP_ALIVE = '{"type":"KeepAlive"}'
export const FINALIZE = '{"type":"Finalize"}'
export const CLOSE_STREAM = '{"type":"CloseStream"}'

const ENCODINGS = { pcm16: 'linear16', mulaw: 'mulaw', alaw: 'alaw' } as const

export interface ListenQuery {
  readonly model: string
  readonly format: AudioFormat
  readonly language: string | undefined
  readonly hints: readonly string[]
  /** A pause after which a segment is settled. It ends no turn of ours. */
  readonly endpointingMs: number
}

/** `base` is `wss://host`, with a path in front if it has one. */
export function listenUrl(base: string, query: ListenQuery): string {
  const { model, format, language, hints, endpointingMs } = query
  const params = new URLSearchParams({
    model,
    encoding: ENCODINGS[format.encoding],
    sample_rate: String(format.sampleRateHz),
    channels: '1',
    interim_results: 'true',
    punctuate: 'true',
    smart_format: 'true',
    // With `smart_format` it would otherwise wait for a number to be complete.
    no_delay: 'true',
    endpointing: String(endpointingMs),
  })
  if (language !== undefined) params.set('language', language)
  for (const hint of hints) params.append('keyterm', hint)
  return `${base}/v1/listen?${params}`
}

export type DeepgramMessage =
  | {
      readonly type: 'Results'
      readonly startMs: number
      readonly endMs: number
      readonly text: string
      readonly confidence: number | undefined
      readonly language: string | undefined
      readonly words: readonly Word[]
      readonly isFinal: boolean
      readonly speechFinal: boolean
    }
  | { readonly type: 'UtteranceEnd' }
  /** `Metadata`, `SpeechStarted`, and whatever is invented later. */
  | { readonly type: 'other' }

/** Throws `Malformed`. */
export function readMessage(json: string): DeepgramMessage {
  const message = messageOf(json, 'Deepgram')
  if (message.type === 'UtteranceEnd') return { type: 'UtteranceEnd' }
  return message.type === 'Results' ? resultsOf(message) : { type: 'other' }
}

function resultsOf(message: Fields): DeepgramMessage {
  const channel = message['channel']
  const best = isFields(channel) ? listIn(channel, 'alternatives')[0] : undefined
  const start = numberIn(message, 'start')
  const languages = best?.['languages']
  const language = Array.isArray(languages) && typeof languages[0] === 'string' ? languages[0] : undefined
  return {
    type: 'Results',
    startMs: ms(start),
    endMs: ms(start + numberIn(message, 'duration')),
    text: best ? textIn(best, 'transcript').trim() : '',
    confidence: best && optionalNumber(best, 'confidence'),
    language,
    words: best ? listIn(best, 'words').map(wordOf) : [],
    isFinal: message['is_final'] === true,
    speechFinal: message['speech_final'] === true,
  }
}

function wordOf(word: Fields): Word {
  const written = word['punctuated_word']
  return {
    text: typeof written === 'string' ? written : textIn(word, 'word'),
    startMs: ms(numberIn(word, 'start')),
    endMs: ms(numberIn(word, 'end')),
  }
}

function ms(seconds: number): number {
  return Math.round(seconds * 1000)
}

/** https://developers.deepgram.com/docs/errors: the reason begins with a code. */
export function reasonOf({ code, reason }: SocketClose): { kind: ProviderErrorKind; message: string } {
  const named = /\b[A-Z]+-\d{4}\b/.exec(reason)?.[0]
  const message = `Deepgram closed the connection (${named === undefined ? code : `${code} ${named}`})`
  if (named === 'NET-0001') return { kind: 'expired', message }
  if (named?.startsWith('DATA-')) return { kind: 'bad_request', message }
  if (named === undefined && code === 1008) return { kind: 'bad_request', message }
  return { kind: 'transient', message }
}
