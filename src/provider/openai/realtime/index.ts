/**
 * Recognition in OpenAI's realtime transcription sessions, and those of any server that has them (`stt: realtime`). Written from
 * the types of the `openai` package 7.57, https://developers.openai.com/api/docs/guides/realtime-transcription, read on
 * 2026-11-25, and adapters that others ship (evidence: S, P); a session's length, the pace of replays and that words before a commit
 * bear its item's id are guesses. The SDK checks our double, and our own server speaks the protocol. Not yet run with real keys.
 *
 * Its own ends of turns are not asked for: the words of a turn come only after them, too late to say what was judged.
 */
import { ALAW_8K, type AudioFormat, MULAW_8K, PCM16_24K, sameFormat } from '../../../audio/format.ts'
import type { Clock } from '../../../clock.ts'
import { ProviderError } from '../../../errors.ts'
import type { SttAdapter } from '../../../stage/stt.ts'
import { openRecognition } from '../../open-recognition.ts'
import type { Notice, Protocol } from '../../protocol.ts'
import { Stretches } from '../../stretches.ts'
import type { RealtimeEndpoint } from './endpoint.ts'
import { TranscriptionItems } from './items.ts'
import { append, COMMIT, COMMIT_EMPTY, readTranscription, sessionUpdate, transcriptionError } from './wire.ts'

const INPUTS: readonly AudioFormat[] = [PCM16_24K, MULAW_8K, ALAW_8K]
/** One message for some frames: each is a text of a third more than its audio. */
const FRAMING = { minMs: 60, maxMs: 1_000, envelope: append }
/** "Expected at least 100ms of audio", it says to less. */
const COMMIT_LEAST_MS = 100
const IDLE_LIMIT_MS = 60_000
const GRACE_MS = 450
/** What the session does not say itself: https://developers.openai.com/api/docs/guides/realtime-conversations has 60 minutes. */
const SESSION_LIMIT_MS = 60 * 60_000
const REPLAY_SPEED = 10

/** OpenAI's own that recognise; speakers are not told apart. */
const RECOGNISERS = /^(?!.*diarize).*(transcribe|whisper)/

export function realtimeRecogniser(endpoint: RealtimeEndpoint, model: string): SttAdapter | undefined {
  const { name, url, headers, connect, isOpenAi } = endpoint
  if (isOpenAi && !RECOGNISERS.test(model)) return undefined
  return {
    id: `${name}/${model}`,
    caps: {
      languages: 'any',
      findsLanguages: 'any',
      inputs: INPUTS,
      feed: 'speech',
      endOfTurn: 'none',
      eager: false,
      wordTimes: false,
      forceFinal: true,
      maxReplaySpeed: REPLAY_SPEED,
      sessionLimitMs: SESSION_LIMIT_MS,
    },
    async open({ format, language, hints = [], signal, clock }) {
      if (!INPUTS.some((input) => sameFormat(input, format))) {
        const message = `a realtime session takes no ${format.encoding} at ${format.sampleRateHz} Hz`
        throw new ProviderError({ provider: name, stage: 'stt', kind: 'bad_request', message })
      }
      const hello = sessionUpdate({ model, format, language, hints })
      return openRecognition({
        provider: name,
        protocol: realtimeProtocol(hello, clock),
        connect,
        url,
        headers,
        format,
        signal,
        clock,
        greeting: 'awaited',
      })
    },
  }
}

/** One for each stream: it remembers what was committed. */
export function realtimeProtocol(hello: string, clock: Clock): Protocol {
  const stretches = new Stretches()
  const items = new TranscriptionItems()

  function partial(): Notice[] {
    const { fromMs, toMs } = stretches.current
    const { text } = items
    if (text === '') return []
    return [{ type: 'segment', segment: { startMs: fromMs, endMs: toMs, text, settled: false } }]
  }

  function settle(): Notice[] {
    const notices: Notice[] = []
    for (const { text, language } of items.take()) {
      const { fromMs, toMs, answers } = stretches.end()
      const more = language === undefined ? {} : { language }
      const segment = { startMs: fromMs, endMs: toMs, text, settled: true, ...more }
      notices.push({ type: 'segment', segment })
      if (answers) notices.push({ type: 'covered', toMs })
    }
    return [...notices, ...partial()]
  }

  return {
    framing: FRAMING,
    hello,
    force: COMMIT,
    forceLeastMs: COMMIT_LEAST_MS,
    forceSent: (atMs) => stretches.ask(atMs),
    silent: (fromMs, toMs) => stretches.silent(fromMs, toMs),
    previews: 'forced',
    idleLimitMs: IDLE_LIMIT_MS,
    sessionLimitMs: SESSION_LIMIT_MS,
    graceMs: GRACE_MS,
    // Each commit is answered, if only by an error.
    unanswered: () => 'wait',
    hear(json) {
      const message = readTranscription(json)
      switch (message.type) {
        case 'created':
        case 'updated': {
          const ready: Notice[] = message.type === 'updated' ? [{ type: 'ready' }] : []
          if (message.expiresAtMs === undefined) return ready
          return [{ type: 'expires', inMs: message.expiresAtMs - clock.wallMs() }, ...ready]
        }
        case 'committed':
          items.commit(message.item)
          return []
        case 'delta':
          return items.add(message.item, message.text) ? partial() : []
        case 'completed':
          items.complete(message.item, message)
          return settle()
        case 'failed':
          return [{ type: 'failed', kind: 'transient', message: 'OpenAI could not recognise the audio' }]
        case 'error': {
          const { kind, code } = message
          if (code !== COMMIT_EMPTY) return [{ type: 'failed', ...transcriptionError(kind, code) }]
          items.commitNothing()
          return settle()
        }
        default:
          return []
      }
    },
    closed: ({ code }) => ({ kind: 'transient', message: `OpenAI closed the connection (${code})` }),
  }
}
