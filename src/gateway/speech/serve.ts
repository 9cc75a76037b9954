/**
 * One request to speak, from its body to the last byte of its sound:
 *
 *     read, plan ─► sentences ─► run: attempts, sound ─► encode ─► reply ─► settle: record, metrics, experiments
 */
import { randomUUID } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type {} from '../../access/plugin.ts'
import { AttemptsFailed } from '../../attempt/failure.ts'
import type { HealthView } from '../../attempt/health.ts'
import { firstOf } from '../../attempt/lineup.ts'
import { bytesToMs } from '../../audio/format.ts'
import { isCancelled } from '../../cancel.ts'
import { sseData } from '../../dialect/sse-text.ts'
import type { Costs } from '../../price/pricing.ts'
import { SentenceSplitter } from '../../stage/sentences.ts'
import type { Sentence } from '../../stage/tts.ts'
import { audioFacts } from '../audio-facts.ts'
import { type Body, bodyOf } from '../body.ts'
import { ByteReply } from '../byte-reply.ts'
import { failFactsOf, Refusal } from '../failure.ts'
import { leavingScope } from '../leaving.ts'
import { originOf } from '../origin.ts'
import { readPreferences } from '../preferences/index.ts'
import { type RecordDeps, RequestRecord } from '../record.ts'
import type { Slots } from '../slots.ts'
import { type StagePlanDeps, stagePlan } from '../stage-plan.ts'
import { openEncoder, SPEECH_PCM, type SpeechEncoder } from './encode.ts'
import { readSpeech, type SpeechRequest } from './request.ts'
import { speechOf } from './run.ts'
import { chooseVoice } from './voices.ts'

export interface SpeechDeps extends StagePlanDeps, RecordDeps {
  readonly health: HealthView
  readonly pricing: Costs
  readonly windows: { readonly firstOutputMs: number; readonly idleMs: number }
  readonly slots: Slots
  readonly speechChars: number
}

const WIRE = 'speech'
/** What OpenAI counts of text and of speech, about; voices here are paid by the character. */
const CHARS_PER_TOKEN = 4
const MS_PER_TOKEN = 50

/** Resolves when the answer was sent. Throws what `failFactsOf` turns into an error of OpenAI's shape. */
export async function serveSpeech(
  request: FastifyRequest,
  reply: FastifyReply,
  deps: SpeechDeps,
): Promise<unknown> {
  const { clock, health, pricing, windows } = deps
  const { body } = bodyOf(request.body as Body)
  const asked = readSpeech(body, deps.speechChars)
  const sentences = sentencesOf(asked.input)
  const id = randomUUID().replaceAll('-', '')
  const { preferences } = readPreferences(body, request.headers)
  const origin = originOf(request, preferences, { wire: WIRE, sessionId: `req_${id}` })
  const plan = stagePlan('tts', asked.model, deps, ({ turnMs, language }) =>
    audioFacts({
      origin,
      model: asked.model,
      delivery: 'stream',
      text: asked.input,
      language,
      turnMs,
      health: health.health('tts', language),
      wallMs: clock.wallMs(),
    }),
  )
  const first = firstOf('tts', plan.candidates)
  const release = deps.slots.take()
  const { sessionId } = origin
  const start = {
    id: `turn_${id}`,
    keyId: origin.key?.id ?? null,
    wire: WIRE,
    sessionId,
    plan,
    stage: 'tts',
  } as const
  const record = new RequestRecord(start, deps)
  const scope = leavingScope(reply)
  const voice = chooseVoice(asked.voice, plan)
  const encoder = await openEncoder(asked.format)
  const out = new ByteReply({
    reply,
    signal: scope.signal,
    clock,
    readerMs: windows.idleMs,
    headers: () => ({
      'content-type': asked.delivery === 'sse' ? 'text/event-stream; charset=utf-8' : encoder.contentType,
      ...(asked.ignored.length > 0 ? { 'x-parley-ignored': asked.ignored.join(', ') } : {}),
      ...record.headers(),
    }),
  })
  let outcome: 'said' | 'failed' = 'failed'
  try {
    const { trace } = record
    const { signal } = scope
    const sound = speechOf({
      sentences,
      plan,
      voice,
      speed: asked.speed,
      clock,
      health,
      pricing,
      trace,
      signal,
      windows,
    })
    const write =
      asked.delivery === 'sse' ? (bytes: Uint8Array) => out.write(delta(bytes)) : out.write.bind(out)
    const bytes = await send(sound, encoder, write, () => record.first())
    outcome = 'said'
    const final = record.settle(outcome)
    const usage = usageOf(asked, bytes)
    out.end(
      asked.delivery === 'sse' ? event({ type: 'speech.audio.done', usage, ...record.trailer(final) }) : '',
    )
    return reply
  } catch (error) {
    if (scope.signal.aborted && isCancelled(scope.signal.reason)) {
      // Nobody is left to be told.
      out.break()
      return reply
    }
    if (out.began) return broken(out, asked, record, error, reply)
    reply.headers(record.headers())
    throw voice.kind === 'own id' || voice.of(first) === '' ? refusedVoice(error) : error
  } finally {
    encoder.close()
    record.settle(scope.signal.aborted ? 'cancelled' : outcome)
    scope.release()
    release()
  }
}

