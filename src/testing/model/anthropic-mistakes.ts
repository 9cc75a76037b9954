/**
 * What the real Messages endpoint would refuse in a request, as sentences like its own: from the types of `@anthropic-ai/sdk` 1.13 and the
 * pages of platform.claude.com, read 2026-11-25.
 */
import type { ModelRequest } from './server.ts'

type Loose = Record<string, unknown>
type Must = (ok: boolean, what: string) => void

const MEMBERS = [
  ...['model', 'max_tokens', 'messages', 'system', 'stream', 'stop_sequences', 'metadata', 'thinking'],
  ...['tools', 'tool_choice', 'output_config', 'cache_control', 'container', 'diagnostics', 'inference_geo'],
  ...['service_tier', 'speed'],
]
/** A member that only this name in `anthropic-beta` allows. */
const CONTEXT_BETA = 'context-management-2025-06-27'
const SAMPLING = ['temperature', 'top_p', 'top_k']
/** Of each kind of block: its members, beside `type` and `cache_control`. */
const BLOCKS: Readonly<Record<string, { readonly in: string; readonly members: readonly string[] }>> = {
  text: { in: 'user assistant system', members: ['text', 'citations'] },
  image: { in: 'user', members: ['source', 'transformations'] },
  document: { in: 'user', members: ['source', 'title', 'context', 'citations'] },
  search_result: { in: 'user', members: ['source', 'title', 'content', 'citations'] },
  tool_result: { in: 'user', members: ['tool_use_id', 'content', 'is_error', 'toolset_name'] },
  tool_use: { in: 'assistant', members: ['id', 'name', 'input', 'caller', 'toolset_name'] },
  thinking: { in: 'assistant', members: ['thinking', 'signature'] },
  redacted_thinking: { in: 'assistant', members: ['data'] },
}
/** The double signs with this alone. */
export const SIGNATURE = 'fake-signature'

/** 4.5 is 405. */
function rankOf(model: string): number {
  const found = /^claude-(\d)-(\d)/.exec(model) ?? /-(\d+)(?:-(\d{1,2}))?(?:-\d{8})?$/.exec(model)
  const [, major = '0', minor = '0'] = found ?? []
  return Number(major) * 100 + Number(minor)
}

export function messagesMistakes(body: Loose, headers: ModelRequest['headers']): string[] {
  const wrong: string[] = []
  const must: Must = (ok, what) => void (ok || wrong.push(what))
  const version = headers['anthropic-version']
  must(/^application\/json/.test(headers['content-type'] ?? ''), 'content-type must be application/json')
  must(version === '2023-06-01' || version === '2026-10-21', 'anthropic-version: header is required')
  const beta = String(headers['anthropic-beta'] ?? '').includes(CONTEXT_BETA) ? ['context_management'] : []
  const known = new Set([...MEMBERS, ...beta, ...(version === '2023-06-01' ? SAMPLING : [])])
  for (const name of Object.keys(body)) must(known.has(name), `${name}: Extra inputs are not permitted`)
  const { model, max_tokens: max, messages, system, metadata } = body
  must(typeof model === 'string' && model !== '', 'model: Field required')
  must(Number.isInteger(max) && (max as number) >= 1, 'max_tokens: Field required')
  must(Array.isArray(messages) && messages.length > 0, 'messages: at least one message is required')
  if (Array.isArray(messages)) checkMessages(messages as Loose[], rankOf(String(model)), must)
  if (Array.isArray(system)) for (const block of system as Loose[]) checkBlock(block, 'system', must)
  else must(system === undefined || (typeof system === 'string' && system !== ''), 'system')
  for (const name of Object.keys((metadata as Loose) ?? {})) must(name === 'user_id', `metadata.${name}`)
  for (const stop of (body['stop_sequences'] as string[]) ?? [])
    must(stop.trim() !== '', 'stop_sequences: each must contain non-whitespace')
  checkThinking(body, must)
  checkSampling(body, must)
  checkTools(body, must)
  checkOutput(body['output_config'] as Loose | undefined, must)
  return wrong
}

