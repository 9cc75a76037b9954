/** A chat completions body as one server takes it: what it refuses left out, what it spells otherwise respelled. Pure. */
import { isRecord } from '../../dialect/openai-error.ts'
import type { Preset } from './presets/index.ts'

type Body = Record<string, unknown>

/** `drop`, if given, is told the name of each member that is left out. A body with nothing to change is given back as it is. */
export type Fit = (body: Body, drop?: (member: string) => void) => Body

/** It was asked for by us. Servers that refuse it tell their usage without, or not at all. */
const OURS = 'stream_options'
const IN_MESSAGES = 'messages[].'

export function fitTo(preset: Pick<Preset, 'refuses' | 'renames' | 'maxTokens' | 'developer'>): Fit {
  const { refuses, developer } = preset
  const renames = Object.entries({ ...preset.renames, ...maxTokensRename(preset.maxTokens) })
  const top = refuses.filter((member) => !member.startsWith(IN_MESSAGES))
  const inner = refuses.flatMap((member) =>
    member.startsWith(IN_MESSAGES) ? [member.slice(IN_MESSAGES.length)] : [],
  )
  return (body, drop = nobody) => {
    let fitted = body
    const change = () => {
      if (fitted === body) fitted = { ...body }
      return fitted
    }
    for (const [from, to] of renames) {
      if (body[from] === undefined) continue
      const value = body[from]
      delete change()[from]
      // What is said in its own spelling already stands.
      if (body[to] === undefined) change()[to] = value
    }
    for (const member of top) {
      if (body[member] === undefined) continue
      delete change()[member]
      if (member !== OURS) drop(member)
    }
    const messages = fitMessages(body['messages'], { inner, developer, drop })
    if (messages !== body['messages']) change()['messages'] = messages
    return fitted
  }
}

function nobody(): void {}

function maxTokensRename(maxTokens: Preset['maxTokens']): Record<string, string> {
  if (maxTokens === 'either') return {}
  return maxTokens === 'max_tokens'
    ? { max_completion_tokens: 'max_tokens' }
    : { max_tokens: 'max_completion_tokens' }
}

interface Inner extends Pick<Preset, 'developer'> {
  readonly inner: readonly string[]
  readonly drop: (member: string) => void
}

function fitMessages(messages: unknown, { inner, developer, drop }: Inner): unknown {
  if (!Array.isArray(messages)) return messages
  const isRenamed = (message: Body) => developer === 'system' && message['role'] === 'developer'
  const isRefused = (message: Body) => inner.some((member) => message[member] !== undefined)
  if (!messages.some((one) => isRecord(one) && (isRenamed(one) || isRefused(one)))) return messages
  const dropped = new Set<string>()
  const fitted = messages.map((message) => {
    if (!isRecord(message)) return message
    const one: Body = { ...message, ...(isRenamed(message) && { role: 'system' }) }
    for (const member of inner) {
      if (one[member] === undefined) continue
      // A client's empty `refusal: null` says nothing that could be lost.
      if (one[member] !== null) dropped.add(member)
      delete one[member]
    }
    return one
  })
  for (const member of dropped) drop(`${IN_MESSAGES}${member}`)
  return fitted
}
