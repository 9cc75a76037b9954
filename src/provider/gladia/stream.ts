/**
 * What Gladia's messages mean for utterances. It cannot be made to answer: it settles an utterance of its after a tenth of a second
 * of silence, so silence is what it is sent. It says when speech begins, and of each such beginning it settles the words.
 */
import type { Notice, Protocol, Unanswered } from '../protocol.ts'
import { closedBy, ENDPOINTING_MS, type GladiaMessage, readMessage, STOP_RECORDING } from './wire.ts'

/** Frames of any length are taken. How fast a replay may go is not said: a guess. */
const FRAMING = { minMs: 0, maxMs: 500, pace: { speed: 2, burstMs: 1_000 } }
export const REPLAY_SPEED = FRAMING.pace.speed
/** From the beginning of speech to its being told, in audio. A guess. */
const EAR_MS = 300
/** Its own silence, and what its ear needs to be sure. */
export const FORCE_MS = ENDPOINTING_MS + EAR_MS
/** Others found the connection cut after 30 s without audio: https://github.com/pipecat-ai/pipecat/pull/1643 */
const KEEP_ALIVE = { message: { silenceMs: 100 }, everyMs: 15_000 }
const IDLE_LIMIT_MS = 60_000
const GRACE_MS = 450
/** So far behind settled words there is nothing, unless it said that somebody speaks there. */
const QUIET_MS = 1_000
/** A little more than the 1.49 s within which 99 % of finals come. */
const LATE_MS = 1_800
/** Speech no longer than this, all together, of which no word comes. */
const COUGH_MS = 500
/** It heard somebody speak, or was sent much, and no word came: a noise, or it is late. */
const LONG_NOTHING_MS = 4_500

/** Speech of which nothing was settled yet. */
interface Speech {
  readonly fromMs: number
  /** Infinite while it lasts. */
  readonly toMs: number
}
/** Noises, all of them: what is spoken is settled. */
const SPEECHES = 32

/** One for each stream: it remembers where somebody spoke. */
export function gladiaProtocol(): Protocol {
  let begun: Speech[] = []
  let takenMs = 0
  let settledMs: number | undefined

  function begin(fromMs: number): void {
    begun = [...begun.slice(1 - SPEECHES), { fromMs, toMs: Number.POSITIVE_INFINITY }]
  }

  /** After what is settled there is nothing for a while, as far as its ear has come, and up to where it heard speech begin. */
  function covered(): Notice[] {
    if (settledMs === undefined) return []
    const quietMs = Math.min(settledMs + QUIET_MS, takenMs - EAR_MS)
    return [
      {
        type: 'covered',
        toMs: Math.min(begun[0]?.fromMs ?? Number.POSITIVE_INFINITY, Math.max(settledMs, quietMs)),
      },
    ]
  }

  function transcript(message: GladiaMessage & { type: 'transcript' }): Notice[] {
    const { startMs, endMs, text, settled, words, confidence, language } = message
    const segment = {
      startMs,
      endMs,
      text,
      settled,
      ...(settled && words.length > 0 && { words }),
      ...(settled && confidence !== undefined && { confidence }),
      ...(language !== undefined && { language }),
    }
    if (!settled) {
      // Its beginning was not told.
      if (!begun.some(({ fromMs }) => fromMs <= endMs)) begin(startMs)
      return [{ type: 'segment', segment }]
    }
    begun = begun.filter(({ fromMs }) => fromMs > endMs)
    settledMs = Math.max(settledMs ?? 0, endMs)
    return [{ type: 'segment', segment }, ...covered()]
  }

  return {
    framing: FRAMING,
    force: { silenceMs: FORCE_MS },
    goodbye: STOP_RECORDING,
    keepAlive: KEEP_ALIVE,
    previews: 'forced',
    idleLimitMs: IDLE_LIMIT_MS,
    graceMs: GRACE_MS,
    unanswered: (question) => unanswered(question, begun, takenMs),
    hear(json) {
      const message = readMessage(json)
      switch (message.type) {
        case 'transcript':
          return transcript(message)
        case 'speechStart':
          begin(message.atMs)
          return []
        case 'speechEnd':
          begun = begun.map((one) => ({
            ...one,
            toMs: Math.min(one.toMs, Math.max(one.fromMs, message.atMs)),
          }))
          return []
        case 'taken':
          takenMs = Math.max(takenMs, message.toMs)
          return covered()
        case 'failed':
          return [{ type: 'failed', kind: 'transient', message: 'Gladia reported an error' }]
        default:
          return []
      }
    },
    closed: closedBy,
  }
}

function unanswered(question: Unanswered, begun: readonly Speech[], takenMs: number): 'answer' | 'wait' {
  const { atMs, uncoveredMs, waitedMs, hasSettled, hasUnsettled } = question
  if (hasUnsettled || takenMs < Math.floor(atMs)) return 'wait'
  const spokeMs = begun.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0)
  if (spokeMs > COUGH_MS || uncoveredMs > QUIET_MS) return waitedMs >= LONG_NOTHING_MS ? 'answer' : 'wait'
  const isSilent = begun.length === 0
  return (isSilent && hasSettled) || waitedMs >= LATE_MS ? 'answer' : 'wait'
}
