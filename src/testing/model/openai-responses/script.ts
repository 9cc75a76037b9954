/** What the double says, as data, and the response object and events it makes of it: as the types of the `openai` package 7.57 have them. */
export type DoubleItem =
  | {
      readonly type: 'message'
      readonly pieces: readonly string[]
      readonly kind?: 'output_text' | 'refusal'
      readonly annotations?: readonly object[]
      readonly logprobs?: readonly object[]
    }
  | {
      readonly type: 'reasoning'
      readonly summary?: readonly (readonly string[])[]
      readonly sealed?: string
    }
  | { readonly type: 'thoughts'; readonly pieces: readonly string[] }
  | {
      readonly type: 'function_call'
      readonly callId: string
      readonly name: string
      readonly arguments: string
    }
  | { readonly type: 'web_search_call'; readonly query: string }
  | {
      readonly type: 'custom_tool_call'
      readonly callId: string
      readonly name: string
      readonly input: string
    }

export interface Script {
  readonly items?: readonly DoubleItem[]
  /** Left out: it is completed. */
  readonly incomplete?: 'max_output_tokens' | 'content_filter'
  /** Members of the response that nobody here knows. */
  readonly extra?: Readonly<Record<string, unknown>>
}

type Json = Record<string, unknown>

export const USAGE = {
  input_tokens: 40,
  input_tokens_details: { cached_tokens: 16, cache_write_tokens: 8 },
  output_tokens: 9,
  output_tokens_details: { reasoning_tokens: 3 },
  total_tokens: 49,
}

/** `id` ends with `place`, so that two items of one answer never share it. */
function itemOf(item: DoubleItem, place: number): Json & { id: string } {
  const status = 'completed'
  switch (item.type) {
    case 'message': {
      const text = item.pieces.join('')
      const part =
        item.kind === 'refusal'
          ? { type: 'refusal', refusal: text }
          : {
              type: 'output_text',
              text,
              annotations: item.annotations ?? [],
              logprobs: item.logprobs ?? [],
            }
      return { id: `msg_${place}`, type: 'message', status, role: 'assistant', content: [part] }
    }
    case 'reasoning': {
      const summary = (item.summary ?? []).map((pieces) => ({ type: 'summary_text', text: pieces.join('') }))
      return {
        id: `rs_${place}`,
        type: 'reasoning',
        summary,
        ...(item.sealed !== undefined && { encrypted_content: item.sealed }),
      }
    }
    case 'thoughts': {
      const content = [{ type: 'reasoning_text', text: item.pieces.join('') }]
      return { id: `rs_${place}`, type: 'reasoning', summary: [], content }
    }
    case 'function_call': {
      const { callId: call_id, name, arguments: args } = item
      return { id: `fc_${place}`, type: 'function_call', status, call_id, name, arguments: args }
    }
    case 'custom_tool_call': {
      const { callId: call_id, name, input } = item
      return { id: `ctc_${place}`, type: 'custom_tool_call', status, call_id, name, input }
    }
    case 'web_search_call':
      return {
        id: `ws_${place}`,
        type: 'web_search_call',
        status,
        action: { type: 'search', query: item.query },
      }
  }
}

export function responseOf(id: string, body: Json, script: Script): Json {
  const { items = [], incomplete, extra } = script
  return {
    ...shell(id, body),
    status: incomplete ? 'incomplete' : 'completed',
    incomplete_details: incomplete ? { reason: incomplete } : null,
    output: items.map(itemOf),
    usage: USAGE,
    ...extra,
  }
}

function shell(id: string, body: Json): Json {
  return {
    id,
    object: 'response',
    created_at: 1_700_000_000,
    access_programs: null,
    background: false,
    error: null,
    incomplete_details: null,
    instructions: body['instructions'] ?? null,
    metadata: body['metadata'] ?? {},
    model: `${body['model']}-2026-01-01`,
    output: [],
    parallel_tool_calls: body['parallel_tool_calls'] ?? true,
    previous_response_id: body['previous_response_id'] ?? null,
    reasoning: { effort: null, summary: null },
    status: 'in_progress',
    store: body['store'] ?? true,
    temperature: body['temperature'] ?? 1,
    text: body['text'] ?? { format: { type: 'text' } },
    tool_choice: body['tool_choice'] ?? 'auto',
    tools: body['tools'] ?? [],
    top_p: body['top_p'] ?? 1,
    truncation: 'disabled',
    usage: null,
  }
}

