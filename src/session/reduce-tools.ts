/**
 * Calls of tools: announced when the answer that makes them has ended, answered by the client or, for the pipeline's own, by the
 * server. Each runs once; a result that comes after the caller went on is kept for the next prompt, and answered by nobody.
 *
 *     finishCall ─► toolCall ─► (the client's item)                     serverCall ─► callTool ─► toolAnswered ─► the next answer
 */
import type { ToolCall, ToolDefinition } from '../dialect/neutral.ts'
import type { Draft } from './draft.ts'
import type { SessionEvent } from './events.ts'
import { previousOf } from './history.ts'
import type { ServerCallItem, ToolCallItem } from './items.ts'
import { entryOf } from './prompt.ts'
import type { SessionSettings } from './settings.ts'
import type { Response, State } from './state.ts'

/** What the model is offered: the client's tools, and the server's. */
export function offered(
  settings: SessionSettings,
  client: readonly ToolDefinition[],
): readonly ToolDefinition[] {
  const { serverTools = [] } = settings
  if (serverTools.length === 0) return client
  const own = serverTools.map(({ server: _server, filler: _filler, ...definition }) => definition)
  const names = new Set(own.map(({ name }) => name))
  return [...client.filter(({ name }) => !names.has(name)), ...own]
}

/** The call becomes an item; of the conversation's own, somebody owes its result. */
export function finishCall(
  d: Draft,
  response: Response,
  call: ToolCall,
  outputIndex: number,
): ToolCallItem | ServerCallItem {
  const tool = d.state.settings.serverTools?.find(({ name }) => name === call.name)
  const { id, inConversation, turn } = response
  const item: ToolCallItem | ServerCallItem = tool
    ? {
        id: d.id('item'),
        type: 'serverCall',
        server: tool.server,
        outputIndex,
        output: null,
        error: null,
        status: 'in_progress',
        ...call,
      }
    : { id: d.id('item'), type: 'toolCall', status: 'completed', ...call }
  const added = inConversation ? d.addEntry(entryOf(item, turn)) : undefined
  if (inConversation) d.set({ tools: new Set(d.state.tools).add(call.callId) })
  const place = { responseId: id, itemId: item.id, outputIndex, inConversation }
  const previousItemId = added?.previousItemId ?? null
  if (item.type === 'toolCall') d.emit({ type: 'toolCalled', item, previousItemId, ...place })
  else {
    d.emit({ type: 'serverCalled', item, previousItemId, ...place })
    // An answer outside the conversation has no place for a result.
    if (inConversation) d.do({ do: 'callTool', call })
  }
  return item
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
