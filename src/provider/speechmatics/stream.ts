/** What Speechmatics' messages mean for utterances. */
import type { Notice, Protocol, Unanswered } from '../protocol.ts'
import {
  closedBy,
  endMessage,
  errorOf,
  forceMessage,
  readMessage,
  type Start,
  startMessage,
  type Transcript,
} from './wire.ts'

/**
 * Frames of any length are taken. How much faster than real time is not said: a replay goes at twice that after a second in
 * advance.
 */
const FRAMING = { minMs: 0, maxMs: 500, pace: { speed: 2, burstMs: 1_000 } }
export const REPLAY_SPEED = FRAMING.pace.speed
/** An open session holds one of 20 places (a paid plan). It asks for audio or pings within three minutes: by then we are gone. */
const IDLE_LIMIT_MS = 60_000
const GRACE_MS = 450
/** After words that are settled, the rest of the silence in which a preview was asked for: nobody waits long for that. */
const BREATH_MS = 500
/** After words that are settled, what it does not react to was a pause, if it was no longer than this. */
const PAUSE_MS = 1_000
/** A little more than the 740 ms within which 99 % of finals come. */
const PAUSE_GRACE_MS = 900
/** Partials come in half a second: where none came of a short noise, it heard no word. Of a longer one it may be late. */
const NOTHING_MS = 1_600
const LONG_NOTHING_MS = 4_500

/** One for each stream: it remembers what was heard since the last end. Undefined when it does not take the format. */
export function speechmaticsProtocol(start: Start): Protocol | undefined {
  const hello = startMessage(start)
  if (hello === undefined) return undefined
  let spacing = ' '
  let framesTaken = 0
  /** The last words since the last end: what that is about. */
  let lastMiddleMs: number | undefined

  function ended(): Notice[] {
    const middleMs = lastMiddleMs
    lastMiddleMs = undefined
    return [{ type: 'forced', ...(middleMs !== undefined && { middleMs }) }]
  }

  return {
    framing: FRAMING,
    hello,
    force: forceMessage,
    goodbye: endMessage,
    previews: 'forced',
    idleLimitMs: IDLE_LIMIT_MS,
    graceMs: GRACE_MS,
    unanswered: (question) => unanswered(question, framesTaken),
    hear(json) {
      const message = readMessage(json, spacing)
      switch (message.type) {
        case 'started':
          spacing = message.spacing
          return [{ type: 'ready' }]
        case 'added':
          framesTaken = Math.max(framesTaken, message.frame)
          return []
        case 'transcript': {
          const { heard, settled } = message
          if (settled && heard.words.length > 0) lastMiddleMs = middleOf(heard)
          return segmentOf(heard, settled)
        }
        case 'ended':
          return ended()
        case 'failed':
          return [{ type: 'failed', ...errorOf(message.name) }]
        default:
          return []
      }
    },
    closed: closedBy,
  }
}

/** Where nobody spoke, no utterance ends, and nothing comes. That it took all audio tells that from a session that died. */
function unanswered(question: Unanswered, framesTaken: number): 'answer' | 'wait' {
  const { uncoveredMs, waitedMs, hasSettled, hasUnsettled, framesSent } = question
  if (hasUnsettled || framesTaken < framesSent) return 'wait'
  if (uncoveredMs > PAUSE_MS) return waitedMs >= LONG_NOTHING_MS ? 'answer' : 'wait'
  const leastMs = !hasSettled ? NOTHING_MS : uncoveredMs > BREATH_MS ? PAUSE_GRACE_MS : GRACE_MS
  return waitedMs >= leastMs ? 'answer' : 'wait'
}

function middleOf({ startMs, endMs }: Transcript): number {
  return (startMs + endMs) / 2
}

function segmentOf(heard: Transcript, settled: boolean): Notice[] {
  const { startMs, endMs, text, joined, words, confidence, language } = heard
  // A final of nothing says nothing; a partial of nothing takes back the one before, but where it lay is not known.
  if (text === '' && settled) return []
  return [
    {
      type: 'segment',
      segment: {
        startMs,
        endMs,
        text,
        settled,
        ...(joined && { joined }),
        ...(settled && { words }),
        ...(settled && confidence !== undefined && { confidence }),
        ...(language !== undefined && { language }),
      },
    },
  ]
}
