/** The conversation as a pure reducer: what the server sent and what happened here, to turns. */
import type { TurnRecord } from '../../../trace/record.ts'
import type { ServerEvent, WireItem, WireResponse } from './events.ts'
import { type Answer, type Conversation, KEPT, type Turn, type UserSide } from './turns.ts'

export type LocalEvent =
  | { readonly type: 'connected' }
  | { readonly type: 'typed'; readonly itemId: string; readonly text: string }
  | { readonly type: 'received'; readonly responseId: string; readonly itemId: string; readonly ms: number }
  | { readonly type: 'played'; readonly itemId: string; readonly playedMs: number }
  | { readonly type: 'cut'; readonly itemId: string; readonly playedMs: number }
  | { readonly type: 'record'; readonly record: TurnRecord }

export function reduce(state: Conversation, event: ServerEvent | LocalEvent): Conversation {
  switch (event.type) {
    case 'connected':
      return { ...state, connection: state.connection + 1 }
    case 'typed':
      return addUser(state, { itemId: event.itemId, text: event.text, state: 'final', typed: true })
    case 'input_audio_buffer.speech_started':
      return withUser(state, event.item_id, (user) => user)
    case 'input_audio_buffer.speech_stopped':
      return withUser(state, event.item_id, (user) =>
        user.state === 'speaking' ? { ...user, state: 'recognising' } : user,
      )
    case 'conversation.item.added':
      return event.item.type === 'message' && event.item.role === 'user' ? userItem(state, event.item) : state
    case 'conversation.item.input_audio_transcription.delta':
      return withUser(state, event.item_id, (user) =>
        user.state === 'final' ? user : { ...user, text: user.text + event.delta },
      )
    case 'conversation.item.input_audio_transcription.completed':
      return dropSilent(
        withUser(state, event.item_id, (user) => ({
          ...user,
          text: event.transcript.trim(),
          state: 'final',
        })),
      )
    case 'conversation.item.input_audio_transcription.failed':
      return withUser(state, event.item_id, (user) => ({ ...user, state: 'failed' }))
    case 'response.created':
      return addAnswer(state, event.response)
    case 'response.output_item.added':
      return withAnswer(state, event.response_id, (answer) => {
        if (event.item.type === 'message') return { ...answer, itemId: event.item.id }
        return event.item.name ? { ...answer, tools: [...answer.tools, event.item.name] } : answer
      })
    case 'response.output_audio_transcript.delta':
    case 'response.output_text.delta':
      return withAnswer(state, event.response_id, (answer) => addText(answer, event.delta))
    case 'received':
      return withAnswer(state, event.responseId, (answer) => ({
        ...answer,
        itemId: event.itemId,
        receivedMs: answer.receivedMs + event.ms,
      }))
    case 'played':
      return withItem(state, event.itemId, (answer) => ({ ...answer, playedMs: event.playedMs }))
    case 'cut':
      return withItem(state, event.itemId, (a) => ({ ...a, playedMs: event.playedMs, cutMs: event.playedMs }))
    case 'response.done':
      return finish(state, event.response)
    case 'record':
      return mapTurns(state, (turn) =>
        turn.report?.turnId === event.record.id ? { ...turn, record: event.record } : turn,
      )
    default:
      return state
  }
}

/** Text after audio begins a new stretch, so that words and sound stay together sentence by sentence. */
function addText(answer: Answer, delta: string): Answer {
  const last = answer.stretches.at(-1)
  const stretches =
    !last || last.msStart < answer.receivedMs
      ? [...answer.stretches, { charStart: answer.text.length, msStart: answer.receivedMs }]
      : answer.stretches
  return { ...answer, text: answer.text + delta, stretches }
}

function userItem(state: Conversation, item: WireItem): Conversation {
  if (state.turns.some((turn) => turn.user?.itemId === item.id)) return state
  const text = (item.content ?? []).map((part) => part.text ?? '').join('')
  const spoken = item.content?.some((part) => part.type === 'input_audio') === true
  return addUser(state, { itemId: item.id, text, state: spoken ? 'recognising' : 'final', typed: !spoken })
}

