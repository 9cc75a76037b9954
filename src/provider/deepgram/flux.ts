/**
 * Deepgram Flux, v2 `listen`: a recogniser that knows turns. Written from the types of `@deepgram/sdk` 5.13.0,
 * https://developers.deepgram.com/docs/flux and reports of others (evidence: S, P). The SDK checks our double. Not yet run
 * with real keys.
 *
 * `ForceEndTurn` is not enabled for everybody, and where it is not the session ends. So a turn of ours is ended by silence:
 * its timers run on audio time.
 */
import { ALAW_8K, MULAW_8K, PCM16_16K, PCM16_24K } from '../../audio/format.ts'
import type { SttAdapter } from '../../stage/stt.ts'
import type { CloudEndpoint } from '../endpoint.ts'
import { openRecognition } from '../open-recognition.ts'
import type { Notice, Protocol, Unanswered } from '../protocol.ts'
import { fluxRules } from './flux-turns.ts'
import { type FluxMessage, fluxError, fluxUrl, readFlux } from './flux-wire.ts'
import { CLOSE_STREAM, reasonOf } from './wire.ts'

/** https://developers.deepgram.com/docs/flux: 80 ms are recommended. How fast a replay may go is not said: a guess. */
const FRAMING = { minMs: 80, maxMs: 480, pace: { speed: 2, burstMs: 1_000 } }
/** Its time-out of 500 ms, and an update more. */
const FORCE = { silenceMs: 750 }
/** It has no keep-alive, and connections without audio were seen to end after 20 s. */
const KEEP_ALIVE = { message: { silenceMs: 80 }, everyMs: 4_000 }
const IDLE_LIMIT_MS = 60_000
const GRACE_MS = 450
/** Between two updates. What it has heard of the last such stretch may still become a word. */
const UPDATE_MS = 250
/** After words that are settled, what it does not react to was a pause, if it was no longer than this. */
const PAUSE_MS = 1_000
/** A short utterance of which nothing is known at all. */
const NOTHING_MS = 1_800
const FRAME_SLACK_MS = 100

export function fluxAdapter({ name, connect, baseUrl, apiKey }: CloudEndpoint, model: string): SttAdapter {
  return {
    id: `${name}/${model}`,
    caps: {
      languages:
        model === 'flux-general-en' ? ['en'] : ['en', 'es', 'fr', 'de', 'hi', 'ru', 'pt', 'ja', 'it', 'nl'],
      inputs: [PCM16_16K, MULAW_8K, PCM16_24K, ALAW_8K],
      feed: 'speech',
      endOfTurn: 'model',
      eager: true,
      wordTimes: true,
      forceFinal: true,
      maxReplaySpeed: FRAMING.pace.speed,
    },
    open: ({ format, language, hints = [], signal, clock, ownTurns }) =>
      openRecognition({
        provider: name,
        protocol: fluxProtocol(ownTurns ? 'own' : 'ours'),
        connect,
        url: fluxUrl(baseUrl, { model, format, language, hints, turns: fluxRules(ownTurns) }),
        headers: { authorization: `Token ${apiKey}` },
        format,
        signal,
        clock,
        greeting: 'awaited',
      }),
  }
}

/** One for each stream: it remembers which turns have ended, and how far it has heard. */
export function fluxProtocol(turns: 'ours' | 'own'): Protocol {
  let ended = -1
  let heardMs = 0
  return {
    framing: FRAMING,
    force: FORCE,
    goodbye: CLOSE_STREAM,
    keepAlive: KEEP_ALIVE,
    previews: turns === 'own' ? 'unasked' : 'forced',
    idleLimitMs: IDLE_LIMIT_MS,
    graceMs: GRACE_MS,
    unanswered: (question) => unanswered(question, turns, heardMs),
    hear(json) {
      const message = readFlux(json)
      switch (message.type) {
        case 'Connected':
          return [{ type: 'ready' }]
        case 'Error':
          return [{ type: 'failed', ...fluxError(message.code) }]
        case 'TurnInfo':
          if (message.turn <= ended) return []
          if (message.event === 'EndOfTurn') ended = message.turn
          heardMs = Math.max(heardMs, message.endMs)
          return turnOf(message)
        default:
          return []
      }
    },
    closed: reasonOf,
  }
}

/** A turn of its own may stay open after ours: then what it said of audio that it has heard for long enough is all. */
function unanswered(question: Unanswered, turns: 'ours' | 'own', heardMs: number): 'answer' | 'wait' {
  const { atMs, uncoveredMs, waitedMs, hasSettled, hasUnsettled } = question
  if (hasUnsettled) return turns === 'own' && heardMs >= atMs + UPDATE_MS ? 'answer' : 'wait'
  // It tells how far it has heard, words or none; of a long stretch it does not, it is late.
  if (uncoveredMs > PAUSE_MS) return 'wait'
  return hasSettled || waitedMs >= NOTHING_MS ? 'answer' : 'wait'
}

function turnOf(message: FluxMessage & { type: 'TurnInfo' }): Notice[] {
  const { event, text, words, confidence, language } = message
  const [first, last] = [words[0], words.at(-1)]
  const startMs = first?.startMs ?? message.startMs
  const endMs = last?.endMs ?? message.endMs
  const settled = event === 'EndOfTurn'
  if (text === '') return [{ type: 'covered', toMs: message.endMs - UPDATE_MS }]
  const notices: Notice[] = [
    {
      type: 'segment',
      segment: {
        startMs,
        endMs,
        text,
        settled,
        ...(words.length > 0 && { words }),
        ...(confidence !== undefined && { confidence }),
        ...(language !== undefined && { language }),
      },
    },
  ]
  if (event === 'EagerEndOfTurn') notices.push({ type: 'eagerEnd' })
  if (event === 'TurnResumed') notices.push({ type: 'resumed' })
  if (settled) {
    notices.push({ type: 'covered', toMs: message.endMs + FRAME_SLACK_MS })
    notices.push({ type: 'endOfTurn', middleMs: (startMs + endMs) / 2 })
  }
  return notices
}
