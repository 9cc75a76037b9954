/**
 * Recognition by any server with OpenAI's `/v1/audio/transcriptions`: whisper.cpp, speaches, vLLM, Groq, OpenAI's own. It takes
 * files and knows no streams, so a pause is when it is asked: at `preview` and at `finalize`, with the utterance so far; what
 * is longer than 20 s is cut at its quietest place and its beginning sent ahead. No partials while somebody speaks: each is
 * a request about everything said so far, paid for by the minute (at Groq ten seconds at least), or a run over Whisper's whole
 * window of 30 s, however short the audio, which a server on this machine has not done when the final is asked for.
 *
 * Written from https://developers.openai.com/api/docs/guides/speech-to-text and the types of the `openai` package 7.57, read on
 * 2026-11-25 (evidence: S), and what the servers' projects say of their answers (P). The SDK checks our double. Not yet run
 * with real keys.
 */
import { randomUUID } from 'node:crypto'
import { PCM16_16K, sameFormat } from '../../../audio/format.ts'
import { openScope } from '../../../cancel.ts'
import type { Clock } from '../../../clock.ts'
import { StreamFault } from '../../../dialect/faults.ts'
import { errorOfStatus } from '../../../dialect/openai-error.ts'
import { ProviderError } from '../../../errors.ts'
import type { SttAdapter } from '../../../stage/stt.ts'
import { asProviderError, failure, type HttpPost, type HttpTarget, post } from '../../http-exchange.ts'
import { textOf } from '../../http-whole.ts'
import { getReady } from '../../ready-agent.ts'
import { WholeStream } from '../../whole-stream.ts'
import type { Cutting, Heard } from '../../whole-utterance.ts'
import { Transcriber } from './stream.ts'
import {
  formOf,
  isRecogniser,
  isVerbose,
  type Question,
  readTranscription,
  SAMPLE_RATE_HZ,
  type Style,
} from './wire.ts'

export type Transcriptions = Pick<HttpPost, 'provider' | 'dispatcher' | 'secrets'> & {
  /** Its `content-type` is not looked at. */
  readonly target: (model: string) => HttpTarget
  /** Which names are recognisers: all, or those that say so. */
  readonly models: 'any' | 'recognisers'
}

/** The session's own longest wait, and some more for what is sent ahead. */
const ANSWER_LIMIT_MS = 15_000

/** Half of Whisper's window at least, so that a piece makes sense by itself; the last piece is what the final waits for. */
const CUTTING: Cutting = {
  longest: 20 * SAMPLE_RATE_HZ,
  cutFrom: 10 * SAMPLE_RATE_HZ,
  partialEvery: Number.POSITIVE_INFINITY,
  previews: 'once',
}

/** Recognisers by the model's name; undefined where it is none. */
export function transcriptions(options: Transcriptions): (model: string) => SttAdapter | undefined {
  const { provider, models, target: targetOf } = options
  /** Models that were refused what is not plain, and then served. */
  const plain = new Set<string>()
  const styleOf = (model: string): Style => (isVerbose(model) && !plain.has(model) ? 'verbose_json' : 'json')
  const call = { ...options, stage: 'stt', codec: { errorOf: errorOfStatus } } as const

  const recogniser = (model: string): SttAdapter => ({
    id: `${provider}/${model}`,
    caps: {
      languages: 'any',
      findsLanguages: 'any',
      inputs: [PCM16_16K],
      feed: 'speech',
      endOfTurn: 'none',
      eager: false,
      wordTimes: isVerbose(model),
      forceFinal: true,
      // A file may be sent as fast as it can be read.
      maxReplaySpeed: 100,
    },
    open: async ({ format, language, hints = [], signal, clock }) => {
      signal.throwIfAborted()
      if (!sameFormat(format, PCM16_16K)) throw failure(call, 'bad_request', 'it is sent PCM of 16 kHz only')
      const target = targetOf(model)
      const ask = (style: Style, audio: Int16Array, asking: AbortSignal) =>
        transcribe({ ...call, target, clock }, { model, style, language, hints }, audio, asking)
      const ready = () => getReady(options.dispatcher, target.origin, 'stt')
      const engine = new Transcriber(async (audio, asking) => {
        const style = styleOf(model)
        // It must outlive the refusal.
        const kept = style === 'json' ? audio : audio.slice()
        try {
          return await ask(style, kept, asking)
        } catch (error) {
          if (style === 'json' || !isRefusal(error)) throw error
          const heard = await ask('json', kept, asking)
          plain.add(model)
          return heard
        }
      }, ready)
      return new WholeStream(engine, signal, { provider, cutting: CUTTING })
    },
  })
  return (model) => (models === 'any' || isRecogniser(model) ? recogniser(model) : undefined)
}

/** Of the request as such, not of who asks or how often. */
function isRefusal(error: unknown): boolean {
  return error instanceof ProviderError && error.kind === 'bad_request'
}

/** Throws `ProviderError`, or the signal's reason. */
async function transcribe(
  call: HttpPost & { readonly target: HttpTarget; readonly clock: Clock },
  question: Question,
  audio: Int16Array,
  signal: AbortSignal,
): Promise<Heard> {
  signal.throwIfAborted()
  const scope = openScope(signal)
  let isLate = false
  const timer = call.clock.setTimer(ANSWER_LIMIT_MS, () => {
    isLate = true
    scope.cancel('deadline')
  })
  try {
    const boundary = `parley-${randomUUID()}`
    const body = formOf(question, audio, boundary)
    const answer = await post(call, asForm(call.target, boundary), body, scope.signal)
    return readTranscription(parsed(await textOf(answer.body)))
  } catch (error) {
    scope.cancel('done')
    signal.throwIfAborted()
    if (isLate) throw failure(call, 'timeout', `no answer within ${ANSWER_LIMIT_MS} ms`)
    throw asProviderError(call, error)
  } finally {
    timer.cancel()
    scope.release()
  }
}

function asForm({ headers, ...target }: HttpTarget, boundary: string): HttpTarget {
  const others = Object.entries(headers).filter(([name]) => name.toLowerCase() !== 'content-type')
  const type = { 'content-type': `multipart/form-data; boundary=${boundary}` }
  return { ...target, headers: { ...Object.fromEntries(others), ...type } }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new StreamFault('transient', 'the answer is malformed JSON')
  }
}
