/** A whole message out of neutral events, and what it shares with a streamed one. Pure. */
import type { AnswerHead } from '../codec.ts'
import type { ModelEvent, ModelUsage } from '../neutral.ts'
import { inputOf } from './blocks.ts'
import { markSeal } from './seal.ts'
import { writeWholeUsage } from './usage.ts'

type Block = Record<string, unknown>
export type Finish = Extract<ModelEvent, { type: 'finish' }>
export type Seal = Extract<ModelEvent, { type: 'reasoningSeal' }>

/** Without its ending. */
export function messageOf({ id, model }: AnswerHead, usage: ModelUsage | undefined): Record<string, unknown> {
  return {
    id,
    type: 'message',
    role: 'assistant',
    model,
    content: [],
    ...endingOf(undefined),
    diagnostics: null,
    usage: writeWholeUsage(usage),
  }
}

/** Nothing for an answer that has not ended. */
export function endingOf(finish: Finish | undefined): Record<string, unknown> {
  return {
    stop_reason: finish ? reasonOf(finish) : null,
    stop_sequence: finish?.stopSequence ?? null,
    stop_details: null,
    container: null,
  }
}

function reasonOf({ reason, stopSequence }: Finish): string {
  switch (reason) {
    case 'stop':
      return stopSequence === undefined ? 'end_turn' : 'stop_sequence'
    case 'length':
      return 'max_tokens'
    case 'tool_calls':
      return 'tool_use'
    case 'content_filter':
      return 'refusal'
    default: {
      const never: never = reason
      return never
    }
  }
}

export const textBlock = (text: string): Block => ({ type: 'text', text, citations: null })
export const thinkingBlock = (thinking: string): Block => ({ type: 'thinking', thinking, signature: '' })
export const sealedBlock = ({ sealed = '', by }: Seal): Block => ({
  type: 'redacted_thinking',
  data: markSeal(sealed, by),
})
export const callBlock = (id: string, name: string, input: unknown): Block => ({
  type: 'tool_use',
  id,
  name,
  input,
  caller: { type: 'direct' },
})

export function encodeMessage(events: readonly ModelEvent[], head: AnswerHead): Record<string, unknown> {
  const content: Block[] = []
  let usage: ModelUsage | undefined
  let finish: Finish = { type: 'finish', reason: 'stop' }
  const add = (type: string, member: string, text: string, fresh: (text: string) => Block) => {
    const last = content.at(-1)
    // A signature ends its thoughts.
    if (last?.['type'] === type && !last['signature']) last[member] = `${last[member]}${text}`
    else content.push(fresh(text))
  }
  for (const event of events) {
    if (event.type === 'text') add('text', 'text', event.text, textBlock)
    else if (event.type === 'reasoning') add('thinking', 'thinking', event.text, thinkingBlock)
    else if (event.type === 'reasoningSeal') seal(content, event)
    else if (event.type === 'toolCall') {
      const { callId, name, arguments: args } = event.call
      content.push(callBlock(callId, name, inputOf(args)))
    } else if (event.type === 'usage') usage = event.usage
    else if (event.type === 'finish') finish = event
  }
  return { ...messageOf(head, usage), content, ...endingOf(finish) }
}

function seal(content: Block[], event: Seal): void {
  const { signature, by } = event
  if (signature !== undefined) {
    let last = content.at(-1)
    if (last?.['type'] !== 'thinking' || last['signature']) content.push((last = thinkingBlock('')))
    last['signature'] = markSeal(signature, by)
  }
  if (event.sealed !== undefined) content.push(sealedBlock(event))
}