/** Resolves with the sound's bytes as it was before its encoding. */
async function send(
  sound: AsyncIterable<Uint8Array>,
  encoder: SpeechEncoder,
  write: (bytes: Uint8Array) => Promise<void>,
  onFirst: () => void,
): Promise<number> {
  let bytes = 0
  for await (const pcm of sound) {
    if (pcm.length === 0) continue
    if (bytes === 0) {
      onFirst()
      await write(encoder.head())
    }
    bytes += pcm.length
    await write(encoder.encode(pcm))
  }
  if (bytes === 0) await write(encoder.head())
  await write(encoder.end())
  return bytes
}

/** After bytes of the answer: events can say so, a file can only break off. Throws a fault of ours. */
function broken(
  out: ByteReply,
  { delivery }: SpeechRequest,
  record: RequestRecord,
  error: unknown,
  reply: FastifyReply,
): FastifyReply {
  const facts = failFactsOf(error)
  if (facts && delivery === 'sse') {
    const { message, type, param, code } = facts
    out.end(
      event({
        type: 'error',
        error: { message, type, param, code },
        ...record.trailer(record.settle('failed')),
      }),
    )
    return reply
  }
  out.break()
  if (!facts) throw error
  return reply
}

/** What will be said; nothing at all cannot be. Throws `Refusal`. */
function sentencesOf(input: string): Sentence[] {
  const splitter = new SentenceSplitter()
  const pieces = [...splitter.push(input), ...splitter.flush()]
  const sentences = pieces
    .filter(({ spoken }) => spoken !== '')
    .map(({ spoken }, index) => ({ index, text: spoken }))
  if (sentences.length > 0) return sentences
  throw new Refusal(
    'invalid_value',
    "Invalid 'input': there is nothing in it that a voice could say.",
    'input',
  )
}

/** Providers say in many ways that they do not have a voice, or want one named; who left that to chance should look there first. */
function refusedVoice(error: unknown): unknown {
  if (!(error instanceof AttemptsFailed) || error.kind !== 'bad_request') return error
  return new Refusal(
    'invalid_value',
    `Invalid 'voice': perhaps none of this provider's (${error.message}).`,
    'voice',
  )
}

function delta(bytes: Uint8Array): string {
  return bytes.length === 0
    ? ''
    : event({ type: 'speech.audio.delta', audio: Buffer.from(bytes).toString('base64') })
}

function event(body: object): string {
  return sseData(JSON.stringify(body))
}

function usageOf({ input }: SpeechRequest, bytes: number): object {
  const inputTokens = Math.ceil(input.length / CHARS_PER_TOKEN)
  const outputTokens = Math.ceil(bytesToMs(SPEECH_PCM, bytes) / MS_PER_TOKEN)
  return { input_tokens: inputTokens, output_tokens: outputTokens, total_tokens: inputTokens + outputTokens }
}
