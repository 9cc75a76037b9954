/**
 * Whose thoughts a client sends back. Anthropic's own signatures stand as they are; those of others, which went to the client through
 * us, bear a mark, since Anthropic would refuse the whole request for one. Pure.
 */
import type { ReasoningSeal } from '../neutral.ts'
import { isRecord } from '../openai-error.ts'

const MARK = /^parley\.([\w-]*)\./

/** `by`: the dialect whose provider signed. */
export function markSeal(seal: string, by: ReasoningSeal['by']): string {
  return by === 'anthropic' ? seal : `parley.${by ?? ''}.${seal}`
}

export function readSeal(marked: string): { readonly seal: string } & Pick<ReasoningSeal, 'by'> {
  const found = MARK.exec(marked)
  if (!found) return { seal: marked, by: 'anthropic' }
  // As it was written: nobody but its maker believes it.
  const by = (found[1] || undefined) as ReasoningSeal['by']
  return { seal: marked.slice(found[0].length), ...(by !== undefined && { by }) }
}

/** Messages without the thoughts that Anthropic did not sign. What has none stays the same object. */
export function withoutForeignThoughts(messages: unknown): unknown {
  if (!Array.isArray(messages)) return messages
  return messages.flatMap((message: unknown) => {
    const content = isRecord(message) && message['role'] === 'assistant' ? message['content'] : undefined
    if (!isRecord(message) || !Array.isArray(content) || !content.some(isForeign)) return [message]
    const left = content.filter((block) => !isForeign(block))
    return left.length === 0 ? [] : [{ ...message, content: left }]
  })
}

function isForeign(block: unknown): boolean {
  if (!isRecord(block)) return false
  if (block['type'] === 'thinking') return !isOwn(block['signature'])
  return block['type'] === 'redacted_thinking' && !isOwn(block['data'])
}

function isOwn(seal: unknown): boolean {
  return typeof seal === 'string' && seal !== '' && !MARK.test(seal)
}