function checkMessages(messages: readonly Loose[], rank: number, must: Must): void {
  must(messages[0]?.['role'] === 'user', 'messages: first message must use the "user" role')
  let open = new Set<unknown>()
  for (const [i, { role, content, ...rest }] of messages.entries()) {
    const at = `messages.${i}`
    must(Object.keys(rest).length === 0, `${at}: Extra inputs are not permitted`)
    must(role === 'user' || role === 'assistant' || role === 'system', `${at}.role`)
    must(messages[i - 1]?.['role'] !== role, `${at}: roles must alternate`)
    must(typeof content !== 'string' || content.trim() !== '', `${at}: text content must be non-empty`)
    must(typeof content === 'string' || (Array.isArray(content) && content.length > 0), `${at}.content`)
    const blocks = Array.isArray(content) ? (content as Loose[]) : []
    for (const block of blocks) checkBlock(block, String(role), must)
    const results = blocks.filter(({ type }) => type === 'tool_result')
    const first = blocks.slice(0, results.length)
    must(
      first.every((block) => results.includes(block)),
      `${at}: tool_result blocks come first`,
    )
    for (const { tool_use_id: id } of results) must(open.delete(id), `${at}: unexpected tool_use_id`)
    must(open.size === 0, `${at}: tool_use ids were found without tool_result blocks`)
    open = new Set(blocks.filter(({ type }) => type === 'tool_use').map(({ id }) => id))
  }
  const last = messages.at(-1)
  must(open.size === 0, 'tool_use ids were found without tool_result blocks')
  must(last?.['role'] !== 'assistant' || rank < 406, 'This model does not support assistant message prefill.')
  must(
    last?.['role'] !== 'assistant' || !/\s$/.test(textAtEnd(last['content'])),
    'final assistant content cannot end with trailing whitespace',
  )
}

function textAtEnd(content: unknown): string {
  if (typeof content === 'string') return content
  const text = Array.isArray(content) ? (content.at(-1) as Loose)?.['text'] : undefined
  return typeof text === 'string' ? text : ''
}

function checkBlock(block: Loose, role: string, must: Must): void {
  const type = String(block['type'])
  const kind = BLOCKS[type]
  must(kind?.in.split(' ').includes(role) ?? false, `a block of type ${type} in a ${role} message`)
  for (const name of Object.keys(block)) {
    const known = ['type', 'cache_control', ...(kind?.members ?? [])].includes(name)
    must(known, `${type}.${name}: Extra inputs are not permitted`)
  }
  if (type === 'text')
    must(String(block['text'] ?? '').trim() !== '', 'text content blocks must be non-empty')
  if (type === 'tool_use') {
    must(/^[\w-]+$/.test(String(block['id'] ?? '')), 'tool_use.id must match ^[a-zA-Z0-9_-]+$')
    must(isRecord(block['input']), 'tool_use.input: Input should be a valid dictionary')
  }
  if (type === 'thinking') must(block['signature'] === SIGNATURE, 'Invalid `signature` in `thinking` block')
  if (type === 'image' || type === 'document') checkSource(type, block['source'] as Loose, must)
  if (type === 'tool_result') {
    const { content } = block
    must(content === undefined || typeof content === 'string' || Array.isArray(content), 'tool_result')
    for (const one of Array.isArray(content) ? (content as Loose[]) : []) {
      must(
        ['text', 'image', 'document', 'search_result'].includes(String(one['type'])),
        'tool_result.content',
      )
      checkBlock(one, 'user', must)
    }
  }
  const cache = block['cache_control'] as Loose | undefined
  must(cache === undefined || cache['type'] === 'ephemeral', 'cache_control')
  must(cache?.['ttl'] === undefined || cache['ttl'] === '5m' || cache['ttl'] === '1h', 'cache_control.ttl')
}

function checkSource(type: string, source: Loose | undefined, must: Must): void {
  const { type: kind, media_type: media, url, data } = source ?? {}
  if (kind === 'url') return must(/^https?:/.test(String(url)), `${type}.source.url`)
  if (kind === 'text') return must(type === 'document' && media === 'text/plain', `${type}.source`)
  must(kind === 'base64' && typeof data === 'string', `${type}.source.type`)
  const fine = type === 'image' ? /^image\/(jpeg|png|gif|webp)$/ : /^application\/pdf$/
  must(fine.test(String(media)), `${type}.source.media_type`)
}

