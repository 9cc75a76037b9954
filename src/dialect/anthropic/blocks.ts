/** Parts of neutral messages as content blocks for a provider. Pure. Written from the types of `@anthropic-ai/sdk` 1.13. */
import { RequestFault } from '../faults.ts'
import type { CacheHint, ContentPart, ReasoningPart, ToolCall } from '../neutral.ts'
import { isRecord } from '../openai-error.ts'

export type Block = Record<string, unknown>

/** What had to be left out, as `Encoded.dropped`. */
export type Dropped = Set<string>

/** Nothing for a text without a visible character, which is refused. Throws `RequestFault` for what it cannot read. */
export function blocksOf(part: ContentPart, dropped: Dropped): Block[] {
  switch (part.type) {
    case 'text':
      return part.text.trim() === '' ? [] : [{ type: 'text', text: part.text, ...cacheOf(part) }]
    case 'image': {
      const { source } = part
      if (part.detail !== undefined && part.detail !== 'auto') dropped.add('messages: image detail')
      const given =
        source.type === 'url'
          ? { type: 'url', url: source.url }
          : { type: 'base64', media_type: source.mediaType, data: source.data }
      return [{ type: 'image', source: given, ...cacheOf(part) }]
    }
    case 'audio':
      throw new RequestFault('messages', 'This target does not hear audio.', 'unsupported_value')
    case 'file':
      return [fileOf(part)]
    default: {
      const never: never = part
      return never
    }
  }
}

function fileOf(part: Extract<ContentPart, { type: 'file' }>): Block {
  const { mediaType, source, name } = part
  if (source.type === 'base64' && mediaType.startsWith('image/')) {
    const image = { type: 'base64', media_type: mediaType, data: source.data }
    return { type: 'image', source: image, ...cacheOf(part) }
  }
  return {
    type: 'document',
    source: documentOf(mediaType, source),
    ...(name !== undefined && name !== '' && { title: name }),
    ...cacheOf(part),
  }
}

function documentOf(mediaType: string, source: Extract<ContentPart, { type: 'file' }>['source']): Block {
  if (source.type === 'url') return { type: 'url', url: source.url }
  if (mediaType === 'application/pdf') return { type: 'base64', media_type: mediaType, data: source.data }
  if (mediaType.startsWith('text/') || mediaType === 'application/json') {
    return { type: 'text', media_type: 'text/plain', data: decodeBase64(source.data) }
  }
  throw new RequestFault('messages', 'This target reads PDF, plain text and images.', 'unsupported_value')
}

function decodeBase64(data: string): string {
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(data), (c) => c.charCodeAt(0)))
  } catch {
    throw new RequestFault('messages', 'The data of a file is not in base64.')
  }
}

export function cacheOf({ cache }: { readonly cache?: CacheHint }): Block {
  if (cache === undefined) return {}
  return { cache_control: cache === '5m' ? { type: 'ephemeral' } : { type: 'ephemeral', ttl: cache } }
}

/** Only what Anthropic signed itself may go back: any other signature makes it refuse the request. */
export function thoughtOf(thought: ReasoningPart, dropped: Dropped): Block[] {
  const { text, signature, sealed, by } = thought
  if (by === 'anthropic' && sealed !== undefined) return [{ type: 'redacted_thinking', data: sealed }]
  if (by === 'anthropic' && signature !== undefined) return [{ type: 'thinking', thinking: text, signature }]
  dropped.add('messages: thoughts that Anthropic did not sign')
  return []
}

export function callBlock({ callId, name, arguments: args }: ToolCall): Block {
  return { type: 'tool_use', id: idOf(callId), name, input: inputOf(args) }
}

/** Others' ids may hold dots and colons. */
export function idOf(callId: string): string {
  return callId.replaceAll(/[^\w-]/g, '_')
}

/** What a model wrote may be no JSON: it is given back as Anthropic's page on tool streaming proposes. */
export function inputOf(args: string): unknown {
  if (args.trim() === '') return {}
  try {
    const input: unknown = JSON.parse(args)
    if (isRecord(input)) return input
  } catch {}
  return { INVALID_JSON: args }
}
