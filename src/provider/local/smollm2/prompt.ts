/**
 * A conversation as the tokens SmolLM2 was trained on (ChatML), cut to fit: the instructions stay, the oldest
 * turns go first. Pure.
 *
 *     <|im_start|>system … <|im_end|> <|im_start|>user … <|im_end|> … <|im_start|>assistant ▮
 */
import type { ModelMessage } from '../../../dialect/neutral.ts'

export interface ChatTurn {
  readonly role: 'system' | 'user' | 'assistant'
  readonly text: string
}

/** Turns text into tokens: `text` is the caller's and holds no special token, `mark` is ours and may. */
export interface Tokenizer<T> {
  text(text: string): T[]
  mark(text: string): T[]
}

/** What the model's own template says when nobody gave instructions. */
const DEFAULT_SYSTEM = 'You are a helpful AI assistant named SmolLM, trained by Hugging Face'
/** A turn may be this long; more could not fit anyway, and tokenising it would cost for nothing. */
const TURN_CHARACTERS = 16_000
/** Of the context, at most this share is instructions. */
const SYSTEM_SHARE = 0.5

/** Instructions first and once; neighbours of one role joined; tool calls left out and results told. */
export function turnsOf(messages: readonly ModelMessage[]): ChatTurn[] {
  const system = messages.flatMap((m) => (m.role === 'system' ? [m.text] : []))
  const turns: ChatTurn[] = [{ role: 'system', text: system.join('\n') || DEFAULT_SYSTEM }]
  for (const message of messages) {
    if (message.role === 'system' || message.text === '') continue
    const role = message.role === 'assistant' ? 'assistant' : 'user'
    const text = message.role === 'tool' ? `(A tool answered: ${message.text})` : message.text
    const last = turns.at(-1) as ChatTurn
    if (last.role === role) turns[turns.length - 1] = { role, text: `${last.text} ${text}` }
    else turns.push({ role, text })
  }
  return turns
}

/**
 * Old turns go so many at a time: where the conversation begins then stays the same for some turns, and the
 * model, which keeps what it has read from the beginning on, need not read it all again each turn.
 */
const DROPPED_TOGETHER = 8

/** At most `limit` tokens. When the last turn is the assistant's, it is left open, to be continued. */
export function promptOf<T>(turns: readonly ChatTurn[], tokenizer: Tokenizer<T>, limit: number): T[] {
  const [system, ...rest] = turns as [ChatTurn, ...ChatTurn[]]
  const continued = rest.at(-1)?.role === 'assistant'
  const opening = continued ? [] : tokenizer.mark('<|im_start|>assistant\n')
  const head = render(system, tokenizer, Math.floor(limit * SYSTEM_SHARE), 'start')

  const kept: T[][] = []
  let room = limit - head.length - opening.length
  for (const [back, turn] of [...rest].reverse().entries()) {
    const newest = back === 0
    // Only the newest turn is cut to fit; an older one fits or goes, and with it all before it.
    const tokens = render(
      turn,
      tokenizer,
      newest ? room : Number.POSITIVE_INFINITY,
      'end',
      newest && continued,
    )
    if (tokens.length > room) break
    kept.unshift(tokens)
    room -= tokens.length
  }
  const dropped = rest.length - kept.length
  const more = Math.ceil(dropped / DROPPED_TOGETHER) * DROPPED_TOGETHER - dropped
  return [...head, ...kept.slice(Math.min(more, kept.length - 1)).flat(), ...opening]
}

/** `keep`: which end of a text that is too long stays. A turn that does not fit at all is empty. */
function render<T>(
  { role, text }: ChatTurn,
  tokenizer: Tokenizer<T>,
  limit: number,
  keep: 'start' | 'end',
  open = false,
): T[] {
  const before = tokenizer.mark(`<|im_start|>${role}\n`)
  const after = open ? [] : tokenizer.mark('<|im_end|>\n')
  const room = limit - before.length - after.length
  if (room <= 0) return []
  const bounded = keep === 'start' ? text.slice(0, TURN_CHARACTERS) : text.slice(-TURN_CHARACTERS)
  const body = tokenizer.text(bounded)
  const cut = keep === 'start' ? body.slice(0, room) : body.slice(-room)
  return [...before, ...cut, ...after]
}
