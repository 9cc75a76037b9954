/**
 * One client, every kind of target: the official `openai` SDK asks for the same things of each provider's double through the whole server,
 * and must be told the same, whatever the provider's own words for it are. The doubles refuse what their provider would.
 */
import OpenAI from 'openai'
import { zodResponseFormat } from 'openai/helpers/zod'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { KINDS, type Kind, type Says } from './kinds.ts'
import { GATEWAY_KEY, type Gateway, startGateway } from './server.ts'

type Recorded = { parley: { turnId: string; attempts: { provider: string; status: string }[] } }

/** Who is asked next. */
const nextTo = (name: string) => (name === 'chat' ? 'responses' : 'chat')

const kinds = new Map<string, Kind>()
let gateway: Gateway
let client: OpenAI

beforeAll(async () => {
  for (const [name, start] of Object.entries(KINDS)) kinds.set(name, await start())
  gateway = await startGateway({
    settings: ['providers:', ...[...kinds].map(([name, { settings }]) => `  ${name}: ${settings}`)].join(
      '\n',
    ),
    pipelines: [...kinds].flatMap(([name, { model }]) =>
      ['refused', 'broken'].map(
        (how) =>
          `\nname: ${how}-${name}\nllm: { routes: [{ name: any, use: ['${name}/${how}-${model}', '${nextTo(name)}/next'] }] }\n`,
      ),
    ),
  })
  client = new OpenAI({ apiKey: GATEWAY_KEY, baseURL: `${gateway.url}/v1`, maxRetries: 0 })
})
afterAll(async () => {
  await gateway.close()
  await Promise.all([...kinds.values()].map((kind) => kind.close()))
})

const messages: OpenAI.ChatCompletionMessageParam[] = [
  { role: 'system', content: 'Be kind.' },
  { role: 'user', content: 'Hi' },
]
const tools = [
  {
    type: 'function' as const,
    function: {
      name: 'get_time',
      description: 'The time in a zone.',
      parameters: { type: 'object', properties: { zone: { type: 'string' } }, required: ['zone'] },
    },
  },
]
const calls = [
  { id: 'call_1', name: 'get_time', args: { zone: 'Europe/Rome' } },
  { id: 'call_2', name: 'get_time', args: { zone: 'Asia/Tokyo' } },
]

