/**
 * A response from its first thought to its `responseDone`.
 *
 *     speculating ─adopt─► running ─► (started: words reach the wire) ─► finished
 *     waiting ─────────────►  │
 *                             └─ cutting ─ outputCut ─► finished
 */
import type { ModelRequest } from '../dialect/neutral.ts'
import type { Draft } from './draft.ts'
import type { AnswerEvent, Failure } from './events.ts'
import { findEntry, previousOf } from './history.ts'
import type { Item, MessageItem } from './items.ts'
import type { ResponseEnding } from './output.ts'
import { buildRequest, entryOf, promptKey } from './prompt.ts'
import { bridgeTools, finishCall, waitsForTools } from './reduce-tools.ts'
import { closeTurn, openTurn, settleTurn } from './reduce-turn.ts'
import { newResponse, setupOf, viewOf, voicingOf } from './response.ts'
import { activeResponse, isCutting, type Response, speculation } from './state.ts'

const OUTCOMES = {
  completed: 'said',
  incomplete: 'said',
  cancelled: 'cancelled',
  failed: 'failed',
} as const

/** Makes the wire know the response, and lets the model begin, or wait for the caller's words and for tools. */
export function beginResponse(
  d: Draft,
  facts: Pick<Response, 'turn' | 'setup' | 'inConversation' | 'after'>,
): void {
  dropSpeculation(d)
  const waits = d.state.transcriptions.some((t) => t.onFinal !== 'held') || waitsForTools(d.state, facts)
  const phase = waits ? 'waiting' : 'running'
  const response = newResponse(d, { ...facts, phase, revision: d.state.revision })
  d.emit({ type: 'responseCreated', response: viewOf(response, null, []) })
  if (response.inConversation) d.set({ unanswered: false })
  if (!waits) think(d, response, 'no')
}

/** Calls the model. With `until-release` nothing of its answer leaves before `adopt`. */
export function think(d: Draft, response: Response, hold: 'until-release' | 'no'): void {
  const request = buildRequest(d.state, response.setup)
  startThinking(d, { ...response, phase: hold === 'no' ? 'running' : 'speculating' }, hold, { request })
}

/** `zeroAt`: of a turn that is not open yet. */
export function startThinking(
  d: Draft,
  response: Response,
  hold: 'until-release' | 'no',
  facts: { readonly request: ModelRequest; readonly zeroAt?: number },
): void {
  const { request, zeroAt } = facts
  d.response({ ...response, promptKey: hold === 'no' ? '' : promptKey(request) })
  const { id, turn, revision } = response
  const voicing = voicingOf(response)
  const since = zeroAt === undefined ? {} : { zeroAt }
  d.do({ do: 'think', response: id, turn, revision, request, voicing, hold, ...since })
}

/** A fixed text as a response of its own. */
export function recite(d: Draft, turn: string, text: string, failure?: Failure): void {
  const setup = setupOf(d.state)
  const response = newResponse(d, { turn, setup, inConversation: true, phase: 'running', revision: 0 })
  d.emit({ type: 'responseCreated', response: viewOf(response, null, []) })
  reciteInto(d, response, text, failure)
}

export function reciteInto(d: Draft, response: Response, text: string, failure?: Failure): void {
  const { id, turn } = response
  const why = failure ? { failure } : {}
  d.do({ do: 'recite', response: id, turn, text, voicing: voicingOf(response), ...why })
}

/** The caller's words are final: keep the speculation made for exactly this prompt, else think anew. */
export function answerTurn(d: Draft, turn: string): void {
  const setup = setupOf(d.state)
  const guess = speculation(d.state)
  if (guess?.turn === turn && guess.promptKey === promptKey(buildRequest(d.state, setup))) {
    const response: Response = { ...guess, phase: 'running', promptKey: '' }
    d.response(response)
    d.set({ unanswered: false })
    d.emit({ type: 'responseCreated', response: viewOf(response, null, []) })
    d.do({ do: 'release', response: response.id })
    return
  }
  beginResponse(d, { turn, setup, inConversation: true })
}

export function dropSpeculation(d: Draft): void {
  const guess = speculation(d.state)
  if (!guess) return
  d.removeResponse(guess.id)
  d.do({ do: 'drop', response: guess.id, reason: 'superseded' })
}

/** Ends a live response early. One with nothing on the wire ends at once, else the runner reports the cut. */
export function stopResponse(d: Draft, response: Response, by: 'turn_detected' | 'client_cancelled'): void {
  const ending: ResponseEnding = { status: 'cancelled', reason: by }
  if (response.started) {
    d.response({ ...response, phase: 'cutting', ending })
    return cutOutput(d, response.id, by === 'turn_detected' ? 'barge-in' : 'client-cancelled')
  }
  d.do({ do: 'drop', response: response.id, reason: 'barge-in' })
  finishResponse(d, response, ending, '')
  if (by === 'client_cancelled') settleTurn(d, response.turn, 'cancelled')
}

