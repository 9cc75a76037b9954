/**
 * Calls of tools: announced when the answer that makes them has ended, answered by the client or, for the pipeline's own, by the
 * server. Each runs once; a result that comes after the caller went on is kept for the next prompt, and answered by nobody.
 *
 *     finishCall ─► toolCall ─► (the client's item)
 *            ├────► serverCall ─► callTool ─► toolAnswered ─► the next answer
 *            └────► approvalRequest ─► (the client's word) ─► serverCall, or the next answer at once: `reduce-approval.ts`
 */
import type { ToolCall } from '../dialect/neutral.ts'
import type { ServerTool } from '../stage/tools.ts'
import type { Draft } from './draft.ts'
import type { SessionEvent } from './events.ts'
import { previousOf } from './history.ts'
import type { ApprovalRequestItem, Item, ServerCallItem, ToolCallItem } from './items.ts'
import { isListing, offerOf } from './offer.ts'
import type { AnswerPlace } from './output.ts'
import { entryOf } from './prompt.ts'
import { newResponse, setupOf, viewOf, voicingOf } from './response.ts'
import type { Response, State } from './state.ts'

type CallItem = ToolCallItem | ServerCallItem | ApprovalRequestItem

/** The call becomes an item; of the conversation's own, somebody owes its result, or a word on whether it may be made. */
export function finishCall(d: Draft, response: Response, call: ToolCall, outputIndex: number): CallItem {
  const tool = offerOf(d.state, response.setup.tools).served.get(call.name)
  const { id, inConversation, turn } = response
  const item = itemOf(d.id('item'), tool, call, outputIndex)
  const added = inConversation ? d.addEntry(entryOf(item, turn)) : undefined
  if (inConversation && item.type !== 'approvalRequest')
    d.set({ tools: new Set(d.state.tools).add(call.callId) })
  const place: AnswerPlace = { responseId: id, itemId: item.id, outputIndex }
  const facts = { previousItemId: added?.previousItemId ?? null, inConversation, ...place }
  switch (item.type) {
    case 'toolCall':
      d.emit({ type: 'toolCalled', item, ...facts })
      return item
    case 'approvalRequest':
      d.emit({ type: 'approvalRequested', item, ...facts })
      return item
    case 'serverCall':
      d.emit({ type: 'serverCalled', item, ...facts })
      // An answer outside the conversation has no place for a result.
      if (inConversation) d.do({ do: 'callTool', call, ...(tool?.access ? { access: tool.access } : {}) })
      return item
  }
}

function itemOf(id: string, tool: ServerTool | undefined, call: ToolCall, outputIndex: number): CallItem {
  if (!tool) return { id, type: 'toolCall', status: 'completed', ...call }
  const facts = { id, server: tool.server, outputIndex, ...call }
  if (tool.approval === undefined)
    return { type: 'serverCall', output: null, error: null, status: 'in_progress', ...facts }
  return {
    type: 'approvalRequest',
    decision: 'pending',
    explanation: null,
    status: 'completed',
    ...facts,
    ...(tool.access ? { access: tool.access } : {}),
  }
}

/** While the server's tools work the next answer begins with a phrase, where a tool has one. */
export function bridgeTools(d: Draft, turn: string, items: readonly Item[]): void {
  const calls = items.filter((item) => item.type === 'serverCall')
  const phrase = calls.map((call) => fillerOf(d.state, call)).find((filler) => filler !== null)
  if (phrase === undefined || d.state.turn?.id !== turn) return
  const response = newResponse(d, {
    turn,
    setup: setupOf(d.state),
    inConversation: true,
    phase: 'waiting',
    after: 'serverTool',
    revision: 0,
  })
  d.emit({ type: 'responseCreated', response: viewOf(response, null, []) })
  d.do({ do: 'bridge', response: response.id, turn, phrase, voicing: voicingOf(response) })
}

function fillerOf({ settings }: State, { name, server }: ServerCallItem): string | null {
  const own = settings.serverTools?.find((tool) => tool.name === name && tool.server === server)
  return own?.filler ?? settings.mcpServers?.find(({ label }) => label === server)?.filler ?? null
}

/** The answer's turn has calls of the server's under way, or its request names a server that has not said what it offers. */
export function waitsForTools(state: State, { turn, setup }: Pick<Response, 'turn' | 'setup'>): boolean {
  return (setup.toolsOf === 'request' && isListing(state, setup.tools)) || hasServerCalls(state, turn)
}

export function hasServerCalls({ history, tools }: State, turn: string): boolean {
  return history.some(
    ({ item, turn: of }) => of === turn && item.type === 'serverCall' && tools.has(item.callId),
  )
}

/** The result joins its call. True when it was the last that its turn waited for. */
export function takeResult(d: Draft, event: Extract<SessionEvent, { type: 'toolAnswered' }>): string | null {
  const { callId, output, error } = event
  const entry = d.state.history.find(({ item }) => item.type === 'serverCall' && item.callId === callId)
  const tools = new Set(d.state.tools)
  if (!tools.delete(callId)) return null
  d.set({ tools })
  if (entry?.item.type !== 'serverCall') return null
  const status = error === null ? 'completed' : 'incomplete'
  const item: ServerCallItem = { ...entry.item, output, error, status }
  d.changeEntry(item.id, (one) => ({ ...one, item }))
  d.emit({
    type: 'serverAnswered',
    item,
    previousItemId: previousOf(d.state.history, item.id),
  })
  return entry.turn !== null && !owes(d.state, entry.turn) ? entry.turn : null
}

function owes({ history, tools }: State, turn: string): boolean {
  return history.some(
    ({ item, turn: of }) =>
      of === turn && (item.type === 'toolCall' || item.type === 'serverCall') && tools.has(item.callId),
  )
}