function addUser(state: Conversation, user: UserSide): Conversation {
  return addTurn(dropSilent(state), user, [])
}

function addTurn(state: Conversation, user: UserSide | null, answers: readonly Answer[]): Conversation {
  const turn = { key: state.nextKey, connection: state.connection, user, answers, report: null, record: null }
  return { ...state, nextKey: state.nextKey + 1, turns: [...state.turns, turn].slice(-KEPT) }
}

/** Changes the words of an item, of a new turn if it is the first one hears of it. */
function withUser(state: Conversation, itemId: string, change: (user: UserSide) => UserSide): Conversation {
  if (!state.turns.some((turn) => turn.user?.itemId === itemId))
    state = addUser(state, { itemId, text: '', state: 'speaking', typed: false })
  return mapTurns(state, (turn) =>
    turn.user?.itemId === itemId ? { ...turn, user: change(turn.user) } : turn,
  )
}

/** A noise is no turn: speech without words that nothing answered. */
function dropSilent(state: Conversation): Conversation {
  const silent = (turn: Turn) =>
    turn.user !== null &&
    turn.user.text === '' &&
    (turn.user.state === 'final' || turn.user.state === 'speaking') &&
    turn.answers.length === 0
  return state.turns.some(silent) ? { ...state, turns: state.turns.filter((turn) => !silent(turn)) } : state
}

/** Answers join the newest turn that is not still being spoken; with none, the server spoke first. */
function addAnswer(state: Conversation, response: WireResponse): Conversation {
  const answer: Answer = {
    responseId: response.id,
    itemId: null,
    text: '',
    status: 'in_progress',
    tools: [],
    receivedMs: 0,
    playedMs: 0,
    stretches: [],
    cutMs: null,
  }
  const home = state.turns.findLast(
    (turn) => turn.connection === state.connection && turn.user?.state !== 'speaking',
  )
  if (!home) return addTurn(state, null, [answer])
  return mapTurns(state, (turn) => (turn === home ? { ...turn, answers: [...turn.answers, answer] } : turn))
}

/** The report says which turn it was: an answer that nobody asked for moves to a turn of its own. */
function finish(state: Conversation, response: WireResponse): Conversation {
  state = withAnswer(state, response.id, (answer) => ({ ...answer, status: response.status }))
  const report = response.parley
  const home = state.turns.find((turn) => turn.answers.some((a) => a.responseId === response.id))
  if (!report || !home) return state
  if (home.report === null || home.report.turnId === report.turnId)
    return mapTurns(state, (turn) => (turn === home ? { ...turn, report } : turn))
  const moved = home.answers.filter((a) => a.responseId === response.id)
  const without = mapTurns(state, (turn) =>
    turn === home ? { ...turn, answers: turn.answers.filter((a) => a.responseId !== response.id) } : turn,
  )
  const added = addTurn(without, null, moved)
  return mapTurns(added, (turn) => (turn.key === state.nextKey ? { ...turn, report } : turn))
}

function withAnswer(state: Conversation, responseId: string, change: (a: Answer) => Answer): Conversation {
  return mapAnswers(state, (answer) => (answer.responseId === responseId ? change(answer) : answer))
}

function withItem(state: Conversation, itemId: string, change: (a: Answer) => Answer): Conversation {
  return mapAnswers(state, (answer) => (answer.itemId === itemId ? change(answer) : answer))
}

function mapAnswers(state: Conversation, change: (answer: Answer) => Answer): Conversation {
  return mapTurns(state, (turn) => {
    const answers = turn.answers.map(change)
    return answers.some((answer, i) => answer !== turn.answers[i]) ? { ...turn, answers } : turn
  })
}

/** Turns that did not change stay the same objects, which is how the page knows not to draw them again. */
function mapTurns(state: Conversation, change: (turn: Turn) => Turn): Conversation {
  const turns = state.turns.map(change)
  return turns.some((turn, i) => turn !== state.turns[i]) ? { ...state, turns } : state
}
