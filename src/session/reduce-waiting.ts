/**
 * Answers that have begun before what they answer is known: the caller's last words, or what a tool of the server's found. They
 * may say a phrase meanwhile; then the model is asked, or they end.
 */
import type { Draft } from './draft.ts'
import type { SessionEvent } from './events.ts'
import { beginResponse, dropSpeculation, finishResponse, think } from './reduce-response.ts'
import { takeResult, waitsForTools } from './reduce-tools.ts'
import { settleTurn } from './reduce-turn.ts'
import { setupOf, voicingOf } from './response.ts'
import { activeResponse, isCutting, type Response, utteranceOf } from './state.ts'

/** The answer begins before the words it answers are known: with a phrase, so that the caller does not wait in silence. */
export function wordsLate(d: Draft, turn: string, phrase: string): void {
  const { state } = d
  const awaited = state.transcriptions.some((t) => t.turn === turn && t.onFinal === 'respond')
  if (!awaited || utteranceOf(state)?.announced || isCutting(state)) return
  if (activeResponse(state) || state.playing.length > 0) return
  beginResponse(d, { turn, setup: setupOf(state), inConversation: true })
  const response = activeResponse(d.state)
  if (response?.phase !== 'waiting') return
  d.do({ do: 'bridge', response: response.id, turn, phrase, voicing: voicingOf(response) })
}

/** The words it waited for will not come. */
export function giveUpWaiting(d: Draft, turn: string, failure: { code: string; message: string }): void {
  const bridge = waitingFor(d, turn)
  if (!bridge) return
  d.do({ do: 'drop', response: bridge.id, reason: 'superseded' })
  finishResponse(d, bridge, { status: 'failed', ...failure }, '')
}

/** The answer that a turn began before its words were known. */
export function waitingFor(d: Draft, turn: string): Response | undefined {
  const active = activeResponse(d.state)
  return active?.phase === 'waiting' && active.turn === turn ? active : undefined
}

/** A tool's result is there: it is answered, unless the caller went on meanwhile. */
export function reduceTool(d: Draft, event: Extract<SessionEvent, { type: 'toolAnswered' }>): void {
  const turn = takeResult(d, event)
  if (turn === null) return
  dropSpeculation(d)
  const active = activeResponse(d.state)
  if (active?.phase === 'waiting' && active.turn === turn) {
    // One that the client asked for is not given unasked.
    if (active.after === 'serverTool') d.set({ goneOn: turn })
    return releaseWaiting(d)
  }
  if (d.state.turn?.id !== turn || active || utteranceOf(d.state)?.announced)
    return settleTurn(d, turn, 'said')
  d.set({ goneOn: turn })
  beginResponse(d, { turn, setup: setupOf(d.state), inConversation: true, after: 'serverTool' })
}

/** Responses that were begun before the words, the results or the tools that they need were known. */
export function releaseWaiting(d: Draft): void {
  if (d.state.transcriptions.some((t) => t.onFinal !== 'held')) return
  for (const response of d.state.responses.values()) {
    if (response.phase === 'waiting' && !waitsForTools(d.state, response)) think(d, response, 'no')
  }
}
