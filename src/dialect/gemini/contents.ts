/**
 * Neutral messages as Gemini wants a conversation: the system prompt apart, roles `user` and `model` in turn, the results of one turn's
 * calls together in a content of their own. Pure. Written from the types of `@google/genai` 2.32.
 */
import { argumentsObject } from '../call-arguments.ts'
import { RequestFault } from '../faults.ts'
import type { ContentPart, ModelMessage, ToolCall } from '../neutral.ts'

export type Part = Readonly<Record<string, unknown>>

export interface Content {
  readonly role: 'user' | 'model'
  readonly parts: Part[]
}

export interface Conversation {
  readonly system: readonly Part[]
  readonly contents: readonly Content[]
}

export interface ContentOptions {
  /** What a call without a signature of Gemini's gets instead; null: nothing. */
  readonly unsigned: string | null
  readonly dropped: Set<string>
}

/** A conversation must have a turn to answer; ours may be instructions alone. */
const OPENING = 'Begin.'

/** Throws `RequestFault`. */
export function conversationOf(messages: readonly ModelMessage[], options: ContentOptions): Conversation {
  const { dropped } = options
  const system: Part[] = []
  const contents: Content[] = []
  const names = new Map<string, string>()
  /** Of the results at the end of `contents`. */
  let results: Part[] | undefined
  /** Images that came with results, which stand after all of them. */
  let beside: Part[] = []

  const say = (role: Content['role'], parts: readonly Part[]) => {
    const late = beside
    beside = []
    const all = [...late, ...parts]
    if (all.length === 0) return
    const last = contents.at(-1)
    // Results are counted by Gemini: nothing else stands among them.
    if (last?.role === role && last.parts !== results && late.length === 0) last.parts.push(...all)
    else if (late.length > 0 && role === 'model') {
      contents.push({ role: 'user', parts: late })
      if (parts.length > 0) contents.push({ role, parts: [...parts] })
    } else contents.push({ role, parts: all })
    results = undefined
  }

  for (const [i, message] of messages.entries()) {
    switch (message.role) {
      case 'system': {
        if (contents.length > 0) dropped.add('messages: the place of a system prompt')
        const parts = message.parts ?? [{ type: 'text' as const, text: message.text }]
        const texts = parts.filter(({ type }) => type === 'text')
        if (texts.length < parts.length) dropped.add('messages: what is no text in a system prompt')
        system.push(...texts.flatMap((part) => partOf(part, dropped)))
        break
      }
      case 'user':
        say('user', partsOf(message, dropped))
        break
      case 'assistant': {
        for (const { callId, name } of message.toolCalls ?? []) names.set(callId, name)
        say('model', answered(message, options))
        break
      }
      case 'tool': {
        const name = names.get(message.callId)
        if (name === undefined) {
          throw new RequestFault(
            `messages[${i}]`,
            'A result of a tool belongs to no call of the conversation.',
            'invalid_value',
          )
        }
        if (!results) {
          say('user', [])
          results = []
          contents.push({ role: 'user', parts: results })
        }
        results.push(resultOf(message, name))
        beside.push(
          ...(message.parts ?? []).flatMap((part) => (part.type === 'text' ? [] : partOf(part, dropped))),
        )
        break
      }
      default: {
        const never: never = message
        return never
      }
    }
  }
  say('user', [])
  if (contents.length === 0) contents.push({ role: 'user', parts: [{ text: OPENING }] })
  return { system, contents }
}

function partsOf(
  { text, parts }: { readonly text: string; readonly parts?: readonly ContentPart[] },
  dropped: Set<string>,
): Part[] {
  return (parts ?? [{ type: 'text' as const, text }]).flatMap((part) => partOf(part, dropped))
}

/** None of an empty text, which Gemini refuses. */
function partOf(part: ContentPart, dropped: Set<string>): Part[] {
  if ('cache' in part && part.cache !== undefined) dropped.add('cache hints: it caches by itself')
  switch (part.type) {
    case 'text':
      return part.text === '' ? [] : [{ text: part.text }]
    case 'image': {
      const { source, detail } = part
      if (detail !== undefined && detail !== 'auto') dropped.add('messages: detail of an image')
      return [
        source.type === 'url'
          ? fileAt(source.url, imageType(source.url))
          : inline(source.mediaType, source.data),
      ]
    }
    case 'audio':
      return [inline(`audio/${part.format}`, part.data)]
    case 'file': {
      const { source, mediaType } = part
      return [source.type === 'url' ? fileAt(source.url, mediaType) : inline(mediaType, source.data)]
    }
    default: {
      const never: never = part
      return never
    }
  }
}

function inline(mimeType: string, data: string): Part {
  return { inlineData: { mimeType, data } }
}

/** Gemini reads the address itself. */
function fileAt(fileUri: string, mimeType: string): Part {
  return { fileData: { mimeType, fileUri } }
}

/** An address must come with its type; one that shows none is taken for the most usual. */
function imageType(url: string): string {
  const extension = /\.(png|webp|gif|heic|heif)(?:[?#]|$)/i.exec(url)?.[1]
  return extension ? `image/${extension.toLowerCase()}` : 'image/jpeg'
}

type Assistant = Extract<ModelMessage, { role: 'assistant' }>

/** Its thoughts stay behind: what Gemini shows of them are summaries. Their signature goes back where it stood, at the first call. */
function answered(
  { text, toolCalls = [], reasoning = [] }: Assistant,
  { unsigned, dropped }: ContentOptions,
): Part[] {
  const own = reasoning.findLast((one) => one.by === 'gemini' && one.signature !== undefined)?.signature
  if (reasoning.some(({ by }) => by !== 'gemini')) dropped.add('messages: reasoning of others')
  const calls = toolCalls.map((call, i) => {
    // Of parallel calls the first alone is signed.
    const signature = call.thoughtSignature ?? (i === 0 ? (own ?? unsigned ?? undefined) : undefined)
    return { functionCall: callOf(call), ...(signature !== undefined && { thoughtSignature: signature }) }
  })
  const said =
    text === '' ? [] : [{ text, ...(calls.length === 0 && own !== undefined && { thoughtSignature: own }) }]
  return [...said, ...calls]
}

function callOf({ callId, name, arguments: text }: ToolCall): Part {
  return { id: callId, name, args: argumentsObject(text) }
}

function resultOf({ callId, text, failed }: Extract<ModelMessage, { role: 'tool' }>, name: string): Part {
  return { functionResponse: { id: callId, name, response: failed ? { error: text } : { output: text } } }
}
