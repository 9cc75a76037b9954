/**
 * What the upstream of `bench:gateway` says, and how an answer is known to have arrived whole. Shapes as of OpenAI's chat
 * completions. A stream's first token is no word: it is how long, in milliseconds, the upstream itself held it after the
 * request came, so that the gateway's share of the time to the first token needs no schedule to be kept.
 */

/** Events of a stream before `[DONE]`: the role, the tokens, the finish reason, the usage. */
export const CHUNKS = 50
const TOKENS = CHUNKS - 3

/** What the upstream wants to be asked with. */
export const UPSTREAM_KEY = 'sk-upstream-of-the-benchmark'
export const UPSTREAM_MODEL = 'gpt-upstream'

export const QUESTION =
  'Good morning, I would like to move my reservation for tonight from seven to half past eight, for five people ' +
  'instead of four, at a table by the window if there is one, and somebody will bring a small dog. Can you do that?'

/** One letter is two bytes long: pieces must not be decoded one by one. */
const WORDS = Array.from(
  { length: TOKENS - 1 },
  (_, n) => ` ${['word', 'größer', 'table', 'dog'][n % 4]}${n}`,
)
const SAID = WORDS.join('')
/** The same bytes, a character each: what reading without decoding gives. */
const SAID_BYTES = Buffer.from(SAID).toString('latin1')

const ID = 'chatcmpl-CfQ2mT8w1hYkXrN0sLzVbE4aJ7dPo'
const CREATED = 1_764_000_000
const USAGE = {
  prompt_tokens: 78,
  completion_tokens: TOKENS,
  total_tokens: 78 + TOKENS,
  prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0, accepted_prediction_tokens: 0 },
}

export function plainAnswer(model: string): string {
  const message = { role: 'assistant', content: SAID, refusal: null, annotations: [] }
  return JSON.stringify({
    id: ID,
    object: 'chat.completion',
    created: CREATED,
    model,
    choices: [{ index: 0, message, logprobs: null, finish_reason: 'stop' }],
    usage: USAGE,
    service_tier: 'default',
    system_fingerprint: 'fp_560af6e559',
  })
}

/** The events of a stream; the second is to be made by `firstToken` when it is sent. */
export function streamEvents(model: string): readonly string[] {
  const deltas = [
    { role: 'assistant', content: '', refusal: null },
    ...['', ...WORDS].map((content) => ({ content })),
  ]
  return [
    ...deltas.map((delta) => event(model, { choices: [choice(delta, null)], usage: null })),
    event(model, { choices: [choice({}, 'stop')], usage: null }),
    event(model, { choices: [], usage: USAGE }),
    'data: [DONE]\n\n',
  ]
}

export function firstToken(model: string, heldMs: number): string {
  return event(model, { choices: [choice({ content: heldMs.toFixed(3) }, null)], usage: null })
}

function choice(delta: object, finish_reason: 'stop' | null): object {
  return { index: 0, delta, logprobs: null, finish_reason }
}

function event(model: string, rest: object): string {
  const head = { id: ID, object: 'chat.completion.chunk', created: CREATED, model }
  const tail = { service_tier: 'default', system_fingerprint: 'fp_560af6e559' }
  return `data: ${JSON.stringify({ ...head, ...tail, ...rest })}\n\n`
}

/** `bytes`: the body, a character a byte. Null when it arrived whole, else what is wrong. */
export function faultOfPlain(bytes: string): string | null {
  const answer = JSON.parse(Buffer.from(bytes, 'latin1').toString()) as {
    readonly choices?: readonly {
      readonly message?: { readonly content?: string }
      readonly finish_reason?: string
    }[]
    readonly usage?: { readonly total_tokens?: number }
  }
  const [first] = answer.choices ?? []
  if (first?.message?.content !== SAID) return `other words: ${bytes.slice(0, 300)}`
  if (first.finish_reason !== 'stop') return `no finish reason: ${bytes.slice(-300)}`
  return answer.usage?.total_tokens === USAGE.total_tokens ? null : `other usage: ${bytes.slice(-300)}`
}

const CONTENT = '"content":"'

/** Where the first token begins in a stream's text, after the role's empty one; -1: not yet there. */
export function firstTokenAt(bytes: string): number {
  for (let at = bytes.indexOf(CONTENT); at >= 0; at = bytes.indexOf(CONTENT, at + 1)) {
    const begin = at + CONTENT.length
    if (begin < bytes.length && bytes[begin] !== '"') return begin
  }
  return -1
}

/** `bytes`: all of the stream, a character a byte. `heldMs` is the upstream's own share of the time to the first token. */
export function readStream(bytes: string): { readonly heldMs: number; readonly fault: string | null } {
  let said = ''
  for (let at = bytes.indexOf(CONTENT); at >= 0; ) {
    const end = bytes.indexOf('"', at + CONTENT.length)
    said += bytes.slice(at + CONTENT.length, end)
    at = bytes.indexOf(CONTENT, end)
  }
  if (!said.endsWith(SAID_BYTES)) said = parsedWords(bytes)
  const heldMs = Number(said.slice(0, said.length - SAID_BYTES.length))
  const fault = (what: string) => ({
    heldMs,
    fault: `${what}: ${bytes.slice(0, 200)} … ${bytes.slice(-300)}`.replaceAll('\n', '\\n'),
  })
  if (!said.endsWith(SAID_BYTES) || Number.isNaN(heldMs)) return fault('other words')
  if (!bytes.includes('"finish_reason":"stop"')) return fault('no finish reason')
  if (!bytes.includes(`"total_tokens":${USAGE.total_tokens}`)) return fault('no usage')
  return bytes.endsWith('data: [DONE]\n\n') ? { heldMs, fault: null } : fault('no [DONE]')
}

/** The slow way, for who writes JSON differently: a character a byte, as the fast one gives. */
function parsedWords(bytes: string): string {
  const events = Buffer.from(bytes, 'latin1').toString().split('\n\n')
  const words = events.map((one) => {
    if (!one.startsWith('data: {')) return ''
    const chunk = JSON.parse(one.slice('data: '.length)) as {
      readonly choices?: readonly { readonly delta?: { readonly content?: string } }[]
    }
    return chunk.choices?.[0]?.delta?.content ?? ''
  })
  return Buffer.from(words.join('')).toString('latin1')
}