/** Stops what is being sent or played; `outputCut` will tell what was heard of it. */
export function cutOutput(d: Draft, response: string, reason: 'barge-in' | 'client-cancelled'): void {
  const playing = d.state.playing.map((p) =>
    p.response === response ? ({ ...p, phase: 'cutting' } as const) : p,
  )
  d.set({ playing })
  d.do({ do: 'cut', response, reason })
}

export function reduceAnswer(d: Draft, event: AnswerEvent): void {
  switch (event.type) {
    case 'toolCalled':
      return withRunning(d, event.response, (response) =>
        d.response({ ...response, calls: [...response.calls, event.call] }),
      )
    case 'thought':
      return withRunning(d, event.response, ({ ...response }) => {
        const { finish, usage, words, failure } = event
        response.thought = { finish, usage, words, ...(failure ? { failure } : {}) }
        finishWhenDone(d, response)
      })
    case 'speaking':
      return startMessage(d, d.state.responses.get(event.response))
    case 'spoken':
      return withRunning(d, event.response, ({ ...response }) => {
        const { said, kept = said, audioMs } = event
        response.spoken = { said, kept, audioMs }
        finishWhenDone(d, response)
      })
    case 'answerFailed':
      return failed(d, event)
    case 'outputCut':
      return wasCut(d, event)
    case 'playedOut':
      return playedOut(d, event.response)
    case 'truncated':
      return truncated(d, event)
    default:
      event satisfies never
  }
}

/** Of a guess nothing is told before its release, and of a cut answer nothing after. */
function withRunning(d: Draft, id: string, act: (response: Response) => void): void {
  const response = d.state.responses.get(id)
  if (response?.phase === 'running') act(response)
}

/** One that still waits for the caller's words may begin with a phrase. */
function startMessage(d: Draft, response: Response | undefined): void {
  if (!response || response.started) return
  if (response.phase !== 'running' && response.phase !== 'waiting') return
  d.response({ ...response, started: true })
  const { id, itemId, turn, inConversation, setup } = response
  const item: MessageItem = {
    id: itemId,
    type: 'message',
    role: 'assistant',
    status: 'in_progress',
    parts: [],
  }
  const added = inConversation ? d.addEntry(entryOf(item, turn)) : undefined
  if (setup.modality === 'audio') {
    d.set({
      playing: [...d.state.playing, { response: id, itemId, turn, outcome: 'said', phase: 'playing' }],
    })
  }
  if (d.state.turn?.id === turn) d.set({ turn: { id: turn, answered: true } })
  d.emit({
    type: 'answerStarted',
    responseId: id,
    itemId,
    outputIndex: 0,
    item,
    previousItemId: added?.previousItemId ?? null,
    modality: setup.modality,
    inConversation,
  })
}

function finishWhenDone(d: Draft, response: Response): void {
  const { thought, spoken } = response
  if (!thought || (thought.words === 'some' && !spoken)) return d.response(response)
  const ending = endingOf(thought)
  finishResponse(d, response, ending, spoken?.said ?? '')
  settleTurn(d, response.turn, OUTCOMES[ending.status])
}

function endingOf({ finish, failure }: NonNullable<Response['thought']>): ResponseEnding {
  if (failure) return { status: 'failed', ...failure }
  if (finish === 'length') return { status: 'incomplete', reason: 'max_output_tokens' }
  if (finish === 'content_filter') return { status: 'incomplete', reason: 'content_filter' }
  return { status: 'completed' }
}

/** Closes the message, announces the calls (only of an answer that ran to its end), and the response. */
export function finishResponse(d: Draft, response: Response, ending: ResponseEnding, said: string): void {
  const output: Item[] = []
  if (response.started) output.push(finishMessage(d, response, ending, said))
  if (ending.status === 'completed' || ending.status === 'incomplete') {
    for (const call of response.calls) output.push(finishCall(d, response, call, output.length))
  }
  d.removeResponse(response.id)
  if (ending.status === 'failed') {
    d.emit({ type: 'fault', code: ending.code, message: ending.message })
    const playing = d.state.playing.map((p) =>
      p.response === response.id ? ({ ...p, outcome: 'failed' } as const) : p,
    )
    d.set({ playing })
  }
  const view = viewOf(response, ending, output)
  d.emit({ type: 'responseDone', turn: response.turn, response: view, record: null })
  if (response.inConversation && response.setup.modality === 'audio') bridgeTools(d, response.turn, output)
  if (response.inConversation) return
  closeTurn(d, response.turn, OUTCOMES[ending.status])
  d.do({ do: 'forget', itemId: response.itemId })
}

