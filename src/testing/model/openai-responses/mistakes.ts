/**
 * What the real `/v1/responses` would refuse in a request: the first mistake, with the path of its member. Written from the types of the
 * `openai` package 7.57, and from what its users were refused for.
 */
export interface Mistake {
  readonly param: string | null
  readonly message: string
  readonly status?: number
}

type Loose = Record<string, unknown>

const MEMBERS = new Set([
  ...['access_programs', 'background', 'context_management', 'conversation', 'image', 'include', 'input'],
  ...['instructions', 'max_output_tokens', 'max_tool_calls', 'metadata', 'model', 'moderation'],
  ...['parallel_tool_calls', 'previous_response_id', 'prompt', 'prompt_cache_key', 'prompt_cache_options'],
  ...['prompt_cache_retention', 'reasoning', 'safety_identifier', 'service_tier', 'store', 'stream'],
  ...['stream_options', 'temperature', 'text', 'tool_choice', 'tools', 'top_logprobs', 'top_p', 'truncation'],
  'user',
])
const INCLUDES = [
  ...['file_search_call.results', 'web_search_call.results', 'web_search_call.action.sources'],
  ...['message.input_image.image_url', 'computer_call_output.output.image_url'],
  ...['code_interpreter_call.outputs', 'reasoning.encrypted_content', 'message.output_text.logprobs'],
]
const EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max', null]
const BUILT_IN = ['web_search', 'file_search', 'code_interpreter', 'image_generation', 'mcp', 'custom']

class Wrong extends Error {
  constructor(readonly mistake: Mistake) {
    super(mistake.message)
  }
}

/** `stored`: ids of responses that are kept. */
export function mistakeIn(body: Loose, stored: ReadonlySet<string>): Mistake | undefined {
  try {
    check(body, stored)
    return undefined
  } catch (error) {
    if (error instanceof Wrong) return error.mistake
    throw error
  }
}

function check(body: Loose, stored: ReadonlySet<string>): void {
  only(body, MEMBERS, '')
  must(isText(body['model']) && body['model'] !== '', 'model')
  must(body['input'] !== undefined || body['previous_response_id'] !== undefined, 'input', 'missing')
  number(body, 'temperature', 0, 2)
  number(body, 'top_p', 0, 1)
  number(body, 'top_logprobs', 0, 20)
  number(body, 'max_output_tokens', 16, 1_000_000)
  for (const name of ['store', 'stream', 'background', 'parallel_tool_calls'])
    must(or(body[name], typeof body[name] === 'boolean'), name)
  for (const name of [
    'instructions',
    'user',
    'safety_identifier',
    'prompt_cache_key',
    'previous_response_id',
  ])
    must(or(body[name], isText(body[name])), name)
  must(body['stream_options'] === undefined || body['stream'] === true, 'stream_options', 'needs stream')
  for (const [i, one] of listOf(body['include'] ?? [], 'include').entries())
    must(INCLUDES.includes(String(one)), `include[${i}]`)
  const previous = body['previous_response_id']
  if (isText(previous) && !stored.has(previous))
    throw new Wrong({ param: 'previous_response_id', message: 'Previous response not found.', status: 400 })
  const reasoning = recordOr(body['reasoning'], 'reasoning')
  only(reasoning, new Set(['effort', 'summary', 'generate_summary', 'context', 'mode']), 'reasoning.')
  must(EFFORTS.includes((reasoning['effort'] ?? null) as string | null), 'reasoning.effort')
  checkTools(body)
  checkFormat(recordOr(body['text'], 'text'))
  checkInput(body)
}

function checkTools(body: Loose): void {
  const tools = listOf(body['tools'] ?? [], 'tools') as Loose[]
  for (const [i, tool] of tools.entries()) {
    const at = `tools[${i}]`
    if (BUILT_IN.includes(String(tool['type']))) continue
    must(tool['type'] === 'function', `${at}.type`)
    must(tool['function'] === undefined, `${at}.function`, 'the members of a function are not nested here')
    must(/^[\w-]{1,64}$/.test(String(tool['name'] ?? '')), `${at}.name`)
    must(or(tool['description'], isText(tool['description'])), `${at}.description`)
    must(or(tool['strict'], typeof tool['strict'] === 'boolean'), `${at}.strict`)
    const schema = tool['parameters'] as Loose | null | undefined
    must(or(schema, schema?.['type'] === 'object'), `${at}.parameters`)
    // What is left out is strict.
    const strict = tool['strict'] ?? true
    if (strict && schema) must(schema['additionalProperties'] === false, `${at}.parameters`, 'not strict')
  }
  const choice = body['tool_choice']
  if (choice === undefined || choice === null || choice === 'none' || choice === 'auto') return
  must(tools.length > 0, 'tool_choice', 'needs tools')
  if (choice === 'required') return
  const chosen = recordOr(choice, 'tool_choice')
  must(chosen['function'] === undefined, 'tool_choice.function', 'not nested here')
  if (chosen['type'] === 'allowed_tools' || BUILT_IN.includes(String(chosen['type']))) return
  must(chosen['type'] === 'function', 'tool_choice.type')
  must(
    tools.some(({ name }) => name === chosen['name']),
    'tool_choice',
    'no such tool',
  )
}

