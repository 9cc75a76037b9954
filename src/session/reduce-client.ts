/** What the client asks for: settings, manual turns, items, responses. Refusals carry OpenAI's codes. */
import type { ClientEvent, ResponseRequest } from './client.ts'
import type { Draft } from './draft.ts'
import { findEntry, newest } from './history.ts'
import { charsOf, type Item } from './items.ts'
import { inherited } from './mcp.ts'
import { entryOf } from './prompt.ts'
import { acceptsApproval, answerApproval } from './reduce-approval.ts'
import { pressed } from './reduce-digits.ts'
import { forgetServers, nameServers } from './reduce-listing.ts'
import { beginResponse, dropSpeculation, stopResponse } from './reduce-response.ts'
import { say } from './reduce-say.ts'
import { addUserItem, pause, resume } from './reduce-speech.ts'
import { hasServerCalls } from './reduce-tools.ts'
import { openTurn } from './reduce-turn.ts'
import { setupOf } from './response.ts'
import { activeResponse, paced, type ResponseSetup, type State, utteranceOf } from './state.ts'

/** Shorter buffers cannot be committed (REALTIME.md section 7). */
const MIN_COMMIT_MS = 100

/** One of the conversation and the rest out of band, each with a prompt of its own and a call to the model. */
export const MAX_RESPONSES = 8

/** Utterances whose words are awaited; each may hold minutes of audio and a recogniser of its own. */
export const MAX_TRANSCRIPTIONS = 8

export interface ClientFacts {
  readonly at: number
  readonly bufferedMs: number
  readonly audioMs: number
}

export function reduceClient(d: Draft, event: ClientEvent, facts: ClientFacts): void {
  switch (event.type) {
    case 'settings':
      return applySettings(d, event)
    case 'commit':
      return commitBuffer(d, event.ref, facts)
    case 'clear':
      abandonUtterance(d)
      d.do({ do: 'resetListening' })
      return d.emit({ type: 'cleared' })
    case 'createItem':
      return createItem(d, event, facts.at)
    case 'deleteItem':
      if (!findEntry(d.state.history, event.itemId))
        return unknownItem(d, event, 'item_delete_invalid_item_id')
      d.removeEntry(event.itemId)
      return d.emit({ type: 'itemDeleted', itemId: event.itemId })
    case 'retrieveItem':
      if (!findEntry(d.state.history, event.itemId))
        return unknownItem(d, event, 'item_retrieve_invalid_item_id')
      return d.do({ do: 'retrieve', itemId: event.itemId, ref: event.ref })
    case 'truncateItem':
      return truncateItem(d, event)
    case 'respond':
      return respond(d, event.request, event.ref, facts.at)
    case 'cancelResponse':
      return cancelResponse(d, event.responseId, event.ref)
    case 'played':
      return d.do({ do: 'played', response: event.responseId, ms: event.playedMs })
    case 'digit':
      return pressed(d, event.digit, facts.at)
    case 'say':
      return say(d, event.text, facts.at)
    case 'lineLost':
      return paced(d.state) ? pause(d) : undefined
    case 'lineBack':
      // Who is speaking over the answer goes on to interrupt it.
      return utteranceOf(d.state)?.confirmed ? undefined : resume(d)
    default:
      event satisfies never
  }
}

function applySettings(d: Draft, { patch }: Extract<ClientEvent, { type: 'settings' }>): void {
  if (patch.turnDetection === null) abandonUtterance(d)
  const before = d.state.settings.tools
  d.set({ settings: { ...d.state.settings, ...patch } })
  d.do({ do: 'apply', patch })
  d.emit({ type: 'settingsApplied' })
  if (!patch.tools) return
  forgetServers(d, before)
  nameServers(d, patch.tools)
}

function abandonUtterance(d: Draft): void {
  const utterance = utteranceOf(d.state)
  if (!utterance) return
  d.set({ input: { kind: 'idle' } })
  dropSpeculation(d)
  d.do({ do: 'discard', turn: utterance.turn })
  resume(d)
}

