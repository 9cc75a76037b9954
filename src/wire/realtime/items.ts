/** Conversation items: the wire's shapes ⇄ the session's. */
import type { Item, ItemStatus, MessageItem, Part } from '../../session/items.ts'
import { decodeAudio } from './audio-in.ts'
import { asArray, asObject, asOneOf, asString, type Json, Refusal } from './check.ts'
import { parseApprovalResponse, wireMcpItem } from './mcp-items.ts'

const MAX_ID_CHARS = 128
const MAX_PARTS = 256
/** A data URL of a large photograph. */
const MAX_IMAGE_CHARS = 8 * 1024 * 1024

/** Those of MCP servers are the server's to write, but for a client's word on a call. */
const TYPES = ['message', 'function_call', 'function_call_output', 'mcp_approval_response'] as const
const STATUSES: readonly ItemStatus[] = ['completed', 'incomplete', 'in_progress']

export function asId(value: unknown, path: string): string {
  return asString(value, path, MAX_ID_CHARS)
}

/** An item the client writes, and audio of it whose words are not known: in the session's input format. */
export interface WrittenItem {
  readonly item: Item
  readonly audio: Uint8Array | null
}

/** An item that may be of audio without words. */
export function parseWrittenItem(value: unknown, path: string): WrittenItem {
  let audio: Uint8Array | null = null
  const item = parseItem(value, path, (bytes, at) => {
    if (audio) throw new Refusal('unsupported_content_type', 'An item can hold one stretch of audio.', at)
    audio = bytes
  })
  return { item, audio }
}

/** Who takes audio without words; left out: nobody, and it is refused. */
type AudioTaker = (bytes: Uint8Array, path: string) => void

/** An item the client writes. Without an id it gets `''`, and the session gives it one. */
export function parseItem(value: unknown, path: string, take?: AudioTaker): Item {
  const item = asObject(value, path)
  const id = item['id'] == null ? '' : asId(item['id'], `${path}.id`)
  // A client may replay its history; what it calls unfinished is finished for us.
  const status = item['status'] == null ? 'completed' : asOneOf(item['status'], `${path}.status`, STATUSES)
  switch (asOneOf(item['type'], `${path}.type`, TYPES)) {
    case 'message':
      return parseMessage(item, path, { id, status: status === 'in_progress' ? 'completed' : status }, take)
    case 'function_call':
      return {
        id,
        type: 'toolCall',
        callId: asId(item['call_id'], `${path}.call_id`),
        name: asString(item['name'], `${path}.name`, 128),
        arguments: asString(item['arguments'], `${path}.arguments`),
        status: 'completed',
      }
    case 'mcp_approval_response':
      return parseApprovalResponse(item, path, id)
    case 'function_call_output':
      return {
        id,
        type: 'toolResult',
        callId: asId(item['call_id'], `${path}.call_id`),
        output: asString(item['output'], `${path}.output`),
        status: 'completed',
      }
  }
}

function parseMessage(
  item: Json,
  path: string,
  facts: Pick<MessageItem, 'id' | 'status'>,
  take: AudioTaker | undefined,
): MessageItem {
  const role = asOneOf(item['role'], `${path}.role`, ['user', 'assistant', 'system'])
  const content = asArray(item['content'], `${path}.content`, MAX_PARTS)
  const parts = content.map((part, at) => parsePart(part, `${path}.content[${at}]`, role, take))
  return { type: 'message', role, parts, ...facts }
}

const PART_TYPES = {
  user: ['input_text', 'input_audio', 'input_image', 'text'],
  system: ['input_text', 'text'],
  assistant: ['output_text', 'output_audio', 'text', 'audio'],
} as const

function parsePart(
  value: unknown,
  path: string,
  role: MessageItem['role'],
  take: AudioTaker | undefined,
): Part {
  const part = asObject(value, path)
  const type: string = asOneOf(part['type'], `${path}.type`, PART_TYPES[role])
  switch (type) {
    case 'input_image': {
      const detail = part['detail']
      const url = asString(part['image_url'], `${path}.image_url`, MAX_IMAGE_CHARS)
      return {
        type: 'image',
        url,
        ...(detail == null ? {} : { detail: asString(detail, `${path}.detail`, 16) }),
      }
    }
    case 'input_audio':
      return parseAudioPart(part, path, take)
    case 'output_audio':
    case 'audio':
      return parseAudioPart(part, path, undefined)
    default:
      return { type: 'text', text: asString(part['text'], `${path}.text`) }
  }
}

/** The words stand for the audio; a caller's audio without words is recognised. */
function parseAudioPart(part: Json, path: string, take: AudioTaker | undefined): Part {
  const transcript = part['transcript']
  if (transcript != null) return { type: 'audio', transcript: asString(transcript, `${path}.transcript`) }
  if (take) {
    const bytes = decodeAudio(part['audio'], `${path}.audio`)
    if (bytes.length === 0)
      throw new Refusal('invalid_value', `Invalid '${path}.audio': it is empty.`, `${path}.audio`)
    take(bytes, `${path}.audio`)
    return { type: 'audio', transcript: null }
  }
  const text = 'Audio content without a transcript is not supported here. Add a transcript.'
  throw new Refusal('unsupported_content_type', text, `${path}.transcript`)
}

/** The item as events carry it. `audio` is the base64 of its audio, for `conversation.item.retrieved` only. */
export function wireItem(item: Item, audio: string | null = null): object {
  switch (item.type) {
    case 'message':
      return {
        id: item.id,
        object: 'realtime.item',
        type: 'message',
        status: item.status,
        role: item.role,
        content: wireParts(item, audio),
      }
    case 'toolCall':
      return {
        id: item.id,
        object: 'realtime.item',
        type: 'function_call',
        status: item.status,
        call_id: item.callId,
        name: item.name,
        arguments: item.arguments,
      }
    case 'toolResult':
      return {
        id: item.id,
        object: 'realtime.item',
        type: 'function_call_output',
        status: item.status,
        call_id: item.callId,
        output: item.output,
      }
    case 'serverCall':
    case 'approvalRequest':
    case 'approvalResponse':
    case 'listedTools':
      return wireMcpItem(item)
  }
}

function wireParts(item: MessageItem, audio: string | null): readonly object[] {
  const side = item.role === 'assistant' ? 'output' : 'input'
  // An item has one stretch of audio, so it goes with its first audio part.
  const withAudio = item.parts.findIndex((part) => part.type === 'audio')
  return item.parts.map((part, at) => wirePart(part, side, at === withAudio ? audio : null))
}

function wirePart(part: Part, side: 'input' | 'output', audio: string | null): object {
  switch (part.type) {
    case 'text':
      return { type: `${side}_text`, text: part.text }
    case 'image':
      return { type: 'input_image', image_url: part.url, ...(part.detail ? { detail: part.detail } : {}) }
    case 'audio':
      // `transcript` is always present, null or not: clients' schemas ask for it.
      return { type: `${side}_audio`, transcript: part.transcript, ...(audio === null ? {} : { audio }) }
  }
}
