/** One text frame in, one thing to do out. Nothing here throws: what cannot be done is a refusal. */
import type { AudioFormat } from '../../audio/format.ts'
import type { ErrorCode } from '../../errors.ts'
import type { ClientEvent } from '../../session/client.ts'
import { decodeAudio } from './audio-in.ts'
import { fromBeta } from './beta/incoming.ts'
import { asInteger, invalidValue, type Json, missing, Refusal, wrongType } from './check.ts'
import { asId, parseWrittenItem } from './items.ts'
import { parseResponseRequest } from './response-request.ts'
import { parseSessionUpdate, type SessionUpdate } from './session-update.ts'
import type { ShapeName } from './shape.ts'

export interface RefusedEvent {
  readonly kind: 'refused'
  readonly code: ErrorCode
  readonly message: string
  readonly param: string | null
  /** The client's event id, where it could be read. */
  readonly ref: string | null
}

export type Parsed =
  | {
      readonly kind: 'audio'
      readonly bytes: Uint8Array
      readonly sequence: number | null
      readonly ref: string | null
    }
  | { readonly kind: 'event'; readonly event: ClientEvent }
  | { readonly kind: 'update'; readonly update: SessionUpdate; readonly ref: string | null }
  /** The far side's playback, where the server owns it, is to fall silent. */
  | { readonly kind: 'clearOutput' }
  | RefusedEvent

export interface ParseContext {
  /** `beside`: sound has a way of its own, so events cannot carry any or say its format. Left out: `inside`. */
  readonly sound?: 'inside' | 'beside'
  /** The session's output format, which a response must share. */
  readonly outputFormat: AudioFormat
  /** Of the session; left out: a conversation. */
  readonly kind?: 'transcription'
}

type Read = (given: Json, ref: string | null, context: ParseContext) => Parsed

const event = (event: ClientEvent): Parsed => ({ kind: 'event', event })

/** Every client event there is; what stands here is what the error for an unknown one lists. */
const READERS: ReadonlyMap<string, Read> = new Map<string, Read>([
  ['session.update', (given, ref, context) => readUpdate(given, ref, context)],
  ['input_audio_buffer.append', (given, ref) => readAppend(given, ref)],
  ['input_audio_buffer.commit', (_, ref) => event({ type: 'commit', ref })],
  ['input_audio_buffer.clear', (_, ref) => event({ type: 'clear', ref })],
  ['conversation.item.create', (given, ref) => readCreate(given, ref)],
  ['conversation.item.retrieve', (given, ref) => event({ type: 'retrieveItem', itemId: itemId(given), ref })],
  ['conversation.item.truncate', (given, ref) => readTruncate(given, ref)],
  ['conversation.item.delete', (given, ref) => event({ type: 'deleteItem', itemId: itemId(given), ref })],
  ['response.create', (given, ref, context) => readRespond(given, ref, context)],
  ['response.cancel', (given, ref) => readCancel(given, ref)],
  ['parley.played', (given) => readPlayed(given)],
])

/** Instead of those above, where sound goes beside the events. */
const BESIDE: ReadonlyMap<string, Read> = new Map<string, Read>([
  ['session.update', (given, ref, context) => withoutFormats(readUpdate(given, ref, context))],
  ['output_audio_buffer.clear', () => ({ kind: 'clearOutput' })],
])

export const CLIENT_EVENTS: readonly string[] = [...READERS.keys()]
/** What there is to do where nothing answers. */
export const TRANSCRIPTION_EVENTS = CLIENT_EVENTS.filter(
  (type) =>
    /^(session|input_audio_buffer)\./.test(type) || /^conversation\.item\.(retrieve|delete)$/.test(type),
)

/** Settings are echoed whole, so a flood of huge ones must not multiply; items and audio may be larger. */
const MAX_UPDATE_CHARS = 2 * 1024 * 1024
const MAX_REF_CHARS = 512
const MAX_UNCOUNTED_BYTES = 256 * 1024
const MAX_BRACKETS = 65_536
/** A day: no answer is longer. */
const MAX_AUDIO_MS = 86_400_000

export function parseFrame(frame: Buffer, context: ParseContext, shape: ShapeName = 'ga'): Parsed {
  let ref: string | null = null
  try {
    const sent = parseJson(frame)
    ref = readRef(sent)
    const given = shape === 'beta' ? fromBeta(sent) : sent
    const type = given['type']
    if (type === undefined) throw missing('type')
    if (typeof type !== 'string') throw wrongType('type', 'a string', type)
    const read = (context.sound === 'beside' ? BESIDE.get(type) : undefined) ?? READERS.get(type)
    if (!read || (context.kind === 'transcription' && !TRANSCRIPTION_EVENTS.includes(type)))
      throw invalidValue(
        'type',
        type,
        context.kind === 'transcription' ? TRANSCRIPTION_EVENTS : CLIENT_EVENTS,
      )
    if (type === 'session.update' && frame.length > MAX_UPDATE_CHARS)
      throw new Refusal('invalid_event', `Invalid event: session.update above ${MAX_UPDATE_CHARS} bytes.`)
    return read(given, ref, context)
  } catch (error) {
    if (error instanceof Refusal) return refusal(error.code, error.message, error.param, ref)
    throw error
  }
}