function checkFormat(text: Loose): void {
  only(text, new Set(['format', 'verbosity']), 'text.')
  const format = recordOr(text['format'], 'text.format')
  if (text['format'] === undefined || format['type'] === 'text' || format['type'] === 'json_object') return
  must(format['type'] === 'json_schema', 'text.format.type')
  only(format, new Set(['type', 'name', 'schema', 'strict', 'description']), 'text.format.')
  must(/^[\w-]{1,64}$/.test(String(format['name'] ?? '')), 'text.format.name')
  must(typeof format['schema'] === 'object', 'text.format.schema')
}

function checkInput(body: Loose): void {
  if (isText(body['input']) || body['input'] === undefined) return
  const open = new Set<unknown>()
  const known = new Set<unknown>()
  for (const [i, one] of (listOf(body['input'], 'input') as Loose[]).entries()) {
    const at = `input[${i}]`
    const type = one['type'] ?? 'message'
    checkId(one, at, body['store'] === false)
    switch (type) {
      case 'message':
        only(one, new Set(['type', 'role', 'content', 'id', 'status', 'phase']), `${at}.`)
        must(['user', 'assistant', 'system', 'developer'].includes(String(one['role'])), `${at}.role`)
        checkContent(one['content'], `${at}.content`, one['role'] === 'assistant' ? 'output' : 'input')
        break
      case 'function_call':
        only(
          one,
          new Set(['type', 'call_id', 'name', 'arguments', 'id', 'status', 'namespace', 'parsed_arguments']),
          `${at}.`,
        )
        must(isText(one['call_id']) && isText(one['name']) && isText(one['arguments']), at)
        open.add(one['call_id'])
        known.add(one['call_id'])
        break
      case 'function_call_output':
        only(one, new Set(['type', 'call_id', 'output', 'id', 'status', 'name']), `${at}.`)
        must(
          known.has(one['call_id']) || isText(body['previous_response_id']),
          `${at}.call_id`,
          'No tool call found',
        )
        open.delete(one['call_id'])
        checkContent(one['output'], `${at}.output`, 'input')
        break
      case 'reasoning':
        only(one, new Set(['type', 'id', 'summary', 'content', 'encrypted_content', 'status']), `${at}.`)
        must(Array.isArray(one['summary']), `${at}.summary`, 'missing')
        // Each of this double's begins so; a real one can tell as well.
        if (isText(one['encrypted_content']))
          must(
            one['encrypted_content'].startsWith('gAAAA'),
            `${at}.encrypted_content`,
            'could not be verified',
          )
        break
      case 'web_search_call':
        break
      default:
        must(false, `${at}.type`)
    }
  }
  must(open.size === 0, 'input', 'No tool output found for a function call')
}

const PREFIX: Record<string, string> = { message: 'msg', function_call: 'fc', reasoning: 'rs' }

/** Ids of items are looked up among what was stored. */
function checkId(item: Loose, at: string, stateless: boolean): void {
  const { id, type = 'message' } = item
  if (id === undefined || id === null) return
  must(isText(id) && id.length <= 64, `${at}.id`)
  must(String(id).startsWith(PREFIX[String(type)] ?? ''), `${at}.id`, 'wrong prefix')
  if (type === 'reasoning' && stateless && !isText(item['encrypted_content']))
    throw new Wrong({ param: 'input', message: 'Item not found: nothing is stored.', status: 404 })
}

function checkContent(content: unknown, at: string, side: 'input' | 'output'): void {
  if (isText(content)) return
  for (const [i, part] of (listOf(content, at) as Loose[]).entries()) {
    const path = `${at}[${i}]`
    const type = String(part['type'])
    if (side === 'output') {
      must(type === 'output_text' || type === 'refusal', `${path}.type`)
      continue
    }
    must(['input_text', 'input_image', 'input_file'].includes(type), `${path}.type`)
    if (type === 'input_text') must(isText(part['text']), `${path}.text`)
    if (type === 'input_image') {
      must(
        /^(https:|data:image\/)/.test(String(part['image_url'])) || isText(part['file_id']),
        `${path}.image_url`,
      )
      must(['auto', 'low', 'high', 'original'].includes(String(part['detail'])), `${path}.detail`)
    }
    if (type === 'input_file') {
      const ways = ['file_data', 'file_id', 'file_url'].filter((name) => isText(part[name]))
      must(ways.length === 1, path, 'exactly one of file_data, file_id, file_url')
      if (ways[0] === 'file_data') must(isText(part['filename']), `${path}.filename`, 'missing')
    }
  }
}

function must(ok: boolean, param: string, why = 'invalid'): void {
  if (!ok) throw new Wrong({ param, message: `Invalid '${param}': ${why}.` })
}

function only(value: Loose, known: ReadonlySet<string>, path: string): void {
  for (const name of Object.keys(value)) must(known.has(name), `${path}${name}`, 'unknown parameter')
}

function number(body: Loose, name: string, least: number, most: number): void {
  const value = body[name]
  must(or(value, typeof value === 'number' && value >= least && value <= most), name)
}

function or(value: unknown, ok: boolean): boolean {
  return value === undefined || value === null || ok
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function listOf(value: unknown, at: string): unknown[] {
  must(Array.isArray(value), at, 'no list')
  return value as unknown[]
}

function recordOr(value: unknown, at: string): Loose {
  if (value === undefined || value === null) return {}
  must(typeof value === 'object' && !Array.isArray(value), at, 'no object')
  return value as Loose
}