/** The client ends the turn by hand. Under VAD it takes the utterance in progress; never starts a response. */
function commitBuffer(d: Draft, ref: string | null, facts: ClientFacts): void {
  const { at, bufferedMs, audioMs } = facts
  if (bufferedMs < MIN_COMMIT_MS) {
    const message = `Error committing input audio buffer: buffer too small. Expected at least ${MIN_COMMIT_MS}ms of audio, but buffer only has ${bufferedMs.toFixed(2)}ms of audio.`
    return d.refuse(ref, 'input_audio_buffer_commit_empty', message)
  }
  const utterance = utteranceOf(d.state)
  dropSpeculation(d)
  const turn = utterance?.turn ?? d.id('turn')
  const itemId = utterance?.itemId ?? d.id('item')
  if (!utterance) d.do({ do: 'listen', turn, fromMs: audioMs - bufferedMs })
  d.set({ input: { kind: 'idle' } })
  openTurn(d, turn, at, 'client')
  addUserItem(d, turn, itemId, at)
  d.addTranscription({
    turn,
    itemId,
    onFinal: 'nothing',
    endMs: audioMs,
    audioEndMs: audioMs,
    endAt: at,
    utterance: null,
  })
  d.do({ do: 'finalize', turn, itemId, endMs: audioMs })
  d.do({ do: 'resetListening' })
  resume(d)
}

function createItem(d: Draft, event: Extract<ClientEvent, { type: 'createItem' }>, at: number): void {
  const { ref } = event
  const item: Item = event.item.id === '' ? { ...event.item, id: d.id('item') } : event.item
  if (findEntry(d.state.history, item.id)) {
    const message = `Error adding item: an item with id '${item.id}' already exists.`
    return d.refuse(ref, 'invalid_value', message, 'item.id')
  }
  if (item.type === 'toolResult' && !acceptsResult(d, item.callId, ref)) return
  if (item.type === 'approvalResponse' && !acceptsApproval(d, item, ref)) return
  if (charsOf(item) > d.roomChars) {
    const message = 'Error adding item: the conversation is full. Delete items first.'
    return d.refuse(ref, 'conversation_full', message, 'item')
  }
  if (event.audio && d.state.transcriptions.length >= MAX_TRANSCRIPTIONS) {
    const message = `At most ${MAX_TRANSCRIPTIONS} utterances can wait to be recognised.`
    return d.refuse(ref, 'too_many_transcriptions', message, 'item')
  }
  const turn = event.audio ? d.id('turn') : (d.state.turn?.id ?? null)
  const added = d.addEntry(entryOf(item, turn), event.after)
  if (!added) {
    const message = `Error adding item: the previous item with id '${event.after}' does not exist.`
    return d.refuse(ref, 'invalid_value', message, 'previous_item_id')
  }
  if (item.type === 'toolResult') {
    const tools = new Set(d.state.tools)
    tools.delete(item.callId)
    d.set({ tools })
  }
  dropSpeculation(d)
  d.emit({ type: 'itemAdded', item, previousItemId: added.previousItemId })
  d.emit({ type: 'itemDone', item, previousItemId: added.previousItemId })
  if (item.type === 'approvalResponse') answerApproval(d, item, at)
  if (event.audio && turn !== null) recogniseItem(d, { turn, itemId: item.id, audio: event.audio }, at)
}

/** As if it had been spoken and committed by hand: an answer that is asked for waits for its words. */
function recogniseItem(
  d: Draft,
  written: { readonly turn: string; readonly itemId: string; readonly audio: Uint8Array },
  at: number,
): void {
  const { turn, itemId } = written
  openTurn(d, turn, at)
  d.addTranscription({
    turn,
    itemId,
    onFinal: 'nothing',
    endMs: 0,
    audioEndMs: 0,
    endAt: at,
    utterance: null,
  })
  d.do({ do: 'recognise', ...written })
}

/** A result belongs to a call of this conversation and is committed once. */
function acceptsResult(d: Draft, callId: string, ref: string | null): boolean {
  const items = d.state.history.map((entry) => entry.item)
  const called = items.some((item) => item.type === 'toolCall' && item.callId === callId)
  const answered = items.some((item) => item.type === 'toolResult' && item.callId === callId)
  if (called && !answered) return true
  const message = called
    ? `Tool call '${callId}' already has an output.`
    : `Tool call ID '${callId}' not found in conversation.`
  d.refuse(ref, 'invalid_tool_call_id', message, 'item.call_id')
  return false
}

