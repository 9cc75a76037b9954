/**
 * One file to be recognised, from its form to the last byte of its text:
 *
 *     form, plan ─► decode ─► pieces ─► run: attempts, text ─► reply ─► settle: record, metrics, experiments
 */
import { randomUUID } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type {} from '../../access/plugin.ts'
import type { HealthView } from '../../attempt/health.ts'
import { firstOf } from '../../attempt/lineup.ts'
import { bytesToMs } from '../../audio/format.ts'
import { isCancelled } from '../../cancel.ts'
import { sseData } from '../../dialect/sse-text.ts'
import { VAD_WINDOW_MS, type Vad } from '../../listen/vad.ts'
import type { Costs } from '../../price/pricing.ts'
import type { SttAdapter } from '../../stage/stt.ts'
import { audioFacts } from '../audio-facts.ts'
import { ByteReply } from '../byte-reply.ts'
import { failFactsOf, Refusal } from '../failure.ts'
import { leavingScope } from '../leaving.ts'
import { originOf } from '../origin.ts'
import { readPreferences } from '../preferences/index.ts'
import { type RecordDeps, RequestRecord } from '../record.ts'
import type { Slots } from '../slots.ts'
import { type StagePlan, type StagePlanDeps, stagePlan } from '../stage-plan.ts'
import { SOUND, SoundError } from './decode.ts'
import { decodeElsewhere } from './decode-elsewhere.ts'
import { readForm } from './form.ts'
import { encodeTranscript, type Transcript } from './formats.ts'
import { CUTTING, cutAtPauses, type Piece } from './pieces.ts'
import { readTranscription, type TranscriptionRequest } from './request.ts'
import { type Recognised, recognised } from './run.ts'
import { textOf } from './segments.ts'
import { speechMap } from './speech-map.ts'

export interface TranscriptionDeps extends StagePlanDeps, RecordDeps {
  readonly health: HealthView
  readonly pricing: Costs
  readonly windows: { readonly firstOutputMs: number; readonly idleMs: number }
  readonly slots: Slots
  readonly vad: Vad
  readonly fileBytes: number
  readonly audioMs: number
}

const WIRE = 'transcription'
/** OpenAI's own least. */
const LEAST_MS = 100
/** A shorter sound of which no times are asked goes to the recogniser as it is. */
const WHOLE_MS = 30_000
/** Where nobody asks for times, a piece is as long as most recognisers like; else as long as may be shown at once. */
const LONG_PIECE_MS = 25_000
const SHORT_PIECE_MS = 10_000

/** Resolves when the answer was sent. Throws what `failFactsOf` turns into an error of OpenAI's shape. */
export async function serveTranscription(
  request: FastifyRequest,
  reply: FastifyReply,
  deps: TranscriptionDeps,
): Promise<unknown> {
  const { clock, health, pricing, windows } = deps
  const at = clock.now()
  const contentType = request.headers['content-type'] ?? ''
  const form = await readForm(request.body as Uint8Array, { contentType, fileBytes: deps.fileBytes })
  const asked = readTranscription(form)
  const id = randomUUID().replaceAll('-', '')
  const { preferences } = readPreferences({}, request.headers)
  const origin = originOf(request, preferences, { wire: WIRE, sessionId: `req_${id}` })
  const { delivery } = asked
  const plan = planFor(
    asked,
    stagePlan('stt', asked.model, deps, ({ turnMs, language: usual }) => {
      const language = asked.language ?? usual
      return audioFacts({
        origin,
        model: asked.model,
        delivery,
        text: null,
        language,
        turnMs,
        health: health.health('stt', language),
        wallMs: clock.wallMs(),
      })
    }),
  )
  const language = asked.language ?? plan.language
  const release = deps.slots.take()
  const scope = leavingScope(reply)
  const { signal } = scope
  let record: RequestRecord | undefined
  let out: ByteReply | undefined
  let outcome: 'said' | 'failed' = 'failed'
  try {
    const { pcm, durationMs } = await soundOf(form.file.bytes, deps, signal)
    const { sessionId } = origin
    const start = {
      id: `turn_${id}`,
      keyId: origin.key?.id ?? null,
      wire: WIRE,
      sessionId,
      plan,
      stage: 'stt',
      at,
    } as const
    const kept = new RequestRecord(start, deps)
    record = kept
    const headers = () => ({
      ...(asked.ignored.length > 0 ? { 'x-parley-ignored': asked.ignored.join(', ') } : {}),
      ...kept.headers(),
    })
    const pieces = await piecesOf(pcm, durationMs, asked, deps.vad, signal)
    const { trace } = kept
    const texts = recognised({
      pcm,
      pieces,
      plan,
      language,
      hints: asked.hints,
      clock,
      health,
      pricing,
      trace,
      signal,
      windows,
    })
    if (delivery === 'stream') {
      const type = { 'content-type': 'text/event-stream; charset=utf-8' }
      out = new ByteReply({
        reply,
        signal,
        clock,
        readerMs: windows.idleMs,
        headers: () => ({ ...type, ...headers() }),
      })
      const all = await stream(texts, out, () => kept.first())
      outcome = 'said'
      const trailer = kept.trailer(kept.settle(outcome))
      out.end(event({ type: 'transcript.text.done', text: textOf(all), ...trailer }))
      return reply
    }
    const all: Recognised[] = []
    for await (const one of texts) all.push(one)
    kept.first()
    outcome = 'said'
    const transcript: Transcript = { pieces: all, durationMs, language }
    const encoded = encodeTranscript(asked, transcript, kept.trailer(kept.settle(outcome)))
    return reply.headers(headers()).type(encoded.contentType).send(encoded.body)
  } catch (error) {
    if (signal.aborted && isCancelled(signal.reason)) {
      // Nobody is left to be told.
      reply.hijack()
      reply.raw.destroy()
      return reply
    }
    if (out?.began && record) return brokenOff(out, record, error, reply)
    if (record) reply.headers(record.headers())
    throw error instanceof SoundError ? new Refusal(error.code, error.message, 'file') : error
  } finally {
    record?.settle(signal.aborted ? 'cancelled' : outcome)
    scope.release()
    release()
  }
}

