/** What a wire tells the session, in neutral words. `ref` is the client's own event id, given back in refusals. */
import type { ToolChoice } from '../dialect/neutral.ts'
import type { Item } from './items.ts'
import { type ClientTool, namingRefusal } from './mcp.ts'
import type { ControlOutput } from './output.ts'
import type { SessionSettings } from './settings.ts'

/** What one response overrides; members left out follow the session. */
export interface ResponseRequest {
  readonly conversation: 'default' | 'none'
  readonly instructions?: string
  readonly modality?: 'audio' | 'text'
  readonly voice?: string
  readonly tools?: readonly ClientTool[]
  readonly toolChoice?: ToolChoice
  readonly maxOutputTokens?: number | 'inf'
  readonly metadata?: Readonly<Record<string, string>> | null
  /** Replaces the conversation as context. A string is the id of an item of the conversation. */
  readonly input?: readonly (Item | string)[]
}

export type ClientEvent =
  | { readonly type: 'settings'; readonly patch: Partial<SessionSettings>; readonly ref: string | null }
  | { readonly type: 'commit'; readonly ref: string | null }
  | { readonly type: 'clear'; readonly ref: string | null }
  /** `after`: an item id, `root` for the front, null to append. An item without id has id ''. */
  | {
      readonly type: 'createItem'
      readonly item: Item
      /** Of its audio part, where the words are not known: in the session's input format. */
      readonly audio?: Uint8Array
      readonly after: string | null
      readonly ref: string | null
    }
  | { readonly type: 'deleteItem'; readonly itemId: string; readonly ref: string | null }
  | { readonly type: 'retrieveItem'; readonly itemId: string; readonly ref: string | null }
  | {
      readonly type: 'truncateItem'
      readonly itemId: string
      readonly contentIndex: number
      readonly audioEndMs: number
      readonly ref: string | null
    }
  | { readonly type: 'respond'; readonly request: ResponseRequest; readonly ref: string | null }
  | { readonly type: 'cancelResponse'; readonly responseId: string | null; readonly ref: string | null }
  /** The client's word on how much of a response was played. */
  | { readonly type: 'played'; readonly responseId: string; readonly playedMs: number }
  /** A key of the telephone: `0-9 * # A-D`. */
  | { readonly type: 'digit'; readonly digit: string }
  /** These words are said as they are, by nobody's model; what is being said or thought ends first. */
  | { readonly type: 'say'; readonly text: string }
  /** The line broke, and may come back: what it had not played is played again then. */
  | { readonly type: 'lineLost' }
  | { readonly type: 'lineBack' }

const GUARDED = ['instructions', 'voice', 'tools'] as const

/**
 * For what the pipeline's `clientMay` does not allow, and for MCP servers that the operator does not; null when all is well.
 * Sending what stands is allowed.
 */
export function overrideRefusal(
  event: ClientEvent,
  settings: SessionSettings,
  clientMay: readonly string[],
): Extract<ControlOutput, { type: 'refused' }> | null {
  if (event.type !== 'settings' && event.type !== 'respond') return null
  const [asked, place] = event.type === 'settings' ? [event.patch, 'session'] : [event.request, 'response']
  for (const member of GUARDED) {
    const value = asked[member]
    if (value === undefined || clientMay.includes(member)) continue
    if (JSON.stringify(value) === JSON.stringify(settings[member])) continue
    const message = `This pipeline does not let clients change ${member}.`
    const param = `${place}.${member}`
    return { type: 'refused', code: 'override_not_allowed', message, param, ref: event.ref }
  }
  const naming = namingRefusal(asked.tools ?? [], settings.mcpServers ?? [], `${place}.tools`)
  return naming && { type: 'refused', ...naming, ref: event.ref }
}
