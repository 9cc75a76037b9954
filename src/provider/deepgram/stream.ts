/** What Deepgram's messages mean for utterances. */
import type { Notice, Protocol, Unanswered } from '../protocol.ts'
import { CLOSE_STREAM, FINALIZE, KEEP_ALIVE, readMessage, reasonOf } from './wire.ts'

/** Frames of any length are taken; longer ones only wait. */
const FRAMING = { minMs: 0, maxMs: 500 }
/** It asks for one every 3 to 5 s and closes after 10. */
const KEEP_ALIVE_MS = 4_000
/** Enough for a session to have begun: without any audio, keep-alives do not count. */
const PRIME_MS = 100
/** An open connection holds one of the project's places, and its time may be paid for: sources do not agree. */
const IDLE_LIMIT_MS = 60_000
/** A little more than the 350 ms within which 99 % of finals come. */
const GRACE_MS = 450
/** `Finalize` may stay without an answer when "no noticeable amount" of audio was left; how much that is, it does not say. */
const UNNOTICEABLE_MS = 500
/** A short utterance of which nothing is known at all: a cough, or a slow day and somebody said yes. */
const NOTHING_MS = 1_800
/** How far before our last byte a result may end that still covers it: it counts in frames of its model. */
const FRAME_SLACK_MS = 100

export function deepgramProtocol(): Protocol {
  return {
    framing: FRAMING,
    force: FINALIZE,
    goodbye: CLOSE_STREAM,
    keepAlive: { message: KEEP_ALIVE, everyMs: KEEP_ALIVE_MS, primeMs: PRIME_MS },
    previews: 'forced',
    idleLimitMs: IDLE_LIMIT_MS,
    graceMs: GRACE_MS,
    unanswered,
    hear,
    closed: reasonOf,
  }
}

function unanswered({ uncoveredMs, waitedMs, hasSettled, hasUnsettled }: Unanswered): 'answer' | 'wait' {
  // What is not settled yet is no little thing: its final comes.
  if (hasUnsettled || uncoveredMs > UNNOTICEABLE_MS) return 'wait'
  return hasSettled || waitedMs >= NOTHING_MS ? 'answer' : 'wait'
}

function hear(json: string): readonly Notice[] {
  const message = readMessage(json)
  if (message.type === 'UtteranceEnd') return [{ type: 'endOfTurn' }]
  if (message.type !== 'Results') return []
  const { startMs, endMs, text, words, confidence, language, isFinal, speechFinal } = message
  const notices: Notice[] = [
    {
      type: 'segment',
      segment: {
        startMs,
        endMs,
        text,
        settled: isFinal,
        ...(isFinal && { words }),
        ...(confidence !== undefined && { confidence }),
        ...(language !== undefined && { language }),
      },
    },
  ]
  if (isFinal) notices.push({ type: 'covered', toMs: endMs + FRAME_SLACK_MS })
  if (speechFinal) notices.push({ type: 'endOfTurn' })
  return notices
}
