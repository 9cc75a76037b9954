/**
 * The caller who says nothing. The clock runs while nothing is said, thought or played, from the end of an answer's
 * playback on, and rests at the caller's first sound.
 *
 *     answer played ─► idle timer ─► `idle_timeout_ms` of the client: an empty turn, and the model speaks
 *                                └► `idle` of the pipeline: one of its phrases; after so many the session ends
 */
import type { Draft } from './draft.ts'
import type { SessionEvent } from './events.ts'
import { newest } from './history.ts'
import { beginResponse, recite } from './reduce-response.ts'
import { addUserItem } from './reduce-speech.ts'
import { openTurn } from './reduce-turn.ts'
import { setupOf } from './response.ts'
import { isQuiet, type State } from './state.ts'

/** The client's own wish comes first. Null: nobody waits. */
function idleMs({ settings }: State): number | null {
  return clientIdleMs(settings) ?? settings.idle?.afterMs ?? null
}

function clientIdleMs({ turnDetection }: State['settings']): number | null {
  return turnDetection?.type === 'server_vad' ? (turnDetection.idleTimeoutMs ?? null) : null
}

/** Sets the timer when the conversation falls quiet after an answer, and stops it when it is quiet no more. */
export function watchIdle(d: Draft, before: State, event: SessionEvent): void {
  const after = d.state
  if (after.closed) return
  if (event.type === 'speechConfirmed' || event.type === 'client') forgetPrompts(d, event)
  const ms = isWaiting(after) ? idleMs(after) : null
  const was = isWaiting(before) ? idleMs(before) : null
  if (ms === was) return
  if (ms === null) d.do({ do: 'clearTimer', timer: 'idle' })
  else d.do({ do: 'setTimer', timer: 'idle', ms })
}

/** The caller is there without a word: the wait begins anew. */
export function restartIdle(d: Draft): void {
  const ms = isWaiting(d.state) ? idleMs(d.state) : null
  if (ms !== null) d.do({ do: 'setTimer', timer: 'idle', ms })
}

function forgetPrompts(d: Draft, event: SessionEvent): void {
  const said = event.type !== 'client' || event.event.type === 'commit' || event.event.type === 'respond'
  if (said && d.state.idlePrompts > 0) d.set({ idlePrompts: 0 })
}

/** It is the caller's turn: something was said to them, and nothing is going on. */
function isWaiting(state: State): boolean {
  const last = newest(state.history)
  return isQuiet(state) && last?.type === 'message' && last.role === 'assistant'
}

export function idled(d: Draft, { at, audioMs }: Extract<SessionEvent, { type: 'timer' }>): void {
  const { state } = d
  if (!isWaiting(state)) return
  const clientMs = clientIdleMs(state.settings)
  if (clientMs !== null) return timedOut(d, { at, audioMs, clientMs })
  const { idle } = state.settings
  if (!idle) return
  const { say, hangUpAfter } = idle
  if (hangUpAfter > 0 && state.idlePrompts >= hangUpAfter) return d.do({ do: 'hangUp' })
  const turn = d.id('turn')
  openTurn(d, turn, at)
  recite(d, turn, say[state.idlePrompts % say.length]!)
  d.set({ idlePrompts: state.idlePrompts + 1 })
}

/** As OpenAI does: the silence becomes an empty turn, and the model is to say something to it. */
function timedOut(
  d: Draft,
  facts: { readonly at: number; readonly audioMs: number; readonly clientMs: number },
) {
  const { at, audioMs, clientMs } = facts
  const turn = d.id('turn')
  const itemId = d.id('item')
  const audioStartMs = Math.max(0, Math.round(audioMs - clientMs))
  d.emit({ type: 'timeoutTriggered', itemId, audioStartMs, audioEndMs: Math.round(audioMs) })
  openTurn(d, turn, at)
  addUserItem(d, turn, itemId, at)
  d.changeEntry(itemId, (entry) => ({
    ...entry,
    item: { ...entry.item, parts: [{ type: 'audio', transcript: '' }] } as typeof entry.item,
  }))
  const setup = setupOf(d.state)
  const note = `The caller has said nothing for ${Math.round(clientMs / 1000)} seconds. Say something short to them.`
  const instructions = `${setup.instructions}\n\n${note}`.trim()
  beginResponse(d, { turn, setup: { ...setup, instructions }, inConversation: true })
}
