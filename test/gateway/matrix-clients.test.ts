/**
 * The other clients before every kind of target: `@anthropic-ai/sdk`, the `openai` SDK at `/v1/responses`, and the AI SDK, each with a text,
 * a call and its result. What `matrix.test.ts` holds for chat completions, in their own words.
 */
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import Anthropic from '@anthropic-ai/sdk'
import { generateText, stepCountIs, streamText, tool } from 'ai'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { KINDS, type Kind, type Says } from './kinds.ts'
import { GATEWAY_KEY, type Gateway, startGateway } from './server.ts'

const kinds = new Map<string, Kind>()
let gateway: Gateway
let anthropic: Anthropic
let openai: OpenAI
let aiSdk: ReturnType<typeof createOpenAICompatible>

beforeAll(async () => {
  for (const [name, start] of Object.entries(KINDS)) kinds.set(name, await start())
  const lines = [...kinds].map(([name, { settings }]) => `  ${name}: ${settings}`)
  gateway = await startGateway({ settings: ['providers:', ...lines].join('\n') })
  anthropic = new Anthropic({ apiKey: GATEWAY_KEY, baseURL: gateway.url, maxRetries: 0 })
  openai = new OpenAI({ apiKey: GATEWAY_KEY, baseURL: `${gateway.url}/v1`, maxRetries: 0 })
  aiSdk = createOpenAICompatible({ name: 'parley', baseURL: `${gateway.url}/v1`, apiKey: GATEWAY_KEY })
})
afterAll(async () => {
  await gateway.close()
  await Promise.all([...kinds.values()].map((kind) => kind.close()))
})

const parameters = { type: 'object' as const, properties: { zone: { type: 'string' } }, required: ['zone'] }
const call = { id: 'call_1', name: 'get_time', args: { zone: 'Europe/Rome' } }

describe.each(Object.keys(KINDS))('%s', (name) => {
  const say = (next: Says) => kinds.get(name)!.say(next)
  const model = () => `${name}/${kinds.get(name)!.model}`
  const sent = () => JSON.stringify(kinds.get(name)!.lastBody())

  test('Anthropic’s SDK: a stream, a call, and its result', async () => {
    const tools: Anthropic.Tool[] = [{ name: 'get_time', input_schema: parameters }]
    const messages: Anthropic.MessageParam[] = [{ role: 'user', content: 'Hi' }]
    const asked = { model: model(), max_tokens: 100, system: 'Be kind.', tools }
    say({ pieces: ['Let me', ' see.'], calls: [call] })
    const first = await anthropic.messages.stream({ ...asked, messages }).finalMessage()
    expect(first.stop_reason).toBe('tool_use')
    expect(first.content).toMatchObject([
      { type: 'text', text: 'Let me see.' },
      { type: 'tool_use', name: 'get_time', input: call.args },
    ])
    const { id } = first.content[1] as Anthropic.ToolUseBlock
    const result = { type: 'tool_result' as const, tool_use_id: id, content: '12:00' }
    say({ pieces: ['Noon.'] })
    const second = await anthropic.messages.create({
      ...asked,
      messages: [
        ...messages,
        { role: 'assistant', content: first.content },
        { role: 'user', content: [result] },
      ],
    })
    expect(second).toMatchObject({ content: [{ type: 'text', text: 'Noon.' }], stop_reason: 'end_turn' })
    expect(second.usage.output_tokens).toBeGreaterThan(0)
    for (const word of ['Be kind.', 'Europe/Rome', '12:00']) expect(sent()).toContain(word)
  })

  test('the openai SDK at /v1/responses: a stream, a call, and its result', async () => {
    const tools = [{ type: 'function' as const, name: 'get_time', parameters, strict: false }]
    const asked = { model: model(), instructions: 'Be kind.', tools }
    say({ pieces: ['Let me', ' see.'], calls: [call] })
    const first = await openai.responses.stream({ ...asked, input: 'Hi' }).finalResponse()
    expect(first.output_text).toBe('Let me see.')
    const made = first.output.find((item) => item.type === 'function_call')
    expect(made).toMatchObject({ name: 'get_time', arguments: JSON.stringify(call.args) })
    say({ pieces: ['Noon.'] })
    const second = await openai.responses.create({
      ...asked,
      input: [
        { role: 'user', content: 'Hi' },
        { role: 'assistant', content: first.output_text },
        { type: 'function_call', call_id: made!.call_id, name: made!.name, arguments: made!.arguments },
        { type: 'function_call_output', call_id: made!.call_id, output: '12:00' },
      ],
    })
    expect(second).toMatchObject({ status: 'completed', output_text: 'Noon.' })
    expect(second.usage?.total_tokens).toBeGreaterThan(0)
    for (const word of ['Be kind.', 'Europe/Rome', '12:00']) expect(sent()).toContain(word)
  })

  test('the AI SDK: a stream, and a call that it makes itself', async () => {
    say({ pieces: ['Grüß', ' Gott'] })
    const { textStream } = streamText({ model: aiSdk(model()), prompt: 'Hi', maxRetries: 0 })
    let text = ''
    for await (const piece of textStream) text += piece
    expect(text).toBe('Grüß Gott')
    say({ calls: [call] })
    const zones: string[] = []
    const { steps } = await generateText({
      model: aiSdk(model()),
      prompt: 'Hi',
      maxRetries: 0,
      stopWhen: stepCountIs(2),
      tools: {
        get_time: tool({
          inputSchema: z.object({ zone: z.string() }),
          execute: ({ zone }) => {
            zones.push(zone)
            say({ pieces: ['Noon.'] })
            return '12:00'
          },
        }),
      },
    })
    expect(zones).toEqual(['Europe/Rome'])
    expect(steps.map((step) => step.finishReason)).toEqual(['tool-calls', 'stop'])
    expect(steps.at(-1)?.text).toBe('Noon.')
  })
})