function checkThinking(body: Loose, must: Must): void {
  const thinking = body['thinking'] as Loose | undefined
  const rank = rankOf(String(body['model']))
  const opus = String(body['model']).includes('opus')
  if (thinking === undefined) return
  const { type, budget_tokens: budget } = thinking
  if (type === 'enabled') {
    must(rank < 407, '"thinking.type.enabled" is not supported for this model.')
    must(Number.isInteger(budget) && (budget as number) >= 1_024, 'thinking.budget_tokens: at least 1024')
    must((budget as number) < (body['max_tokens'] as number), '`max_tokens` must be greater than the budget')
  } else if (type === 'adaptive') {
    must(rank >= 406, 'adaptive thinking is not supported on this model')
    must(budget === undefined, 'thinking.adaptive.budget_tokens: Extra inputs are not permitted')
  } else if (type === 'disabled') must(!(opus && rank >= 505), '"thinking.type.disabled" is not supported')
  else must(type === 'between_tools', 'thinking.type')
  const choice = (body['tool_choice'] as Loose | undefined)?.['type']
  const on = type === 'enabled' || type === 'adaptive'
  must(!on || (choice !== 'any' && choice !== 'tool'), 'Thinking may not be enabled when tool_choice forces')
}

function checkSampling(body: Loose, must: Must): void {
  const { temperature, top_p: topP, top_k: topK, model } = body
  const given = [temperature, topP, topK].filter((one) => one !== undefined)
  const rank = rankOf(String(model))
  must(given.length === 0 || rank < 407, '`temperature` is deprecated for this model.')
  must(
    temperature === undefined || topP === undefined || rank < 401,
    '`temperature` and `top_p` cannot both be specified for this model.',
  )
  must(
    temperature === undefined || (typeof temperature === 'number' && temperature >= 0 && temperature <= 1),
    'temperature: range: 0..1',
  )
  const type = (body['thinking'] as Loose | undefined)?.['type']
  const thinks = type === 'enabled' || type === 'adaptive'
  must(!thinks || temperature === undefined || temperature === 1, '`temperature` may only be 1 when thinking')
  must(!thinks || topK === undefined, '`top_k` must be unset when thinking')
}

function checkTools(body: Loose, must: Must): void {
  const { tools, tool_choice: choice } = body as { tools?: Loose[]; tool_choice?: Loose }
  must(tools === undefined || (Array.isArray(tools) && tools.length > 0), 'tools')
  for (const tool of tools ?? []) {
    must(/^[\w-]{1,128}$/.test(String(tool['name'] ?? '')), 'tools.name')
    if (typeof tool['type'] === 'string' && tool['type'] !== 'custom') continue
    const schema = tool['input_schema'] as Loose | undefined
    must(schema?.['type'] === 'object', 'tools.input_schema.type: Field required')
    if (tool['strict'] === true) checkSchema(schema, must)
  }
  if (!choice) return
  must(tools !== undefined, 'tool_choice may only be specified while providing tools')
  must(['auto', 'any', 'tool', 'none'].includes(String(choice['type'])), 'tool_choice.type')
  if (choice['type'] === 'tool')
    must(
      (tools ?? []).some(({ name }) => name === choice['name']),
      'tool_choice.name: not found in tools',
    )
  if (choice['type'] === 'none')
    must(Object.keys(choice).length === 1, 'tool_choice.none: Extra inputs are not permitted')
}

function checkOutput(config: Loose | undefined, must: Must): void {
  const { effort, format, ...rest } = config ?? {}
  must(Object.keys(rest).length === 0, 'output_config: Extra inputs are not permitted')
  must(effort === undefined || ['low', 'medium', 'high', 'xhigh', 'max'].includes(String(effort)), 'effort')
  if (format === undefined) return
  must((format as Loose)['type'] === 'json_schema', 'output_config.format.type')
  checkSchema((format as Loose)['schema'], must)
}

function checkSchema(schema: unknown, must: Must): void {
  if (!isRecord(schema)) return
  if (schema['type'] === 'object')
    must(schema['additionalProperties'] === false, "For 'object' type, 'additionalProperties' must be false")
  for (const name of ['minimum', 'maximum', 'minLength', 'maxLength', 'pattern'])
    must(!(name in schema), `For this type, property '${name}' is not supported`)
  for (const one of Object.values((schema['properties'] as Loose) ?? {})) checkSchema(one, must)
  checkSchema(schema['items'], must)
}

function isRecord(value: unknown): value is Loose {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
