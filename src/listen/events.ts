/**
 * What the ear tells the session about one caller's audio.
 *
 *     speechStarted ─► speechConfirmed? ─► (speechPaused ─► speechResumed)* ─► speechPaused? ─► speechEnded
 *                                └────────────► speechDropped at any point ◄────────────┘
 *
 * Two kinds of time. `…Ms` are audio times: milliseconds of samples written to the ear since it opened, whatever
 * the wall clock did. `at` and `endAt` are clock times (`Clock.now()`): when the sample meant had arrived.
 * `at` is the arrival of the sample that decided the event, not the moment inference came back, so that what
 * the server adds can be measured from it and a replay gives the same numbers.
 */
import type { EndedBy } from './end-of-turn.ts'

export type EarEvent =
  | {
      readonly type: 'speechStarted'
      /**
       * First speech sample minus the prefix padding; never below 0, a reset, or the `endMs` of the utterance
       * before. It may lie before that utterance's `audioEndMs`: the silence between belongs to both.
       */
      readonly startMs: number
      readonly at: number
    }
  /** Once an utterance: enough speech that an interruption is meant. Absent from a short "uh". */
  | { readonly type: 'speechConfirmed'; readonly at: number }
  /** Takes `speechStarted` back: its audio was cleared, or detection was turned off. A click never comes this far. */
  | { readonly type: 'speechDropped'; readonly at: number }
  /** Silence, not yet long enough to end the turn: the moment to speculate. */
  | {
      readonly type: 'speechPaused'
      readonly endMs: number
      readonly endAt: number
      readonly at: number
    }
  | { readonly type: 'speechResumed'; readonly at: number }
  | {
      readonly type: 'speechEnded'
      /** The real end of speech, as an estimate: for clocks, not for cutting. A weak last "f" may lie after it. */
      readonly endMs: number
      /** Arrival of the last speech sample: the budget's zero. */
      readonly endAt: number
      /** With the silence that ended it: where the utterance's audio is cut. */
      readonly audioEndMs: number
      readonly at: number
      readonly endedBy: EndedBy
    }