export function refusal(
  code: ErrorCode,
  message: string,
  param: string | null = null,
  ref: string | null = null,
): RefusedEvent {
  return { kind: 'refused', code, message, param, ref }
}

function parseJson(frame: Buffer): Json {
  let value: unknown
  if (frame.length > MAX_UNCOUNTED_BYTES && manyBrackets(frame))
    throw new Refusal('invalid_event', `Invalid event: more than ${MAX_BRACKETS} objects and arrays.`)
  try {
    value = JSON.parse(frame.toString())
  } catch (error) {
    const why = error instanceof Error ? error.message.slice(0, 200) : ''
    throw new Refusal('invalid_json', `Invalid event: failed to parse JSON value. ${why}`)
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json
  throw new Refusal('invalid_event', 'Invalid event: expected a JSON object.')
}

/** Audio has no brackets, and a megabyte of them keeps the parser busy for a tenth of a second. */
function manyBrackets(frame: Buffer): boolean {
  let count = 0
  for (const bracket of ['[', '{'])
    for (let at = frame.indexOf(bracket); at >= 0; at = frame.indexOf(bracket, at + 1))
      if (++count > MAX_BRACKETS) return true
  return false
}

function readRef(given: Json): string | null {
  const id = given['event_id']
  return typeof id === 'string' && id.length <= MAX_REF_CHARS ? id : null
}

function readUpdate(given: Json, ref: string | null, context: ParseContext): Parsed {
  if (given['session'] === undefined) throw missing('session')
  return { kind: 'update', update: parseSessionUpdate(given['session'], context.kind ?? 'realtime'), ref }
}

/** `sequence` counts packets of Opus; nothing else has one. */
function readAppend(given: Json, ref: string | null): Parsed {
  const bytes = decodeAudio(given['audio'], 'audio')
  const said = given['sequence']
  const sequence = said == null ? null : asInteger(said, 'sequence', 0, Number.MAX_SAFE_INTEGER)
  return { kind: 'audio', bytes, sequence, ref }
}

/** The codec was agreed on elsewhere; what clients send by habit is not refused. */
function withoutFormats(parsed: Parsed): Parsed {
  if (parsed.kind !== 'update') return parsed
  const { inputFormat: _, outputFormat: __, ...patch } = parsed.update.patch
  const { inputCodec: ___, outputCodec: ____, ...echo } = parsed.update.echo
  return { ...parsed, update: { ...parsed.update, patch, echo } }
}

function itemId(given: Json): string {
  return asId(given['item_id'], 'item_id')
}

function readCreate(given: Json, ref: string | null): Parsed {
  const previous = given['previous_item_id']
  const { item, audio } = parseWrittenItem(given['item'], 'item')
  return event({
    type: 'createItem',
    item,
    ...(audio ? { audio } : {}),
    after: previous == null ? null : asId(previous, 'previous_item_id'),
    ref,
  })
}

function readTruncate(given: Json, ref: string | null): Parsed {
  return event({
    type: 'truncateItem',
    itemId: itemId(given),
    contentIndex: asInteger(given['content_index'], 'content_index', 0, 255),
    audioEndMs: asInteger(given['audio_end_ms'], 'audio_end_ms', 0, MAX_AUDIO_MS),
    ref,
  })
}

function readRespond(given: Json, ref: string | null, context: ParseContext): Parsed {
  return event({
    type: 'respond',
    request: parseResponseRequest(given['response'], context.outputFormat),
    ref,
  })
}

function readCancel(given: Json, ref: string | null): Parsed {
  const id = given['response_id']
  return event({ type: 'cancelResponse', responseId: id == null ? null : asId(id, 'response_id'), ref })
}

/** Ours: how much of a response the client has played. `response_id` and `played_ms` are taken as well. */
function readPlayed(given: Json): Parsed {
  const playedMs = given['playedMs'] ?? given['played_ms']
  return event({
    type: 'played',
    responseId: asId(given['responseId'] ?? given['response_id'], 'responseId'),
    playedMs: asInteger(playedMs, 'playedMs', 0, MAX_AUDIO_MS),
  })
}
