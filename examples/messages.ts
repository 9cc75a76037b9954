/**
 * The plain `@anthropic-ai/sdk` against Parley: any model answers in the shape of Anthropic's Messages API.
 *
 *     npx tsx examples/messages.ts "What time is it?"
 *
 * PARLEY_URL, PARLEY_KEY, PARLEY_MODEL   as in chat.ts; the address without `/v1`
 */
import Anthropic from '@anthropic-ai/sdk'

const [question = 'Hello! Who are you?'] = process.argv.slice(2)
const { PARLEY_URL = 'http://127.0.0.1:8080', PARLEY_KEY = 'none', PARLEY_MODEL = 'default' } = process.env

const client = new Anthropic({ apiKey: PARLEY_KEY, baseURL: PARLEY_URL })
const stream = client.messages.stream({
  model: PARLEY_MODEL,
  max_tokens: 500,
  messages: [{ role: 'user', content: question }],
})
stream.on('text', (text) => process.stdout.write(text))
const { stop_reason, usage } = await stream.finalMessage()
console.log(`\nended by ${stop_reason}; ${usage.input_tokens} tokens in, ${usage.output_tokens} out`)
