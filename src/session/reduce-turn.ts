/** The life of a turn's record: opened at its zero, closed when nothing of it runs, plays or is awaited. */
import type { TurnEnd } from '../trace/record.ts'
import type { Draft } from './draft.ts'

export type TurnOutcome = 'said' | 'transcribed' | 'superseded' | 'failed' | 'cancelled'

/** `endedBy`: what made a spoken turn one. */
export function openTurn(d: Draft, turn: string, zeroAt: number, endedBy?: TurnEnd): void {
  if (d.state.turn?.id === turn) return
  const unanswered = d.state.settings.kind === 'transcription' ? 'transcribed' : 'superseded'
  if (d.state.turn) closeTurn(d, d.state.turn.id, d.state.turn.answered ? 'said' : unanswered)
  d.set({ turn: { id: turn, answered: false } })
  d.do({ do: 'openTurn', turn, zeroAt, ...(endedBy ? { endedBy } : {}) })
}

export function closeTurn(d: Draft, turn: string, outcome: TurnOutcome): void {
  if (d.state.turn?.id === turn) d.set({ turn: null })
  d.do({ do: 'closeTurn', turn, outcome })
}

/** Closes the turn unless something of it is still to come. */
export function settleTurn(d: Draft, turn: string, outcome: TurnOutcome): void {
  const { state } = d
  if (state.turn?.id !== turn || state.tools.size > 0) return
  if (state.playing.some((playing) => playing.turn === turn)) return
  for (const response of state.responses.values()) if (response.turn === turn) return
  if (state.transcriptions.some((t) => t.turn === turn)) return
  closeTurn(d, turn, outcome)
}
