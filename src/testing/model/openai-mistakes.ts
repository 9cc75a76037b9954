/** What the real chat completions endpoint would refuse in a request, as sentences. */
import type { ModelRequest } from './server.ts'

const KNOWN = new Set([
  ...[
    'model',
    'messages',
    'stream',
    'stream_options',
    'tools',
    'tool_choice',
    'temperature',
    'user',
    'metadata',
  ],
  ...[
    'max_tokens',
    'max_completion_tokens',
    'response_format',
    'parallel_tool_calls',
    'n',
    'stop',
    'seed',
    'top_p',
    'reasoning_effort',
    'frequency_penalty',
    'presence_penalty',
    'logprobs',
    'top_logprobs',
    'store',
    'service_tier',
    'logit_bias',
    'modalities',
  ],
])

type Loose = Record<string, unknown>

export function chatMistakes(body: Loose, headers: ModelRequest['headers']): string[] {
  const wrong: string[] = []
  const must = (ok: boolean, what: string) => void (ok || wrong.push(what))
  must(/^application\/json/.test(headers['content-type'] ?? ''), 'content-type must be application/json')
  for (const field of Object.keys(body)) must(KNOWN.has(field), `unknown parameter ${field}`)
  must(typeof body['model'] === 'string' && body['model'] !== '', 'model must be a string')
  must(body['stream'] === undefined || typeof body['stream'] === 'boolean', 'stream must be a boolean')
  must(body['stream_options'] === undefined || body['stream'] === true, 'stream_options needs stream')
  const { messages, tools, temperature } = body
  must(Array.isArray(messages) && messages.length > 0, 'messages must be a list with at least one message')
  if (Array.isArray(messages)) checkMessages(messages as Loose[], must)
  must(tools === undefined || (Array.isArray(tools) && tools.length > 0), 'tools must not be empty')
  for (const tool of Array.isArray(tools) ? (tools as Loose[]) : []) checkTool(tool, must)
  must(body['tool_choice'] === undefined || tools !== undefined, 'tool_choice needs tools')
  must(
    temperature === undefined || (typeof temperature === 'number' && temperature >= 0 && temperature <= 2),
    'temperature',
  )
  for (const field of ['max_tokens', 'max_completion_tokens']) {
    must(body[field] === undefined || (Number.isInteger(body[field]) && (body[field] as number) > 0), field)
  }
  return wrong
}

const EMBEDDING = ['model', 'input', 'encoding_format', 'dimensions', 'user']

export function embeddingMistakes(body: Loose): string[] {
  const { input, encoding_format: format } = body
  const wrong = Object.keys(body).flatMap((field) =>
    EMBEDDING.includes(field) ? [] : [`unknown parameter ${field}`],
  )
  const texts = [input].flat()
  if (texts.length === 0 || !texts.every((text) => typeof text === 'string' && text !== ''))
    wrong.push('input must be text')
  if (format !== undefined && format !== 'float' && format !== 'base64') wrong.push('encoding_format')
  return wrong
}

function checkMessages(messages: readonly Loose[], must: (ok: boolean, what: string) => void): void {
  let open = new Set<unknown>()
  for (const { role, content, tool_calls: calls, tool_call_id: answers } of messages) {
    if (role === 'tool') {
      must(open.delete(answers), 'a tool message must answer a call of the message before it')
      must(typeof content === 'string', 'tool content must be text')
      continue
    }
    must(open.size === 0, 'each tool call must be answered by a tool message')
    open = new Set()
    must(['system', 'user', 'assistant', 'developer'].includes(String(role)), `unknown role ${String(role)}`)
    must(
      typeof content === 'string' || (role === 'assistant' && Array.isArray(calls)),
      'content must be text',
    )
    for (const call of Array.isArray(calls) ? (calls as Loose[]) : []) {
      const fn = call['function'] as Loose | undefined
      must(
        typeof call['id'] === 'string' && call['id'] !== '' && call['type'] === 'function',
        'call id and type',
      )
      must(typeof fn?.['name'] === 'string' && typeof fn['arguments'] === 'string', 'call name and arguments')
      open.add(call['id'])
    }
  }
  must(open.size === 0, 'each tool call must be answered by a tool message')
}

function checkTool(tool: Loose, must: (ok: boolean, what: string) => void): void {
  const fn = tool['function'] as Loose | undefined
  must(tool['type'] === 'function', 'tool type must be function')
  must(/^[\w-]{1,64}$/.test(String(fn?.['name'] ?? '')), 'tool name')
  const parameters = fn?.['parameters'] as Loose | undefined
  must(
    parameters === undefined || parameters['type'] === 'object',
    'tool parameters must be an object schema',
  )
}