function finishMessage(d: Draft, response: Response, ending: ResponseEnding, said: string): MessageItem {
  const { id, itemId, setup, inConversation } = response
  const audio = setup.modality === 'audio'
  const item: MessageItem = {
    id: itemId,
    type: 'message',
    role: 'assistant',
    status: ending.status === 'completed' ? 'completed' : 'incomplete',
    parts: [audio ? { type: 'audio', transcript: said } : { type: 'text', text: said }],
  }
  if (inConversation)
    d.changeEntry(itemId, (entry) => ({ ...entry, item, said: response.spoken?.kept ?? said }))
  d.emit({
    type: 'answerDone',
    responseId: id,
    itemId,
    outputIndex: 0,
    item,
    previousItemId: inConversation ? previousOf(d.state.history, itemId) : null,
    text: said,
    modality: setup.modality,
    inConversation,
  })
  return item
}

function failed(d: Draft, event: Extract<AnswerEvent, { type: 'answerFailed' }>): void {
  const response = d.state.responses.get(event.response)
  if (!response || response.phase === 'cutting') return
  // A guess that failed costs nothing: the committed turn thinks again.
  if (response.phase === 'speculating') return d.removeResponse(response.id)
  const { code, message, heard } = event
  finishResponse(d, response, { status: 'failed', code, message }, event.said)
  d.changeEntry(response.itemId, (entry) => ({ ...entry, heard }))
  settleTurn(d, response.turn, 'failed')
}

function wasCut(d: Draft, event: Extract<AnswerEvent, { type: 'outputCut' }>): void {
  const playing = d.state.playing.find((p) => p.response === event.response)
  const response = d.state.responses.get(event.response)
  d.set({
    playing: d.state.playing.filter((p) => p !== playing),
    paused: d.state.paused && d.state.playing.length > 1,
  })
  if (response)
    finishResponse(
      d,
      response,
      response.ending ?? { status: 'cancelled', reason: 'turn_detected' },
      event.said,
    )
  const itemId = response?.itemId ?? playing?.itemId
  const turn = response?.turn ?? playing?.turn
  if (itemId) d.changeEntry(itemId, (entry) => ({ ...entry, heard: event.heard }))
  if (turn) {
    d.do({ do: 'mark', turn, name: 'interrupted', at: event.at })
    if (d.state.turn?.id === turn) closeTurn(d, turn, event.heard.text === '' ? 'cancelled' : 'said')
  }
  const { owed, owedWords, owedApology, settings } = d.state
  if (isCutting(d.state)) return
  d.set({ owed: null, owedWords: null, owedApology: null })
  if (owedWords !== null) return sayWords(d, owedWords, event.at)
  if (owed !== null) return answerTurn(d, owed)
  if (!owedApology) return
  if (settings.apology !== undefined) recite(d, owedApology.turn, settings.apology, owedApology.failure)
  settleTurn(d, owedApology.turn, 'failed')
}

/** In a turn of their own. */
export function sayWords(d: Draft, words: string, at: number): void {
  const turn = d.id('turn')
  openTurn(d, turn, at)
  recite(d, turn, words)
}

function playedOut(d: Draft, id: string): void {
  const playing = d.state.playing.find((p) => p.response === id)
  if (!playing) return
  d.set({ playing: d.state.playing.filter((p) => p !== playing) })
  if (d.state.playing.length === 0) d.set({ paused: false })
  settleTurn(d, playing.turn, playing.outcome)
}

/** The client knows better what was heard. A prompt built on the old belief, unspoken so far, is built again. */
function truncated(d: Draft, event: Extract<AnswerEvent, { type: 'truncated' }>): void {
  const { itemId, contentIndex, audioEndMs, heard } = event
  const before = findEntry(d.state.history, itemId)
  if (before?.item.type !== 'message' || before.item.role !== 'assistant') return
  const item: MessageItem = { ...before.item, parts: [{ type: 'audio', transcript: null }] }
  d.changeEntry(itemId, (entry) => ({ ...entry, item, said: entry.said ?? '', heard }))
  d.emit({ type: 'itemTruncated', itemId, contentIndex, audioEndMs })
  dropSpeculation(d)
  const active = activeResponse(d.state)
  const changed = before.heard?.text !== heard.text
  if (!changed || active?.phase !== 'running' || active.started || active.setup.input) return
  d.do({ do: 'drop', response: active.id, reason: 'superseded' })
  think(d, { ...active, revision: active.revision + 1, calls: [], thought: null }, 'no')
}