/** Those who can do what is asked. Throws `Refusal`, or `NoCandidate`. */
function planFor(asked: TranscriptionRequest, plan: StagePlan<SttAdapter>): StagePlan<SttAdapter> {
  firstOf('stt', plan.candidates)
  const { language } = asked
  const primary = language?.toLowerCase().split('-')[0] ?? null
  const speaking = plan.candidates.filter(
    ({ adapter: { caps } }) =>
      primary === null || caps.languages === 'any' || caps.languages.includes(primary),
  )
  if (speaking.length === 0)
    throw new Refusal(
      'unsupported_value',
      `Unsupported value: nobody of this model hears '${language}'.`,
      'language',
    )
  const candidates = asked.times.has('word')
    ? speaking.filter(({ adapter }) => adapter.caps.wordTimes)
    : speaking
  if (candidates.length === 0) {
    const message = "Unsupported value: nobody of this model tells the times of words; 'segment' is there."
    throw new Refusal('unsupported_value', message, 'timestamp_granularities')
  }
  return { ...plan, candidates }
}

/** Throws `Refusal`, or `SoundError`. */
async function soundOf(
  file: Uint8Array,
  { audioMs }: TranscriptionDeps,
  signal: AbortSignal,
): Promise<{ readonly pcm: Uint8Array; readonly durationMs: number }> {
  if (file.length === 0) throw new SoundError('The file is empty.')
  const pcm = await decodeElsewhere(file, audioMs, signal)
  const durationMs = bytesToMs(SOUND, pcm.length)
  if (durationMs < LEAST_MS) throw new SoundError(`The sound is shorter than ${LEAST_MS} ms.`)
  return { pcm, durationMs }
}

async function piecesOf(
  pcm: Uint8Array,
  durationMs: number,
  { format, delivery, cutting }: TranscriptionRequest,
  vad: Vad,
  signal: AbortSignal,
): Promise<readonly Piece[]> {
  const shown = format === 'srt' || format === 'vtt' || format === 'verbose_json' || delivery === 'stream'
  if (!shown && durationMs <= WHOLE_MS) return [{ startMs: 0, endMs: durationMs, speech: 1 }]
  const samples = new Int16Array(pcm.buffer, pcm.byteOffset, pcm.byteLength / 2)
  const speech = await speechMap(samples, vad, signal)
  const maxMs = shown ? SHORT_PIECE_MS : LONG_PIECE_MS
  const pieces = cutAtPauses(speech, VAD_WINDOW_MS, { ...CUTTING, ...cutting, maxMs })
  return pieces.map((piece) => ({ ...piece, endMs: Math.min(piece.endMs, durationMs) }))
}

/** Resolves with all of it. */
async function stream(
  texts: AsyncIterable<Recognised>,
  out: ByteReply,
  onFirst: () => void,
): Promise<Recognised[]> {
  const all: Recognised[] = []
  for await (const one of texts) {
    const before = textOf(all)
    all.push(one)
    if (one.text === '') continue
    onFirst()
    await out.write(
      event({ type: 'transcript.text.delta', delta: before === '' ? one.text : ` ${one.text}` }),
    )
  }
  onFirst()
  return all
}

/** Throws a fault of ours. */
function brokenOff(out: ByteReply, record: RequestRecord, error: unknown, reply: FastifyReply): FastifyReply {
  const facts = failFactsOf(error)
  if (!facts) {
    out.break()
    throw error
  }
  const { message, type, param, code } = facts
  const trailer = record.trailer(record.settle('failed'))
  out.end(event({ type: 'error', error: { message, type, param, code }, ...trailer }))
  return reply
}

function event(body: object): string {
  return sseData(JSON.stringify(body))
}
