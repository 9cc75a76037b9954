/**
 * Neutral messages as Converse wants a conversation: the system prompt apart, a user first, user and assistant in turn, results of tools
 * first in the turn that answers their calls. Pure.
 */
import { argumentsObject } from '../call-arguments.ts'
import type { ContentPart, ModelMessage } from '../neutral.ts'
import { type Block, type BlockOptions, blocksOf, thoughtsOf } from './blocks.ts'

export interface Turn {
  readonly role: 'user' | 'assistant'
  readonly content: Block[]
}

export interface Conversation {
  readonly system: readonly Block[]
  readonly turns: readonly Turn[]
  /** Of tools that were called: Bedrock wants each to be defined. */
  readonly called: ReadonlySet<string>
  /** What the model shall go on with was made without signed thoughts; Claude models with a budget refuse to begin thinking then. */
  readonly begun: 'fresh' | 'thought' | 'unthought'
}

const OPENING = 'Begin.'

/** Throws `RequestFault`. */
export function conversationOf(messages: readonly ModelMessage[], options: BlockOptions): Conversation {
  const { traits, dropped } = options
  const system: Block[] = []
  const turns: Turn[] = []
  const called = new Set<string>()
  const ids = new Map<string, string>()
  const say = (role: Turn['role'], blocks: readonly Block[]) => {
    if (blocks.length === 0) return
    const last = turns.at(-1)
    if (last?.role === role) last.content.push(...blocks)
    else turns.push({ role, content: [...blocks] })
  }
  const idOf = (callId: string) => {
    const known = ids.get(callId) ?? safeId(callId, ids)
    ids.set(callId, known)
    return known
  }
  for (const [i, message] of messages.entries()) {
    const all = (parts: readonly ContentPart[]) =>
      parts.flatMap((part) => blocksOf(part, `messages[${i}]`, options))
    switch (message.role) {
      case 'system': {
        if (turns.length > 0) dropped.add('messages: the place of a system prompt')
        const texts = partsOf(message).filter(({ type }) => type === 'text')
        if (texts.length < partsOf(message).length)
          dropped.add('messages: what is no text in a system prompt')
        system.push(...all(texts))
        break
      }
      case 'user':
        say('user', all(partsOf(message)))
        break
      case 'assistant': {
        const { text, toolCalls = [], reasoning = [] } = message
        for (const { name } of toolCalls) called.add(name)
        say('assistant', [
          ...thoughtsOf(reasoning, options),
          ...all([{ type: 'text', text }]),
          ...toolCalls.map(({ callId, name, arguments: args }) => ({
            toolUse: { toolUseId: idOf(callId), name, input: argumentsObject(args) },
          })),
        ])
        break
      }
      case 'tool': {
        const blocks = all(partsOf(message))
        const points = blocks.filter((block) => 'cachePoint' in block)
        const content = blocks.filter((block) => !('cachePoint' in block))
        const status = message.failed && traits.status === 'told' ? { status: 'error' } : {}
        if (message.failed && traits.status === 'not told') dropped.add('messages: that a tool failed')
        say('user', [
          { toolResult: { toolUseId: idOf(message.callId), content, ...status } },
          ...points.slice(0, 1),
        ])
        break
      }
      default: {
        const never: never = message
        return never
      }
    }
  }
  if (turns[0]?.role !== 'user') turns.unshift({ role: 'user', content: [{ text: OPENING }] })
  for (const turn of turns) {
    if (turn.role === 'user') resultsFirst(turn.content)
    withText(turn.content)
  }
  trimEnd(turns.at(-1))
  return { system, turns, called, begun: begunBy(turns) }
}

function partsOf({ text, parts }: { readonly text: string; readonly parts?: readonly ContentPart[] }) {
  return parts ?? [{ type: 'text' as const, text }]
}

/** Letters, digits, `_` and `-`, 64 at most, and no two the same. */
function safeId(callId: string, taken: ReadonlyMap<string, string>): string {
  const safe = callId.replaceAll(/[^\w-]/g, '_').slice(0, 64)
  const others = new Set(taken.values())
  if (safe !== '' && !others.has(safe)) return safe
  let n = taken.size
  while (others.has(`call_${n}`)) n++
  return `call_${n}`
}

/** With the cache points that stand after them. */
function resultsFirst(content: Block[]): void {
  const isFirst = content.map((block, i) => {
    const before = 'cachePoint' in block ? content[i - 1] : block
    return before !== undefined && 'toolResult' in before
  })
  const sorted = [...content.filter((_, i) => isFirst[i]), ...content.filter((_, i) => !isFirst[i])]
  content.splice(0, content.length, ...sorted)
}

/** A document wants some text beside it. */
function withText(content: Block[]): void {
  const has = (name: string) => content.some((block) => name in block)
  if (has('document') && !has('text')) content.push({ text: OPENING })
}

/** An answer that is to be gone on with must not end with white space. */
function trimEnd(last: Turn | undefined): void {
  const block = last?.role === 'assistant' ? last.content.at(-1) : undefined
  if (last && typeof block?.['text'] === 'string')
    last.content.splice(-1, 1, { text: block['text'].trimEnd() })
}

function begunBy(turns: readonly Turn[]): Conversation['begun'] {
  const last = turns.at(-1)
  const answers = last?.content.some((block) => 'toolResult' in block) ?? false
  const begun = last?.role === 'assistant' ? last : answers ? turns.at(-2) : undefined
  if (!begun) return 'fresh'
  return begun.content.some((block) => 'reasoningContent' in block) ? 'thought' : 'unthought'
}