describe.each(Object.keys(KINDS))('%s', (name) => {
  const say = (next: Says) => kinds.get(name)!.say(next)
  const model = () => `${name}/${kinds.get(name)!.model}`
  const answered = { attempts: [{ provider: name, status: 'ok' }] }

  async function streamed(asked: Partial<OpenAI.ChatCompletionCreateParamsStreaming> = {}) {
    const stream_options = { include_usage: true }
    const stream = await client.chat.completions.create({
      model: model(),
      messages,
      stream_options,
      ...asked,
      stream: true,
    })
    const chunks: (OpenAI.ChatCompletionChunk & Partial<Recorded>)[] = []
    for await (const chunk of stream) chunks.push(chunk)
    return {
      text: chunks.map((chunk) => chunk.choices[0]?.delta?.content ?? '').join(''),
      finish: chunks.flatMap((chunk) => chunk.choices[0]?.finish_reason ?? []),
      usage: chunks.flatMap((chunk) => chunk.usage ?? []),
      parley: chunks.at(-1)?.parley,
    }
  }

  test('a whole answer', async () => {
    say({ pieces: ['Grüß', ' Gott'] })
    const answer = await client.chat.completions.create({ model: model(), messages, max_tokens: 50 })
    expect(answer.choices).toMatchObject([
      { index: 0, message: { role: 'assistant', content: 'Grüß Gott' }, finish_reason: 'stop' },
    ])
    expect(answer.usage?.prompt_tokens).toBeGreaterThan(0)
    expect(answer.usage?.completion_tokens).toBeGreaterThan(0)
    expect(answer).toMatchObject({ parley: answered })
  })

  test('a streamed answer', async () => {
    say({ pieces: ['Grüß', ' Gott', ' 👋🏽'] })
    const { text, finish, usage, parley } = await streamed()
    expect({ text, finish }).toEqual({ text: 'Grüß Gott 👋🏽', finish: ['stop'] })
    expect(usage).toHaveLength(1)
    expect(usage[0]?.total_tokens).toBeGreaterThan(0)
    expect(parley).toMatchObject(answered)
  })

  test('the end of the tokens', async () => {
    say({ pieces: ['Once upon'], ends: 'length' })
    expect((await streamed({ max_tokens: 20 })).finish).toEqual(['length'])
    const whole = await client.chat.completions.create({ model: model(), messages, max_tokens: 20 })
    expect(whole.choices[0]?.finish_reason).toBe('length')
  })

  test.each(['stream', 'whole'] as const)('two calls and their results, %s', async (delivery) => {
    say({ pieces: ['Let me see.'], calls })
    const asked = { model: model(), messages, tools, tool_choice: 'auto' as const }
    const first =
      delivery === 'stream'
        ? await client.chat.completions.stream(asked).finalChatCompletion()
        : await client.chat.completions.create(asked)
    const { message, finish_reason } = first.choices[0]!
    expect(finish_reason).toBe('tool_calls')
    expect(message.content).toBe('Let me see.')
    const made = (message.tool_calls ?? []).flatMap((call) => (call.type === 'function' ? [call] : []))
    expect(made.map((call) => [call.function.name, JSON.parse(call.function.arguments)])).toEqual(
      calls.map((call) => [call.name, call.args]),
    )
    expect(new Set(made.map(({ id }) => id)).size).toBe(2)

    say({ pieces: ['Noon, and evening.'] })
    const results = made.map(({ id }, i) => ({
      role: 'tool' as const,
      tool_call_id: id,
      content: ['12:00', '19:00'][i]!,
    }))
    const { text, finish, parley } = await streamed({ tools, messages: [...messages, message, ...results] })
    expect({ text, finish }).toEqual({ text: 'Noon, and evening.', finish: ['stop'] })
    expect(parley).toMatchObject(answered)
    const sent = JSON.stringify(kinds.get(name)!.lastBody())
    for (const word of ['Be kind.', 'Let me see.', 'Europe/Rome', '12:00', '19:00', 'The time in a zone.'])
      expect(sent).toContain(word)
  })

  test('a call that was demanded', async () => {
    say({ calls: calls.slice(0, 1) })
    const tool_choice = { type: 'function' as const, function: { name: 'get_time' } }
    const answer = await client.chat.completions.create({ model: model(), messages, tools, tool_choice })
    expect(answer.choices[0]).toMatchObject({
      message: { tool_calls: [{ function: { name: 'get_time' } }] },
      finish_reason: 'tool_calls',
    })
  })

  test('structured output, parsed by the SDK', async () => {
    const schema = z.object({ name: z.string(), guests: z.number() })
    say({ pieces: ['{"name":"Ada",', '"guests":5}'] })
    const answer = await client.chat.completions.parse({
      model: model(),
      messages,
      response_format: zodResponseFormat(schema, 'booking'),
    })
    expect(answer.choices[0]?.message.parsed).toEqual({ name: 'Ada', guests: 5 })
    expect(JSON.stringify(kinds.get(name)!.lastBody())).toContain('guests')
  })

  test.each([
    ['refused', 'refuse_503', 'Here.', 'Here.'],
    ['broken', 'drop_mid_stream', ' four.', 'One two three four.'],
  ] as const)('an answer that is %s is the next target’s to give', async (how, fails, next, whole) => {
    say({ pieces: ['One two', ' three', ' and'], fails })
    kinds.get(nextTo(name))!.say({ pieces: [next] })
    const { text, finish, parley } = await streamed({ model: `${how}-${name}` })
    expect(finish).toEqual(['stop'])
    expect(text.replace(' and', '')).toBe(whole)
    expect(parley?.attempts.at(0)).toMatchObject({ provider: name, status: 'failed' })
    expect(parley?.attempts.at(-1)).toMatchObject({ provider: nextTo(name), status: 'ok' })
  })
})
