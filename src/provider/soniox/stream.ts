/** What Soniox's messages mean for utterances. */
import type { Notice, Protocol } from '../protocol.ts'
import type { Segment } from '../utterances.ts'
import { END_OF_AUDIO, errorOf, FINALIZE, KEEP_ALIVE, type Mark, readMessage, type Token } from './wire.ts'
import { segmentOf } from './words.ts'

/**
 * Frames of any length are taken. Audio "at real-time or near real-time speed": how much faster it takes is not said, so that a
 * replay goes at twice that after a second in advance.
 */
const FRAMING = { minMs: 0, maxMs: 500, pace: { speed: 2, burstMs: 1_000 } }
export const REPLAY_SPEED = FRAMING.pace.speed
/** One at least every 20 s; "every 5–10 s is common". */
const KEEP_ALIVE_MS = 8_000
/** The stream is paid for as long as it lasts, silent or not. */
const IDLE_LIMIT_MS = 60_000
/** A little more than the 350 ms within which 99 % of finals come. */
const GRACE_MS = 450
/** "This limit is fixed and cannot be increased." */
export const SESSION_LIMIT_MS = 300 * 60_000
/** So many tokens of an utterance that nobody ends are one segment; the next begins. */
const HELD_TOKENS = 2_000
/** A message that comes twice is looked for among so many. */
const REPEATED_TOKENS = 64

/** One for each stream: it gathers what was settled since the last mark. `turns`: whose they are to end. */
export function sonioxProtocol(hello: string, turns: 'ours' | 'own'): Protocol {
  let held: Token[] = []
  let shown: Segment | undefined

  function hold(tokens: readonly Token[]): void {
    const last = held.slice(-REPEATED_TOKENS)
    held.push(...tokens.filter((token) => !last.some((one) => isSame(one, token))))
  }

  /** Words that were only guessed may come to nothing. */
  function show(segment: Segment | undefined): Notice[] {
    const empty: Segment | undefined = shown && { ...shown, text: '', settled: true }
    shown = segment?.settled ? undefined : segment
    const told = segment ?? empty
    return told ? [{ type: 'segment', segment: told }] : []
  }

  function settle(): Notice[] {
    const segment = segmentOf(held, [])
    held = []
    return show(segment && { ...segment, settled: true })
  }

  function marked({ mark }: Mark): Notice[] {
    const [first, last] = [held[0], held.at(-1)]
    const notices = settle()
    if (mark === 'finalized') return [...notices, { type: 'forced' }]
    if (!first || !last) return notices
    return [...notices, { type: 'endOfTurn', middleMs: (first.startMs + last.endMs) / 2 }]
  }

  return {
    framing: FRAMING,
    hello,
    force: FINALIZE,
    goodbye: END_OF_AUDIO,
    keepAlive: { message: KEEP_ALIVE, everyMs: KEEP_ALIVE_MS },
    previews: turns === 'own' ? 'unasked' : 'forced',
    idleLimitMs: IDLE_LIMIT_MS,
    sessionLimitMs: SESSION_LIMIT_MS,
    graceMs: GRACE_MS,
    // Each `finalize` has its `<fin>`, words or none.
    unanswered: () => 'wait',
    hear(json) {
      const message = readMessage(json)
      if (message.type === 'error') return [{ type: 'failed', ...errorOf(message.code, message.name) }]
      if (message.type === 'finished') return []
      const { settled, unsettled, marks } = message
      const notices: Notice[] = []
      let taken = 0
      for (const mark of marks) {
        hold(settled.slice(taken, mark.after))
        taken = mark.after
        notices.push(...marked(mark))
      }
      hold(settled.slice(taken))
      notices.push(...show(segmentOf(held, unsettled)))
      if (held.length > HELD_TOKENS) notices.push(...settle())
      return notices
    },
    closed: ({ code }) => ({ kind: 'transient', message: `Soniox closed the connection (${code})` }),
  }
}

function isSame(a: Token, b: Token): boolean {
  return a.startMs === b.startMs && a.endMs === b.endMs && a.text === b.text
}
