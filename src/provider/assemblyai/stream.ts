/** What AssemblyAI's messages mean for utterances. */
import type { Clock } from '../../clock.ts'
import type { Notice, Protocol, Unanswered } from '../protocol.ts'
import {
  type AssemblyAiMessage,
  FORCE_ENDPOINT,
  KEEP_ALIVE,
  readMessage,
  reasonOf,
  TERMINATE,
} from './wire.ts'

/**
 * A frame of less than 50 ms or more than 1,000 ms ends the session. Audio "at approximately real time": how much
 * faster it takes is not said, so that a replay goes at twice that after a second in advance.
 */
const FRAMING = { minMs: 50, maxMs: 500, pace: { speed: 2, burstMs: 1_000 } }
export const REPLAY_SPEED = FRAMING.pace.speed
/** No time-out of its own is set; this is for what lies between. */
const KEEP_ALIVE_MS = 10_000
/** Every open second is paid for: https://www.assemblyai.com/docs/faq/how-does-universal-streaming-session-based-pricing-work */
const IDLE_LIMIT_MS = 60_000
/** A little more than the 420 ms within which 99 % of finals come. */
const GRACE_MS = 450
/** After words that are settled, what it does not react to was a pause, if it was no longer than this. */
const PAUSE_MS = 1_000
/** Heartbeats say that it heard everything, and no word came of it. */
const NOISE_MS = 1_350
const VOICE_NOISE_MS = 4_500
const IS_SPEECH = 0.5
/** Heartbeats remembered: they come about once a second, an utterance may be as long as the ring of audio. */
const BEATS = 40

/** One for each stream: it remembers which turns have ended. `turns`: whose they are to end. */
export function assemblyAiProtocol(clock: Clock, turns: 'ours' | 'own'): Protocol {
  let ended = -1
  let beats: Beat[] = []
  return {
    framing: FRAMING,
    force: FORCE_ENDPOINT,
    goodbye: TERMINATE,
    keepAlive: { message: KEEP_ALIVE, everyMs: KEEP_ALIVE_MS },
    previews: turns === 'own' ? 'unasked' : 'forced',
    idleLimitMs: IDLE_LIMIT_MS,
    graceMs: GRACE_MS,
    unanswered: (question) => unanswered(question, beats),
    hear(json) {
      const message = readMessage(json)
      switch (message.type) {
        case 'Begin':
          return begin(message, clock)
        case 'Error':
          return [{ type: 'failed', ...reasonOf(message.code) }]
        case 'Turn': {
          // The end comes twice when turns are formatted.
          if (message.order <= ended) return []
          if (message.endOfTurn) ended = message.order
          return turn(message, turns)
        }
        case 'Heartbeat':
          beats = [...beats.slice(1 - BEATS), message]
          return []
        default:
          return []
      }
    },
    closed: ({ code, reason }) => reasonOf(code, reason),
  }
}

type Beat = AssemblyAiMessage & { type: 'Heartbeat' }

/** Where no turn has begun, none ends, and nothing comes. Heartbeats tell that from a session that died. */
function unanswered(question: Unanswered, beats: readonly Beat[]): 'answer' | 'wait' {
  const { atMs, uncoveredMs, waitedMs, hasSettled, hasUnsettled } = question
  if (hasUnsettled) return 'wait'
  if (hasSettled && uncoveredMs <= PAUSE_MS) return 'answer'
  const gotAll = beats.some(({ receivedMs }) => receivedMs >= Math.floor(atMs))
  const spoken = beats.some((beat) => beat.receivedMs > atMs - uncoveredMs && beat.speech >= IS_SPEECH)
  return gotAll && waitedMs >= (spoken ? VOICE_NOISE_MS : NOISE_MS) ? 'answer' : 'wait'
}

function begin({ expiresAtMs }: AssemblyAiMessage & { type: 'Begin' }, clock: Clock): Notice[] {
  const ready: Notice = { type: 'ready' }
  return expiresAtMs === undefined
    ? [ready]
    : [ready, { type: 'expires', inMs: expiresAtMs - clock.wallMs() }]
}

function turn(message: AssemblyAiMessage & { type: 'Turn' }, turns: 'ours' | 'own'): Notice[] {
  const { text, words, stable, endOfTurn, confidence, language } = message
  const [first, last] = [words[0], words.at(-1)]
  const notices: Notice[] = []
  if (first && last) {
    notices.push({
      type: 'segment',
      segment: {
        startMs: first.startMs,
        endMs: last.endMs,
        text,
        stable,
        settled: endOfTurn,
        ...(endOfTurn && { words }),
        ...(confidence !== undefined && { confidence }),
        ...(language !== undefined && { language }),
      },
    })
  }
  // "This enables eager LLM inference": the turn may end here, or go on with the next word.
  if (turns === 'own' && !endOfTurn && message.pausedAfter !== '') notices.push({ type: 'eagerEnd' })
  if (endOfTurn) {
    notices.push({
      type: 'forced',
      ...(first && last && { middleMs: (first.startMs + last.endMs) / 2 }),
    })
  }
  return notices
}
