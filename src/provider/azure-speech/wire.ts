/**
 * Azure's speech: what its SDK is asked and what its events hold. Pure. Written from the types and sources of
 * `microsoft-cognitiveservices-speech-sdk` 1.52.0, read on 2026-11-25 (S). Not yet run with real keys. Ticks, of 100 ns,
 * become milliseconds here.
 */
import type { AudioFormat } from '../../audio/format.ts'
import type { ProviderErrorKind } from '../../errors.ts'
import type { SpokenWord } from '../../stage/tts.ts'
import type { RpcFault } from '../call.ts'
import type { Recognised } from '../calls-socket.ts'
import { kindOfStatus } from '../dial.ts'
import { isFields } from '../message.ts'
import { withRegion } from '../region.ts'

const TICKS_PER_MS = 10_000
/** Outside of this it is cut off there (D). */
const RATE = { min: 0.5, max: 2 }

/** What is kept of a `recognizing` or `recognized` event, or of the end of detected speech. */
export type HeardEvent =
  | {
      readonly type: 'recognizing' | 'recognized'
      readonly text: string
      readonly offset: number
      readonly duration: number
      /** The service's own, JSON text. */
      readonly json?: string
      readonly language?: string
    }
  | { readonly type: 'speechEnd'; readonly offset: number }

export function readHeard(response: unknown): Recognised {
  const event = response as HeardEvent
  if (event.type === 'speechEnd') return { results: [], speechEndMs: msOf(event.offset) }
  const { type, text, offset, duration, json, language } = event
  if (text === '') return { results: [], speechEndMs: undefined }
  const best = type === 'recognized' ? bestOf(json) : undefined
  const words = Array.isArray(best?.['Words']) ? best['Words'].filter(isFields) : []
  // Written as it is displayed: with marks and capitals, where there are as many.
  const shown = text.split(/\s+/)
  const confidence = best?.['Confidence']
  return {
    results: [
      {
        text,
        isFinal: type === 'recognized',
        endMs: msOf(offset + duration),
        words: words.map((word, i) => ({
          text: shown.length === words.length ? shown[i]! : String(word['Word']),
          startMs: msOf(word['Offset']),
          endMs: msOf(Number(word['Offset']) + Number(word['Duration'])),
        })),
        confidence: typeof confidence === 'number' && confidence > 0 ? confidence : undefined,
        language,
      },
    ],
    speechEndMs: undefined,
  }
}

function bestOf(json: string | undefined): Readonly<Record<string, unknown>> | undefined {
  try {
    const phrase: unknown = JSON.parse(json ?? '')
    const all = isFields(phrase) ? phrase['NBest'] : undefined
    const [best]: unknown[] = Array.isArray(all) ? all : []
    return isFields(best) ? best : undefined
  } catch {
    return undefined
  }
}

export function msOf(ticks: unknown): number {
  const ms = Math.round(Number(ticks) / TICKS_PER_MS)
  return Number.isFinite(ms) ? ms : 0
}

/** Without a language it hears English: it must be told one. */
export function localeOf(language: string | undefined): string {
  return withRegion(language ?? 'en-US')
}

export interface SsmlRequest {
  readonly voice: string
  readonly language: string | undefined
  readonly speed: number
}

export function ssmlOf(text: string, { voice, language, speed }: SsmlRequest): string {
  const own = /^[a-z]{2,3}-[A-Z]{2}(?=-)/.exec(voice)?.[0]
  const spoken = escaped(text)
  const rate = Math.min(RATE.max, Math.max(RATE.min, speed))
  const paced = speed === 1 ? spoken : `<prosody rate="${rate}">${spoken}</prosody>`
  const lang = escaped(own ?? localeOf(language))
  const speak = `<speak version="1.0" xmlns="http://www.w3.org/2001/10/synthesis" xml:lang="${lang}">`
  return `${speak}<voice name="${escaped(voice)}">${paced}</voice></speak>`
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
}

/** Characters that no XML may hold are left out. */
function escaped(text: string): string {
  return text
    .replaceAll(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '')
    .replaceAll(/[&<>"']/g, (one) => ENTITIES[one]!)
}

/** Name of the SDK's output format. */
export function outputOf({ encoding, sampleRateHz }: AudioFormat): string {
  if (encoding === 'mulaw') return 'Raw8Khz8BitMonoMULaw'
  if (encoding === 'alaw') return 'Raw8Khz8BitMonoALaw'
  return `Raw${sampleRateHz / 1000}Khz16BitMonoPcm`
}

/** What is kept of the events of a synthesis. */
export type SpokenEvent =
  | { readonly type: 'audio'; readonly audio: Uint8Array }
  | {
      readonly type: 'word'
      readonly text: string
      readonly offset: number
      readonly duration: number
      readonly boundary: string
    }

/** Marks are words of their own, and no words to us. */
export function spokenWord(event: SpokenEvent): SpokenWord | undefined {
  if (event.type !== 'word' || event.boundary !== 'WordBoundary' || event.text.trim() === '') return undefined
  const startMs = msOf(event.offset)
  return { text: event.text, startMs, endMs: Math.max(startMs, msOf(event.offset + event.duration)) }
}

/** `CancellationErrorCode`s of the SDK. */
const KINDS: Readonly<Record<number, ProviderErrorKind>> = {
  1: 'auth',
  2: 'bad_request',
  3: 'rate',
  5: 'timeout',
  8: 'auth',
}

/** Of the details nothing is told but a status: they may quote an address. */
export function faultOf(code: number | undefined, details: string | undefined): RpcFault {
  const status = /\bresponse: (\d{3})\b/.exec(details ?? '')?.[1]
  const known = status === undefined ? undefined : Number(status)
  const kind = known !== undefined ? kindOfStatus(known) : (KINDS[code ?? -1] ?? 'transient')
  const what = known === undefined ? `code ${code ?? 'unknown'}` : `status ${known}`
  return { kind, message: `the SDK cancelled with ${what}` }
}
