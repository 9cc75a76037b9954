/**
 * The conversation as a pure function: `(state, event) → { state, effects }`. It decides everything about
 * turns, responses and history, reads no clock and does no I/O. After `hangup` nothing happens any more.
 */
import { Draft } from './draft.ts'
import type { Effect } from './effects.ts'
import type { SessionEvent } from './events.ts'
import { reduceClient } from './reduce-client.ts'
import { digitsEnded, keysLeft } from './reduce-digits.ts'
import { idled, watchIdle } from './reduce-idle.ts'
import { nameServers, toolsListed } from './reduce-listing.ts'
import { recite, reduceAnswer } from './reduce-response.ts'
import { reduceRecognition, reduceSpeech, resume } from './reduce-speech.ts'
import { closeTurn, openTurn } from './reduce-turn.ts'
import { reduceTool, releaseWaiting, wordsLate } from './reduce-waiting.ts'
import type { State } from './state.ts'

export function reduce(
  state: State,
  event: SessionEvent,
): { readonly state: State; readonly effects: readonly Effect[] } {
  if (state.closed) return { state, effects: [] }
  const d = new Draft(state)
  handle(d, event)
  watchIdle(d, state, event)
  return { state: d.state, effects: d.effects }
}

function handle(d: Draft, event: SessionEvent): void {
  switch (event.type) {
    case 'started':
      nameServers(d, d.state.settings.tools)
      return event.greeting === null ? undefined : greet(d, event.greeting, event.at)
    case 'client':
      return reduceClient(d, event.event, event)
    case 'speechStarted':
    case 'speechConfirmed':
    case 'speechDropped':
    case 'speechPaused':
    case 'speechResumed':
    case 'speechEnded':
      return reduceSpeech(d, event)
    case 'toolAnswered':
      return reduceTool(d, event)
    case 'toolsListed':
      toolsListed(d, event)
      return releaseWaiting(d)
    case 'wordsLate':
      return wordsLate(d, event.turn, event.phrase)
    case 'partial':
    case 'final':
    case 'sttFailed':
      return reduceRecognition(d, event)
    case 'toolCalled':
    case 'thought':
    case 'answerFailed':
    case 'speaking':
    case 'spoken':
    case 'outputCut':
    case 'playedOut':
    case 'truncated':
      return reduceAnswer(d, event)
    case 'timer':
      return timedOut(d, event)
    case 'hangup':
      return hangUp(d)
    default:
      event satisfies never
  }
}

function timedOut(d: Draft, event: Extract<SessionEvent, { type: 'timer' }>): void {
  switch (event.timer) {
    case 'idle':
      return idled(d, event)
    case 'falseInterruption':
      return resume(d)
    case 'digits':
      return digitsEnded(d, event.at)
    default:
      event.timer satisfies never
  }
}

function greet(d: Draft, text: string, at: number): void {
  const turn = d.id('turn')
  openTurn(d, turn, at)
  recite(d, turn, text)
}

function hangUp(d: Draft): void {
  keysLeft(d)
  for (const { id } of d.state.responses.values()) d.do({ do: 'drop', response: id, reason: 'hangup' })
  for (const { response } of d.state.playing) d.do({ do: 'drop', response, reason: 'hangup' })
  d.do({ do: 'clearTimer', timer: 'falseInterruption' })
  d.do({ do: 'clearTimer', timer: 'idle' })
  d.do({ do: 'clearTimer', timer: 'digits' })
  if (d.state.turn) closeTurn(d, d.state.turn.id, d.state.turn.answered ? 'said' : 'cancelled')
  for (const { inConversation, turn } of d.state.responses.values()) {
    if (!inConversation) closeTurn(d, turn, 'cancelled')
  }
  d.do({ do: 'end' })
  d.set({
    closed: true,
    input: { kind: 'idle' },
    playing: [],
    paused: false,
    responses: new Map(),
    transcriptions: [],
  })
}
