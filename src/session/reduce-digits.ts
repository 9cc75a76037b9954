/**
 * The keys of a telephone. Each is written down and tells that the caller is there. Where they become turns, they are collected and
 * become one of the caller's, as written words would: when the key that ends them is pressed, when there are as many as there may
 * be, or when the caller stops pressing. Where they are events that is all: nothing stops for them, and the model is not told.
 *
 *     key ─► events: the newest turn's record
 *        └─► turns: (interrupts what plays) ─► collected ─ end key | enough | `afterMs` without one ─► user item ─► answer
 */
import type { Draft } from './draft.ts'
import type { MessageItem } from './items.ts'
import { entryOf } from './prompt.ts'
import { restartIdle } from './reduce-idle.ts'
import { answerTurn, dropSpeculation } from './reduce-response.ts'
import { interrupt } from './reduce-speech.ts'
import { openTurn } from './reduce-turn.ts'
import { activeResponse, isCutting, outputOf, utteranceOf } from './state.ts'

/** Rules see the newest: a card number, a date and what a menu took before them. */
const MAX_PRESSED = 64

export function pressed(d: Draft, digit: string, at: number): void {
  const { dtmf } = d.state.settings
  if (!dtmf) return
  d.set({ pressed: (d.state.pressed + digit).slice(-MAX_PRESSED), idlePrompts: 0 })
  restartIdle(d)
  if (dtmf.as === 'events') return d.do({ do: 'keys', turn: null, keys: [{ digit, at }] })
  if (dtmf.interrupts === 'first' && outputOf(d.state) !== 'silent') interrupt(d)
  const keys = [...d.state.keys, { digit, at }]
  d.set({ keys })
  if (digit === dtmf.endOn || keys.length >= dtmf.maxDigits) return digitsEnded(d, at)
  d.do({ do: 'setTimer', timer: 'digits', ms: dtmf.afterMs })
}

/** The session ends with keys that are no turn yet. */
export function keysLeft(d: Draft): void {
  const { keys } = d.state
  if (keys.length > 0) d.do({ do: 'keys', turn: null, keys })
  d.set({ keys: [] })
}

/** What was pressed is said. */
export function digitsEnded(d: Draft, at: number): void {
  const { keys } = d.state
  if (keys.length === 0) return
  d.do({ do: 'clearTimer', timer: 'digits' })
  if (outputOf(d.state) !== 'silent') interrupt(d)
  dropSpeculation(d)
  d.set({ keys: [] })
  const turn = d.id('turn')
  const text = `Keypad: ${keys.map(({ digit }) => digit).join('')}`
  openTurn(d, turn, at)
  d.do({ do: 'keys', turn, keys })
  const item: MessageItem = {
    id: d.id('item'),
    type: 'message',
    role: 'user',
    status: 'completed',
    parts: [{ type: 'text', text }],
  }
  const previousItemId = d.addEntry(entryOf(item, turn))?.previousItemId ?? null
  d.emit({ type: 'itemAdded', item, previousItemId })
  d.emit({ type: 'itemDone', item, previousItemId })
  d.do({ do: 'userSaid', turn, text, language: null })
  if (isCutting(d.state)) return d.set({ owed: turn })
  // Who speaks meanwhile is answered for both.
  if (utteranceOf(d.state)?.announced || activeResponse(d.state)) return d.set({ unanswered: true })
  answerTurn(d, turn)
}