function unknownItem(
  d: Draft,
  event: { readonly itemId: string; readonly ref: string | null },
  code: string,
): void {
  d.refuse(event.ref, code, `Item with item_id '${event.itemId}' not found.`, 'item_id')
}

function truncateItem(d: Draft, event: Extract<ClientEvent, { type: 'truncateItem' }>): void {
  const item = findEntry(d.state.history, event.itemId)?.item
  if (!item) return unknownItem(d, event, 'item_truncate_invalid_item_id')
  const spoken =
    item.type === 'message' && item.role === 'assistant' && item.parts.every((p) => p.type === 'audio')
  if (!spoken) {
    return d.refuse(
      event.ref,
      'unsupported_content_type',
      'Only model output audio messages can be truncated',
      'item_id',
    )
  }
  d.do({ do: 'truncate', event })
}

function respond(d: Draft, request: ResponseRequest, ref: string | null, at: number): void {
  const inConversation = request.conversation === 'default'
  const active = activeResponse(d.state)
  if (inConversation && (active?.after === 'serverTool' || isAnswered(d.state, request)))
    return d.set({ goneOn: null })
  if (inConversation && active) {
    const message = `Conversation already has an active response in progress: ${active.id}. Wait until the response is finished before creating a new one.`
    return d.refuse(ref, 'conversation_already_has_active_response', message)
  }
  if (d.state.responses.size >= MAX_RESPONSES) {
    const message = `At most ${MAX_RESPONSES} responses can be in progress at once.`
    return d.refuse(ref, 'too_many_responses', message)
  }
  const setup = setupFor(d.state, request)
  if (request.tools) nameServers(d, setup.tools)
  if (!inConversation) return beginResponse(d, { turn: d.id('turn'), setup, inConversation })
  beginResponse(d, { turn: turnToAnswer(d, at), setup, inConversation })
}

/**
 * Clients of OpenAI's API ask for the answer after a server's tool themselves, and some only once what is being said has ended:
 * it was given, as long as nobody has said anything since. One bare request for each answer is taken so.
 */
function isAnswered({ goneOn, history }: State, request: ResponseRequest): boolean {
  const entry = history.findLast(({ item }) => item.type !== 'listedTools')
  const bare = Object.keys(request).every((member) => member === 'conversation')
  return bare && goneOn !== null && entry?.turn === goneOn && entry.item.type === 'message'
}

/** A tool round, or a committed turn nothing answered yet, goes on; else the request begins a turn. */
function turnToAnswer(d: Draft, at: number): string {
  const { turn, history } = d.state
  const last = newest(history)
  if (turn && (!turn.answered || last?.type === 'toolResult' || hasServerCalls(d.state, turn.id)))
    return turn.id
  const id = d.id('turn')
  openTurn(d, id, at)
  if (last?.type === 'message' && last.role === 'user') {
    const text = last.parts.map((part) => (part.type === 'text' ? part.text : '')).join(' ')
    d.do({ do: 'userSaid', turn: id, text: text.trim(), language: null })
  }
  return id
}

function setupFor(state: State, request: ResponseRequest): ResponseSetup {
  const base = setupOf(state)
  return {
    instructions: request.instructions ?? base.instructions,
    modality: request.modality ?? base.modality,
    voice: request.voice ?? base.voice,
    tools: request.tools ? inherited(request.tools, base.tools) : base.tools,
    toolsOf: request.tools ? 'request' : 'session',
    toolChoice: request.toolChoice ?? base.toolChoice,
    maxOutputTokens: request.maxOutputTokens ?? base.maxOutputTokens,
    metadata: request.metadata ?? null,
    input: request.input ?? null,
  }
}

function cancelResponse(d: Draft, id: string | null, ref: string | null): void {
  const response = id === null ? activeResponse(d.state) : d.state.responses.get(id)
  if (!response || response.phase === 'speculating' || response.phase === 'cutting') {
    return d.refuse(ref, 'response_cancel_not_active', 'Cancellation failed: no active response found')
  }
  stopResponse(d, response, 'client_cancelled')
}
