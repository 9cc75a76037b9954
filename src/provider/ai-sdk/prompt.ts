/** Neutral messages as the prompt of the AI SDK's specification. Pure. */
import { RequestFault } from '../../dialect/faults.ts'
import type { ContentPart, ModelMessage, ToolCall } from '../../dialect/neutral.ts'
import type {
  CallPart,
  FileData,
  FilePart,
  PromptMessage,
  ResultContent,
  ResultPart,
  SpecVersion,
  TaggedData,
  TextPart,
} from './spec.ts'

/** Throws `RequestFault`. */
export function promptOf(messages: readonly ModelMessage[], version: SpecVersion): PromptMessage[] {
  const prompt: PromptMessage[] = []
  /** A result must name its tool, which here only its call does. */
  const names = new Map<string, string>()
  for (const [i, message] of messages.entries()) {
    const at = `messages[${i}]`
    switch (message.role) {
      case 'system':
        if (message.parts?.some(({ type }) => type !== 'text'))
          throw refused(`${at}.content`, 'A system message may hold only text for this target.')
        prompt.push({ role: 'system', content: message.text })
        break
      case 'user':
        prompt.push({ role: 'user', content: userContent(message, version) })
        break
      case 'assistant': {
        const { text, toolCalls = [], reasoning = [] } = message
        for (const { callId, name } of toolCalls) names.set(callId, name)
        prompt.push({
          role: 'assistant',
          content: [
            ...reasoning
              .filter(({ text }) => text !== '')
              .map(({ text }) => ({ type: 'reasoning' as const, text })),
            ...textParts(text),
            ...toolCalls.map(callPart),
          ],
        })
        break
      }
      case 'tool': {
        const { callId } = message
        const name = names.get(callId)
        if (name === undefined) throw refused(at, 'No call before it has the id of this result.')
        const result: ResultPart = {
          type: 'tool-result',
          toolCallId: callId,
          toolName: name,
          output: outputOf(message, version, at),
        }
        const last = prompt.at(-1)
        // The results of one round are one message.
        if (last?.role === 'tool') last.content.push(result)
        else prompt.push({ role: 'tool', content: [result] })
        break
      }
      default: {
        const never: never = message
        return never
      }
    }
  }
  return prompt
}

function textParts(text: string): TextPart[] {
  return text === '' ? [] : [{ type: 'text', text }]
}

function userContent(
  { text, parts = [] }: { readonly text: string; readonly parts?: readonly ContentPart[] },
  version: SpecVersion,
): (TextPart | FilePart)[] {
  if (parts.length === 0) return [{ type: 'text', text }]
  return parts.map((part) =>
    part.type === 'text' ? { type: 'text', text: part.text } : filePart(part, version),
  )
}

type MediaPart = Exclude<ContentPart, { type: 'text' }>

function filePart(part: MediaPart, version: SpecVersion): FilePart {
  const { mediaType, source } = mediaOf(part)
  return {
    type: 'file',
    mediaType,
    data: dataOf(source, version),
    ...(part.type === 'file' && part.name !== undefined && { filename: part.name }),
  }
}

interface Media {
  readonly mediaType: string
  readonly source: Source
}

type Source =
  | { readonly type: 'url'; readonly url: string }
  | { readonly type: 'base64'; readonly data: string }

function mediaOf(part: MediaPart): Media {
  switch (part.type) {
    case 'image':
      // Of an address the kind is not known.
      return {
        mediaType: part.source.type === 'url' ? 'image/*' : part.source.mediaType,
        source: part.source,
      }
    case 'audio':
      return {
        mediaType: part.format === 'wav' ? 'audio/wav' : 'audio/mpeg',
        source: { type: 'base64', data: part.data },
      }
    case 'file':
      return part
    default: {
      const never: never = part
      return never
    }
  }
}

function dataOf(source: Source, version: SpecVersion): FileData {
  if (version === 'v4') return tagged(source)
  return source.type === 'url' ? new URL(source.url) : source.data
}

function tagged(source: Source): TaggedData {
  return source.type === 'url'
    ? { type: 'url', url: new URL(source.url) }
    : { type: 'data', data: source.data }
}

function callPart({ callId, name, arguments: args, thoughtSignature }: ToolCall): CallPart {
  return {
    type: 'tool-call',
    toolCallId: callId,
    toolName: name,
    input: inputOf(args),
    // The keys of Google's packages; also what `@ai-sdk/openai-compatible` reads.
    ...(thoughtSignature !== undefined && {
      providerOptions: { google: { thoughtSignature }, vertex: { thoughtSignature } },
    }),
  }
}

/** What a model wrote may be no JSON, and most packages put an object into their body. */
function inputOf(args: string): unknown {
  if (args.trim() === '') return {}
  try {
    return JSON.parse(args)
  } catch {
    return { INVALID_JSON: args }
  }
}

type Result = Extract<ModelMessage, { role: 'tool' }>

function outputOf(
  { text, parts = [], failed }: Result,
  version: SpecVersion,
  at: string,
): ResultPart['output'] {
  if (parts.every(({ type }) => type === 'text')) return { type: failed ? 'error-text' : 'text', value: text }
  return {
    type: 'content',
    value: parts.map((part, i) => resultContent(part, version, `${at}.content[${i}]`)),
  }
}

function resultContent(part: ContentPart, version: SpecVersion, at: string): ResultContent {
  if (part.type === 'text') return { type: 'text', text: part.text }
  const { mediaType, source } = mediaOf(part)
  const named = part.type === 'file' && part.name !== undefined ? { filename: part.name } : {}
  const kind = part.type === 'image' ? 'image' : 'file'
  switch (version) {
    case 'v2':
      if (source.type === 'url')
        throw refused(at, 'The result of a tool may hold no address for this target.')
      return { type: 'media', data: source.data, mediaType }
    case 'v3':
      if (source.type === 'url') return { type: `${kind}-url`, url: source.url }
      return { type: `${kind}-data`, data: source.data, mediaType, ...named }
    case 'v4':
      return { type: 'file', data: tagged(source), mediaType, ...named }
    default: {
      const never: never = version
      return never
    }
  }
}

function refused(param: string, message: string): RequestFault {
  return new RequestFault(param, message, 'unsupported_value')
}
