/**
 * Conversation items: what the wire shows, and beside it what the prompt may know. The two differ after an
 * interruption: the wire's item loses its transcript, the prompt keeps the words that were heard.
 */
import type { McpAccess, McpTool } from '../stage/tools.ts'

export type ItemStatus = 'in_progress' | 'completed' | 'incomplete'

export type Part =
  | { readonly type: 'text'; readonly text: string }
  /** `transcript` is null until recognition ends, and after a truncation. */
  | { readonly type: 'audio'; readonly transcript: string | null }
  | { readonly type: 'image'; readonly url: string; readonly detail?: string }

export interface MessageItem {
  readonly id: string
  readonly type: 'message'
  readonly role: 'user' | 'system' | 'assistant'
  readonly status: ItemStatus
  readonly parts: readonly Part[]
}

export interface ToolCallItem {
  readonly id: string
  readonly type: 'toolCall'
  readonly callId: string
  readonly name: string
  /** JSON text as the model wrote it. */
  readonly arguments: string
  /** As in `ToolCall`; the client never sees it. */
  readonly thoughtSignature?: string
  readonly status: ItemStatus
}

export interface ToolResultItem {
  readonly id: string
  readonly type: 'toolResult'
  readonly callId: string
  readonly output: string
  readonly status: ItemStatus
}

/** A call that the server makes only if somebody agrees. */
export interface ApprovalRequestItem {
  readonly id: string
  readonly type: 'approvalRequest'
  /** Whose tool it is. */
  readonly server: string
  readonly callId: string
  /** Its place in the response that made it. */
  readonly outputIndex: number
  readonly name: string
  /** JSON text as the model wrote it. */
  readonly arguments: string
  readonly thoughtSignature?: string
  readonly status: ItemStatus
  readonly decision: 'pending' | 'approved' | 'denied'
  /** Why it was denied, in the words of whoever did; null: they did not say. */
  readonly explanation: string | null
  /** Of a server that the client named. */
  readonly access?: McpAccess
}

/** A client's answer to it. */
export interface ApprovalResponseItem {
  readonly id: string
  readonly type: 'approvalResponse'
  readonly requestId: string
  readonly decision: 'approved' | 'denied'
  readonly explanation: string | null
  readonly status: ItemStatus
}

/** What an MCP server offers that the client named. No part of any prompt. */
export interface ListedToolsItem {
  readonly id: string
  readonly type: 'listedTools'
  readonly server: string
  /** Empty while it is asked, and when it could not be. */
  readonly tools: readonly McpTool[]
  /** Of the tools as JSON. */
  readonly chars: number
  readonly status: ItemStatus
}

/** A call that the server itself answers, with its result once that is there. */
export interface ServerCallItem {
  readonly id: string
  readonly type: 'serverCall'
  /** Whose tool it is. */
  readonly server: string
  readonly callId: string
  /** Its place in the response that made it. */
  readonly outputIndex: number
  readonly name: string
  /** JSON text as the model wrote it. */
  readonly arguments: string
  readonly thoughtSignature?: string
  /** Null: not there yet, or it failed. */
  readonly output: string | null
  readonly error: string | null
  readonly status: ItemStatus
  /** The request that was approved; left out: nobody was asked. */
  readonly approvalRequestId?: string
}

export type Item =
  | MessageItem
  | ToolCallItem
  | ToolResultItem
  | ServerCallItem
  | ApprovalRequestItem
  | ApprovalResponseItem
  | ListedToolsItem

/** The item once its audio's words are known. */
export function heardAs(item: Item, transcript: string): Item {
  if (item.type !== 'message') return item
  const parts = item.parts.map((part) =>
    part.type === 'audio' && part.transcript === null ? { ...part, transcript } : part,
  )
  return { ...item, parts }
}

/** What an item holds in texts and pictures. */
export function charsOf(item: Item): number {
  switch (item.type) {
    case 'message':
      return item.parts.reduce((sum, part) => sum + charsOfPart(part), 0)
    case 'toolCall':
      return item.name.length + item.arguments.length
    case 'toolResult':
      return item.output.length
    case 'serverCall':
      return item.name.length + item.arguments.length + (item.output ?? item.error ?? '').length
    case 'approvalRequest':
      return item.name.length + item.arguments.length + (item.explanation ?? '').length
    case 'approvalResponse':
      return (item.explanation ?? '').length
    case 'listedTools':
      return item.chars
  }
}

function charsOfPart(part: Part): number {
  switch (part.type) {
    case 'text':
      return part.text.length
    case 'audio':
      return part.transcript?.length ?? 0
    case 'image':
      return part.url.length
  }
}

/** How much of an assistant's message the caller heard. Provisional: a later mark or truncate amends it. */
export interface Heard {
  readonly ms: number
  readonly text: string
  readonly interrupted: boolean
}
