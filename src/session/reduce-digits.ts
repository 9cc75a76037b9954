/**
 * The keys of a telephone. Digits are collected and become one turn of the caller's, as written words would: when the key
 * that ends them is pressed, when there are as many as there may be, or when the caller stops pressing.
 *
 *     digit ─► (interrupts what plays) ─► collected ─ end key | enough | `afterMs` without one ─► user item ─► answer
 */
import type { Draft } from './draft.ts'
import type { MessageItem } from './items.ts'
import { entryOf } from './prompt.ts'
import { answerTurn, dropSpeculation } from './reduce-response.ts'
import { interrupt } from './reduce-speech.ts'
import { openTurn } from './reduce-turn.ts'
import { activeResponse, isCutting, outputOf, utteranceOf } from './state.ts'

export function pressed(d: Draft, digit: string, at: number): void {
  const { dtmf } = d.state.settings
  if (!dtmf) return
  if (dtmf.interrupts === 'first' && outputOf(d.state) !== 'silent') interrupt(d)
  const digits = d.state.digits + digit
  d.set({ digits, idlePrompts: 0 })
  if (digit === dtmf.endOn || digits.length >= dtmf.maxDigits) return digitsEnded(d, at)
  d.do({ do: 'setTimer', timer: 'digits', ms: dtmf.afterMs })
}

/** What was pressed is said. */
export function digitsEnded(d: Draft, at: number): void {
  const { digits } = d.state
  if (digits === '') return
  d.do({ do: 'clearTimer', timer: 'digits' })
  if (outputOf(d.state) !== 'silent') interrupt(d)
  dropSpeculation(d)
  d.set({ digits: '' })
  const turn = d.id('turn')
  const text = `Keypad: ${digits}`
  openTurn(d, turn, at)
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
