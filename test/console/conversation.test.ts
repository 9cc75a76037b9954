import { describe, expect, test } from 'vitest'
import { type LocalEvent, reduce } from '../../src/console/web/talk/conversation.ts'
import type { ServerEvent, TurnReport } from '../../src/console/web/talk/events.ts'
import { type Conversation, emptyConversation, KEPT } from '../../src/console/web/talk/turns.ts'

const replay = (...events: (ServerEvent | LocalEvent)[]): Conversation =>
  events.reduce(reduce, emptyConversation)

const started = (item_id: string): ServerEvent => ({ type: 'input_audio_buffer.speech_started', item_id })
const stopped = (item_id: string): ServerEvent => ({ type: 'input_audio_buffer.speech_stopped', item_id })
const partial = (item_id: string, delta: string): ServerEvent => ({
  type: 'conversation.item.input_audio_transcription.delta',
  item_id,
  delta,
})
const final = (item_id: string, transcript: string): ServerEvent => ({
  type: 'conversation.item.input_audio_transcription.completed',
  item_id,
  transcript,
})
const created = (id: string): ServerEvent => ({
  type: 'response.created',
  response: { id, status: 'in_progress' },
})
const done = (id: string, turnId: string): ServerEvent => ({
  type: 'response.done',
  response: { id, status: 'completed', parley: { ...report, turnId } },
})
const words = (response_id: string, item_id: string, delta: string): ServerEvent => ({
  type: 'response.output_audio_transcript.delta',
  response_id,
  item_id,
  delta,
})
const report: TurnReport = {
  turnId: 't',
  pipeline: 'p',
  route: {},
  attempts: [],
  budget: { turnMs: 1500, actualMs: null, brokenBy: null, degraded: [] },
  costUsd: null,
}

describe('the conversation on the page', () => {
  test('partial words grow, and the final words take their place', () => {
    const partly = replay(started('u1'), partial('u1', 'what are'), partial('u1', ' you open'))
    expect(partly.turns[0]?.user).toMatchObject({ text: 'what are you open', state: 'speaking' })
    const whole = reduce(reduce(partly, stopped('u1')), final('u1', 'When are you open?'))
    expect(whole.turns[0]?.user).toMatchObject({ text: 'When are you open?', state: 'final' })
    // A late delta changes nothing.
    expect(reduce(whole, partial('u1', ' x')).turns[0]?.user?.text).toBe('When are you open?')
  })

  test('a noise leaves no turn behind', () => {
    expect(replay(started('u1'), stopped('u1'), final('u1', '')).turns).toEqual([])
    expect(replay(started('u1'), started('u2')).turns.map((t) => t.user?.itemId)).toEqual(['u2'])
  })

  test('the server greets first: a turn of its own', () => {
    const state = replay({ type: 'connected' }, created('r1'), words('r1', 'a1', 'Hello.'), started('u1'))
    expect(state.turns).toMatchObject([
      { user: null, answers: [{ text: 'Hello.' }] },
      { user: { itemId: 'u1' } },
    ])
  })

  test('an answer made while the caller speaks on belongs to the turn before', () => {
    const state = replay(started('u1'), final('u1', 'One'), started('u2'), created('r1'))
    expect(state.turns.map((turn) => turn.answers.length)).toEqual([1, 0])
  })

  test('an answer of another turn moves out of the turn it was put in', () => {
    const state = replay(
      started('u1'),
      final('u1', 'One'),
      created('r1'),
      done('r1', 't1'),
      created('r2'),
      done('r2', 't2'),
    )
    expect(state.turns).toMatchObject([
      { answers: [{ responseId: 'r1' }], report: { turnId: 't1' } },
      { user: null, answers: [{ responseId: 'r2' }], report: { turnId: 't2' } },
    ])
    const tools = replay(
      started('u1'),
      final('u1', 'One'),
      created('r1'),
      done('r1', 't1'),
      created('r2'),
      done('r2', 't1'),
    )
    expect(tools.turns.map((turn) => turn.answers.length)).toEqual([2])
  })

  test('what is typed stands at once, and its echo from the server is not a second turn', () => {
    const echo: ServerEvent = {
      type: 'conversation.item.added',
      item: { id: 'u1', type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Hi' }] },
    }
    const state = replay({ type: 'typed', itemId: 'u1', text: 'Hi' }, echo)
    expect(state.turns).toHaveLength(1)
    expect(state.turns[0]?.user).toMatchObject({ text: 'Hi', state: 'final', typed: true })
  })

  test('after a new connection answers do not join the old conversation', () => {
    const state = replay(
      { type: 'connected' },
      { type: 'typed', itemId: 'u', text: 'Hi' },
      { type: 'connected' },
      created('r'),
    )
    expect(state.turns.map((turn) => turn.connection)).toEqual([1, 2])
  })

  test('text after sound begins a new stretch, and a cut keeps what was played', () => {
    const state = replay(
      created('r1'),
      words('r1', 'a1', 'One. '),
      { type: 'received', responseId: 'r1', itemId: 'a1', ms: 800 },
      words('r1', 'a1', 'Two.'),
      { type: 'received', responseId: 'r1', itemId: 'a1', ms: 700 },
      { type: 'cut', itemId: 'a1', playedMs: 900 },
    )
    expect(state.turns[0]?.answers[0]).toMatchObject({
      receivedMs: 1500,
      playedMs: 900,
      cutMs: 900,
      stretches: [
        { charStart: 0, msStart: 0 },
        { charStart: 5, msStart: 800 },
      ],
    })
  })

  test('turns that did not change stay the same objects', () => {
    const before = replay(
      { type: 'typed', itemId: 'u1', text: 'a' },
      { type: 'typed', itemId: 'u2', text: 'b' },
    )
    const next = reduce(before, created('r1'))
    expect(next.turns[0]).toBe(before.turns[0])
    expect(next.turns[1]).not.toBe(before.turns[1])
    expect(reduce(next, { type: 'played', itemId: 'unknown', playedMs: 1 })).toBe(next)
  })

  test('a page left open keeps the newest turns only', () => {
    let state = emptyConversation
    for (let i = 0; i < KEPT + 5; i++) state = reduce(state, { type: 'typed', itemId: `u${i}`, text: 'x' })
    expect(state.turns).toHaveLength(KEPT)
    expect(state.turns.at(-1)?.user?.itemId).toBe(`u${KEPT + 4}`)
  })
})
