import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openScope } from '../../../src/cancel.ts'
import { realClock } from '../../../src/clock.ts'
import type { ModelEvent, ModelMessage } from '../../../src/dialect/neutral.ts'
import { ensureModel } from '../../../src/provider/local/models/index.ts'
import { createSmol, type Smol } from '../../../src/provider/local/smollm2/index.ts'

const [runtime, model] = await Promise.all([
  ensureModel('smollm2-runtime', { bring: 'never' })
    .then((m) => m.files['entry'])
    .catch(() => undefined),
  ensureModel('smollm2', { bring: 'never' })
    .then((m) => m.files['model'])
    .catch(() => undefined),
])
const present = runtime !== undefined && model !== undefined
if (!present) console.log('skipped: SmolLM2 is not in the model cache; `npx parley models pull` brings it')

describe.skipIf(!present)('SmolLM2 in its thread', () => {
  let smol: Smol
  beforeAll(async () => {
    smol = await createSmol({
      clock: realClock,
      note: () => {},
      runtime: runtime!,
      model: model!,
      threads: 1,
    })
  })
  afterAll(() => smol.close())

  async function ask(
    messages: ModelMessage[],
    maxTokens = 24,
    signal = openScope().signal,
  ): Promise<ModelEvent[]> {
    const events: ModelEvent[] = []
    const options = { signal, clock: realClock }
    for await (const event of smol.stream({ messages, maxTokens, temperature: 0 }, options))
      events.push(event)
    return events
  }
  const textOf = (events: readonly ModelEvent[]) =>
    events.map((e) => (e.type === 'text' ? e.text : '')).join('')
  const usageOf = (events: readonly ModelEvent[]) => events.find((e) => e.type === 'usage')!.usage

  test('it answers in words, with usage, and one finish at the end', async () => {
    const events = await ask([{ role: 'user', text: 'What is the capital of France?' }])
    expect(textOf(events)).toMatch(/Paris/)
    expect(usageOf(events).outputTokens).toBeGreaterThan(3)
    expect(events.at(-1)?.type).toBe('finish')
    expect(textOf(events)).not.toContain('<|')
  })
  test('maxTokens cuts it, and says so', async () => {
    const events = await ask([{ role: 'user', text: 'Tell me a long story about a ship.' }], 5)
    expect(usageOf(events).outputTokens).toBe(5)
    expect(events.at(-1)).toEqual({ type: 'finish', reason: 'length' })
  })
  test('it continues an answer that was begun', async () => {
    const begun = 'The capital of France is'
    const text = textOf(
      await ask(
        [
          { role: 'user', text: 'Capital of France?' },
          { role: 'assistant', text: begun },
        ],
        4,
      ),
    )
    expect(text).toMatch(/^ ?Paris/)
  })
  test('the next turn of a conversation reads only what is new', async () => {
    const conversation: ModelMessage[] = [
      {
        role: 'system',
        text: 'You speak like a friendly pirate who has sailed all the seven seas of this world.',
      },
      { role: 'user', text: 'Where did you grow up?' },
    ]
    const first = await ask(conversation)
    const next = await ask([
      ...conversation,
      { role: 'assistant', text: textOf(first) },
      { role: 'user', text: 'And then?' },
    ])
    expect(usageOf(next).cachedTokens).toBeGreaterThanOrEqual(usageOf(first).inputTokens)
  })
  test('a history beyond the context is shortened, not refused', async () => {
    const long: ModelMessage[] = Array.from({ length: 120 }, (_, i) => ({
      role: i % 2 === 0 ? 'user' : 'assistant',
      text: `This is part ${i} of a conversation that went on for a very long time.`,
    }))
    const events = await ask([...long, { role: 'user', text: 'Say yes.' }], 3)
    expect(usageOf(events).inputTokens).toBeLessThan(1_024)
    expect(usageOf(events).inputTokens).toBeGreaterThan(700)
  })
  test('an abort in the middle ends it with its reason, and the model is free for the next', async () => {
    const scope = openScope()
    const reading = (async () => {
      const messages: ModelMessage[] = [{ role: 'user', text: 'Count to one thousand.' }]
      for await (const event of smol.stream(
        { messages, maxTokens: 500 },
        { signal: scope.signal, clock: realClock },
      )) {
        if (event.type === 'text') scope.cancel('barge-in')
      }
    })()
    await expect(reading).rejects.toMatchObject({ name: 'Cancelled', reason: 'barge-in' })
    const after = await Promise.all([1, 2, 3].map(() => ask([{ role: 'user', text: 'Hello!' }], 3)))
    expect(after.every((events) => textOf(events).length > 0)).toBe(true)
  })
})