/** Without `sequence_number`, in order, with the last one. */
export function* eventsOf(id: string, body: Json, script: Script): Generator<Json> {
  const { items = [], extra } = script
  const response = { ...shell(id, body), ...extra }
  yield { type: 'response.created', response }
  yield { type: 'response.in_progress', response }
  for (const [place, item] of items.entries()) yield* eventsOfItem(item, place)
  const last = responseOf(id, body, script)
  yield { type: `response.${last['status']}`, response: last }
}

function* eventsOfItem(item: DoubleItem, output_index: number): Generator<Json> {
  const whole = itemOf(item, output_index)
  const at = { item_id: whole.id, output_index }
  const added = { ...whole, ...(whole['status'] !== undefined && { status: 'in_progress' }) }
  switch (item.type) {
    case 'message': {
      const part = (whole['content'] as Json[])[0] as Json
      const name = item.kind ?? 'output_text'
      const member = name === 'refusal' ? 'refusal' : 'text'
      const here = { ...at, content_index: 0 }
      yield { type: 'response.output_item.added', output_index, item: { ...added, content: [] } }
      const empty = name === 'refusal' ? { refusal: '' } : { text: '', annotations: [], logprobs: [] }
      yield { type: 'response.content_part.added', ...here, part: { type: name, ...empty } }
      for (const [i, delta] of item.pieces.entries()) {
        const logprobs = item.logprobs?.slice(i, i + 1) ?? []
        yield { type: `response.${name}.delta`, ...here, delta, ...(name === 'output_text' && { logprobs }) }
      }
      for (const [annotation_index, annotation] of (item.annotations ?? []).entries())
        yield { type: 'response.output_text.annotation.added', ...here, annotation_index, annotation }
      const logprobs = name === 'output_text' && { logprobs: item.logprobs ?? [] }
      yield { type: `response.${name}.done`, ...here, [member]: part[member], ...logprobs }
      yield { type: 'response.content_part.done', ...here, part }
      break
    }
    case 'reasoning': {
      const { encrypted_content: _, ...bare } = added as Json
      yield { type: 'response.output_item.added', output_index, item: { ...bare, summary: [] } }
      for (const [summary_index, pieces] of (item.summary ?? []).entries()) {
        const here = { ...at, summary_index }
        const part = { type: 'summary_text', text: pieces.join('') }
        yield { type: 'response.reasoning_summary_part.added', ...here, part: { ...part, text: '' } }
        for (const delta of pieces) yield { type: 'response.reasoning_summary_text.delta', ...here, delta }
        yield { type: 'response.reasoning_summary_text.done', ...here, text: part.text }
        yield { type: 'response.reasoning_summary_part.done', ...here, part }
      }
      break
    }
    case 'thoughts': {
      const here = { ...at, content_index: 0 }
      const part = { type: 'reasoning_text', text: item.pieces.join('') }
      yield { type: 'response.output_item.added', output_index, item: { ...added, content: [] } }
      yield { type: 'response.content_part.added', ...here, part: { ...part, text: '' } }
      for (const delta of item.pieces) yield { type: 'response.reasoning_text.delta', ...here, delta }
      yield { type: 'response.reasoning_text.done', ...here, text: part.text }
      yield { type: 'response.content_part.done', ...here, part }
      break
    }
    case 'function_call':
      yield { type: 'response.output_item.added', output_index, item: { ...added, arguments: '' } }
      for (const delta of item.arguments.match(/.{1,5}/gs) ?? [])
        yield { type: 'response.function_call_arguments.delta', ...at, delta, obfuscation: 'x9' }
      yield { type: 'response.function_call_arguments.done', ...at, arguments: item.arguments }
      break
    case 'custom_tool_call':
      yield { type: 'response.output_item.added', output_index, item: { ...added, input: '' } }
      for (const delta of item.input.match(/.{1,5}/gs) ?? [])
        yield { type: 'response.custom_tool_call_input.delta', ...at, delta }
      yield { type: 'response.custom_tool_call_input.done', ...at, input: item.input }
      break
    case 'web_search_call':
      yield { type: 'response.output_item.added', output_index, item: added }
      for (const step of ['in_progress', 'searching', 'completed'])
        yield { type: `response.web_search_call.${step}`, ...at }
      break
  }
  yield { type: 'response.output_item.done', output_index, item: whole }
}
