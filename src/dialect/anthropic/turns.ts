/**
 * Neutral messages as Anthropic wants a conversation: system prompts apart, user and assistant in turn, results of tools first in
 * the turn that answers their calls. Pure.
 */
import type { ContentPart, ModelMessage } from '../neutral.ts'
import { type Block, blocksOf, cacheOf, callBlock, type Dropped, idOf, thoughtOf } from './blocks.ts'

export interface Turn {
  readonly role: 'user' | 'assistant'
  readonly content: readonly Block[]
}

export interface Conversation {
  readonly system: string | readonly Block[] | null
  readonly turns: readonly Turn[]
  /** Of tools that were called. */
  readonly called: ReadonlySet<string>
  /** What the model shall go on with was made without signed thoughts: calls that are answered now, or the beginning of its answer. */
  readonly unthought: boolean
}

/** A conversation must begin with a user; ours may begin with a greeting, or with instructions alone. */
const OPENING = 'Begin.'

/** Throws `RequestFault`. */
export function conversationOf(messages: readonly ModelMessage[], dropped: Dropped): Conversation {
  const system: Block[] = []
  const turns: { role: Turn['role']; content: Block[] }[] = []
  const called = new Set<string>()
  const say = (role: Turn['role'], blocks: readonly Block[]) => {
    if (blocks.length === 0) return
    const last = turns.at(-1)
    if (last?.role === role) last.content.push(...blocks)
    else turns.push({ role, content: [...blocks] })
  }
  for (const message of messages) {
    switch (message.role) {
      case 'system':
        if (turns.length > 0) dropped.add('messages: the place of a system prompt')
        system.push(...systemBlocks(partsOf(message), dropped))
        break
      case 'user':
        say('user', allBlocks(partsOf(message), dropped))
        break
      case 'assistant': {
        const { text, toolCalls = [], reasoning = [] } = message
        for (const { name } of toolCalls) called.add(name)
        say('assistant', [
          ...reasoning.flatMap((one) => thoughtOf(one, dropped)),
          ...allBlocks([{ type: 'text', text }], dropped),
          ...toolCalls.map(callBlock),
        ])
        break
      }
      case 'tool':
        say('user', [resultOf(message, dropped)])
        break
      default: {
        const never: never = message
        return never
      }
    }
  }
  if (turns[0]?.role !== 'user') turns.unshift({ role: 'user', content: [{ type: 'text', text: OPENING }] })
  for (const { role, content } of turns) if (role === 'user') content.sort(byResult)
  trimEnd(turns.at(-1))
  return { system: joined(system), turns, called, unthought: isUnthought(turns) }
}

function partsOf({ text, parts }: { text: string; parts?: readonly ContentPart[] }): readonly ContentPart[] {
  return parts ?? [{ type: 'text', text }]
}

function allBlocks(parts: readonly ContentPart[], dropped: Dropped): Block[] {
  return parts.flatMap((part) => blocksOf(part, dropped))
}

function systemBlocks(parts: readonly ContentPart[], dropped: Dropped): Block[] {
  const texts = parts.filter(({ type }) => type === 'text')
  if (texts.length < parts.length) dropped.add('messages: what is no text in a system prompt')
  return allBlocks(texts, dropped)
}

/** One text where nothing needs its place marked. */
function joined(system: readonly Block[]): Conversation['system'] {
  if (system.length === 0) return null
  if (system.some((block) => 'cache_control' in block)) return system
  return system.map((block) => block['text']).join('\n\n')
}

function resultOf(message: Extract<ModelMessage, { role: 'tool' }>, dropped: Dropped): Block {
  const { callId, text, parts = [], failed } = message
  const blocks = allBlocks(parts, dropped)
  const cached = parts.findLast((part) => 'cache' in part && part.cache !== undefined)
  const plain = blocks.every((block) => block['type'] === 'text')
  const content = plain ? text : blocks.map(({ cache_control: _, ...block }) => block)
  return {
    type: 'tool_result',
    tool_use_id: idOf(callId),
    ...((typeof content !== 'string' || content.trim() !== '') && { content }),
    ...(failed && { is_error: true }),
    ...(cached && 'cache' in cached && cacheOf(cached)),
  }
}

function byResult(a: Block, b: Block): number {
  return Number(b['type'] === 'tool_result') - Number(a['type'] === 'tool_result')
}

/** An answer that is to be gone on with must not end with white space. */
function trimEnd(last: { role: Turn['role']; content: Block[] } | undefined): void {
  const block = last?.role === 'assistant' ? last.content.at(-1) : undefined
  if (block?.['type'] === 'text') block['text'] = String(block['text']).trimEnd()
}

function isUnthought(turns: readonly Turn[]): boolean {
  const last = turns.at(-1)
  const answers = last?.content.some((block) => block['type'] === 'tool_result') ?? false
  const begun = last?.role === 'assistant' ? last : answers ? turns.at(-2) : undefined
  const first = begun?.content[0]
  return first !== undefined && !String(first['type']).endsWith('thinking')
}
