/**
 * Hume's `/v0/tts/stream/input`: its address, its messages. Pure.
 * Written from the types and the client of `hume` 0.16.0, the official SDK, read on 2026-11-25 (S). When a sentence is
 * complete, from where times count and what an error looks like are not in them (?). Not yet run with real keys.
 *
 *     ─► {"text":"Hello.","voice":{id|name,provider},"speed"?:1.2,"flush":true}
 *     ◄─ {"type":"audio","audio":b64,"snippet_id":S,"text":"Hello.","is_last_chunk":true,…}
 *     ◄─ {"type":"timestamp","snippet_id":S,"timestamp":{"type":"word","text":"Hello","time":{"begin":0,"end":240}}}
 *     ─► {"close":true}                                  speaks what is left, and ends the connection
 */
import type { ProviderErrorKind } from '../../errors.ts'
import type { SpokenWord } from '../../stage/tts.ts'
import { kindOfStatus } from '../dial.ts'
import { type Fields, isFields, messageOf, numberIn, textIn } from '../message.ts'

export const HUME_CLOSE = '{"close":true}'
/** Outside of this it may break (S). */
const RATE = { min: 0.75, max: 1.5 }
const CUSTOM = 'custom:'
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** `octave-2` and `octave-1`; `octave` leaves the choice to Hume. Undefined: no model of it. */
export function versionOf(model: string): '1' | '2' | 'any' | undefined {
  if (model === 'octave') return 'any'
  const [, version] = /^octave-([12])$/.exec(model) ?? []
  return version === '1' || version === '2' ? version : undefined
}

/** `base` has no slash at its end. */
export function humeUrl(base: string, version: '1' | '2' | 'any'): string {
  const params = new URLSearchParams({
    format_type: 'pcm',
    instant_mode: 'true',
    no_binary: 'true',
    strip_headers: 'true',
  })
  if (version !== 'any') params.set('version', version)
  // The first version has none.
  if (version === '2') params.set('include_timestamp_types', 'word')
  return `${base}/v0/tts/stream/input?${params}`
}

/** `voice`: an id or a name, of Hume's library; after `custom:` one of the operator's own. */
export function humeText(text: string, voice: string, speed: number): string {
  const own = voice.startsWith(CUSTOM)
  const word = own ? voice.slice(CUSTOM.length) : voice
  return JSON.stringify({
    text,
    voice: { [UUID.test(word) ? 'id' : 'name']: word, provider: own ? 'CUSTOM_VOICE' : 'HUME_AI' },
    ...(speed !== 1 && { speed: Math.min(RATE.max, Math.max(RATE.min, speed)) }),
    flush: true,
  })
}

export type HumeMessage =
  | {
      readonly type: 'audio'
      readonly audio: Uint8Array
      readonly snippet: string
      /** Of the whole snippet. */
      readonly text: string
      readonly isLast: boolean
    }
  | { readonly type: 'word'; readonly snippet: string; readonly word: SpokenWord }
  | { readonly type: 'error'; readonly kind: ProviderErrorKind }
  | { readonly type: 'other' }

/** Throws `Malformed`. */
export function readHume(json: string): HumeMessage {
  const message = messageOf(json, 'Hume')
  switch (message.type) {
    case 'audio':
      return {
        type: 'audio',
        audio: Buffer.from(textIn(message, 'audio'), 'base64'),
        snippet: textIn(message, 'snippet_id'),
        text: textIn(message, 'text'),
        isLast: message['is_last_chunk'] === true,
      }
    case 'timestamp':
      return wordOf(message)
    case 'error':
      return { type: 'error', kind: kindOf(message) }
    default:
      return { type: 'other' }
  }
}

/** Milliseconds, as they come. */
function wordOf(message: Fields): HumeMessage {
  const { timestamp } = message
  if (!isFields(timestamp) || timestamp['type'] !== 'word' || !isFields(timestamp['time'])) {
    return { type: 'other' }
  }
  const startMs = Math.round(numberIn(timestamp['time'], 'begin'))
  const endMs = Math.max(startMs, Math.round(numberIn(timestamp['time'], 'end')))
  const word = { text: textIn(timestamp, 'text').trim(), startMs, endMs }
  return { type: 'word', snippet: textIn(message, 'snippet_id'), word }
}

function kindOf({ status_code: status, code }: Fields): ProviderErrorKind {
  const number = typeof status === 'number' ? status : code
  return typeof number === 'number' && number >= 400 && number < 600 ? kindOfStatus(number) : 'bad_request'
}
