/**
 * The conversation's items in order, and the prompt made of them. An assistant's message enters the prompt as
 * far as it was heard; an interrupted one carries a marker, so that the model knows it was cut off. Pure.
 */
import type { ModelMessage, ToolCall } from '../dialect/neutral.ts'
import type { ApprovalRequestItem, Heard, Item, MessageItem, ServerCallItem, ToolCallItem } from './items.ts'

export interface Entry {
  readonly item: Item
  readonly turn: string | null
  /** What the assistant said in full; the wire's item loses it on truncation, this stays. */
  readonly said: string | null
  readonly heard: Heard | null
}

export type History = readonly Entry[]

export const INTERRUPTED = '[interrupted]'
export const NO_RESULT_YET = 'No result yet.'
export const NOT_DECIDED = 'Not done yet: somebody is being asked whether it may be done.'
export const DENIED = 'Not done: it was not approved.'

export function findEntry(history: History, id: string): Entry | undefined {
  return history.find((entry) => entry.item.id === id)
}

/** The newest item that is part of the conversation: what a server lists may come at any time. */
export function newest(history: History): Item | undefined {
  return history.findLast(({ item }) => item.type !== 'listedTools')?.item
}

/** `after`: an item id, `root` for the front, null to append. Null when that item is unknown. */
export function insertEntry(
  history: History,
  entry: Entry,
  after: string | null,
): { readonly history: History; readonly previousItemId: string | null } | null {
  if (after === 'root') return { history: [entry, ...history], previousItemId: null }
  const last = history.at(-1)
  if (after === null) return { history: [...history, entry], previousItemId: last?.item.id ?? null }
  const index = history.findIndex((e) => e.item.id === after)
  if (index < 0) return null
  return {
    history: [...history.slice(0, index + 1), entry, ...history.slice(index + 1)],
    previousItemId: after,
  }
}

export function changeEntry(history: History, id: string, change: (entry: Entry) => Entry): History {
  return history.map((entry) => (entry.item.id === id ? change(entry) : entry))
}

export function removeEntry(history: History, id: string): History {
  return history.filter((entry) => entry.item.id !== id)
}

/** The id of the item before `id`, as the wire's `previous_item_id`. */
export function previousOf(history: History, id: string): string | null {
  const index = history.findIndex((entry) => entry.item.id === id)
  return index > 0 ? (history[index - 1]?.item.id ?? null) : null
}

/** The words of a message that a prompt may contain; empty when nothing was heard or recognised. */
export function promptText(entry: Entry): string {
  const item = entry.item
  if (item.type !== 'message') return ''
  if (item.role !== 'assistant') return messageText(item)
  const said = entry.said ?? messageText(item)
  if (!entry.heard?.interrupted) return said
  const heard = entry.heard.text.trim()
  return heard === '' ? '' : `${heard} ${INTERRUPTED}`
}

function messageText(item: MessageItem): string {
  return item.parts
    .map((part) => (part.type === 'text' ? part.text : part.type === 'audio' ? (part.transcript ?? '') : ''))
    .join(' ')
    .trim()
}

/**
 * Messages for the model. Successive user messages become one (a caller who went on after a pause); every
 * tool call is followed by its result, or by a placeholder, since providers refuse a history without it.
 */
export function promptMessages(history: History, instructions: string): ModelMessage[] {
  const results = resultsOf(history)
  const requests = new Set(history.flatMap(({ item }) => (item.type === 'approvalRequest' ? [item.id] : [])))
  const isShown = (item: Item): item is CallItem => isCall(item) && !isRequested(item, requests)
  const messages: ModelMessage[] = instructions === '' ? [] : [{ role: 'system', text: instructions }]
  for (let i = 0; i < history.length; i++) {
    const entry = history[i] as Entry
    if (isShown(entry.item)) {
      const calls: ToolCall[] = []
      for (let item: Item | undefined = entry.item; item && isShown(item); item = history[++i]?.item) {
        calls.push(callOf(item))
      }
      i--
      appendCalls(messages, calls, results)
      continue
    }
    if (entry.item.type === 'message') appendWords(messages, entry.item.role, promptText(entry))
  }
  return messages
}

type CallItem = ToolCallItem | ServerCallItem | ApprovalRequestItem

function callOf({ callId, name, arguments: args, thoughtSignature }: CallItem): ToolCall {
  return { callId, name, arguments: args, ...(thoughtSignature !== undefined && { thoughtSignature }) }
}

function isCall(item: Item): item is CallItem {
  return item.type === 'toolCall' || item.type === 'serverCall' || item.type === 'approvalRequest'
}

/** A call that was approved stands where it was asked for, as long as that is there. */
function isRequested(item: CallItem, requests: ReadonlySet<string>): boolean {
  return (
    item.type === 'serverCall' && item.approvalRequestId !== undefined && requests.has(item.approvalRequestId)
  )
}

/** By call id. What a tool or a person said is data. */
function resultsOf(history: History): ReadonlyMap<string, string> {
  const results = new Map<string, string>()
  for (const { item } of history) {
    if (item.type === 'toolResult') results.set(item.callId, item.output)
    if (item.type === 'approvalRequest' && item.decision === 'pending') results.set(item.callId, NOT_DECIDED)
    if (item.type === 'approvalRequest' && item.decision === 'denied')
      results.set(item.callId, item.explanation === null ? DENIED : `${DENIED} Reason: ${item.explanation}`)
    const answered = item.type === 'serverCall' ? (item.output ?? item.error) : null
    if (item.type === 'serverCall' && answered !== null) results.set(item.callId, answered)
  }
  return results
}

function appendCalls(
  messages: ModelMessage[],
  toolCalls: ToolCall[],
  results: ReadonlyMap<string, string>,
): void {
  const last = messages.at(-1)
  if (last?.role === 'assistant' && !last.toolCalls) messages.splice(-1, 1, { ...last, toolCalls })
  else messages.push({ role: 'assistant', text: '', toolCalls })
  for (const { callId } of toolCalls) {
    messages.push({ role: 'tool', callId, text: results.get(callId) ?? NO_RESULT_YET })
  }
}

function appendWords(messages: ModelMessage[], role: MessageItem['role'], text: string): void {
  if (text === '') return
  const last = messages.at(-1)
  if (role !== 'user' || last?.role !== 'user') messages.push({ role, text })
  else messages.splice(-1, 1, { role, text: `${last.text} ${text}` })
}
