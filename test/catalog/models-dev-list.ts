/** A list as `https://models.dev/api.json` serves it, small: every member of its schema, each way a price may be written. */
export interface List {
  [provider: string]: { id: string; name: string; models: Record<string, unknown> }
  openai: { id: string; name: string; models: Record<string, unknown> }
}

const model = (id: string, more: object = {}) => ({
  id,
  name: id.toUpperCase(),
  attachment: true,
  reasoning: false,
  temperature: true,
  tool_call: true,
  structured_output: true,
  knowledge: '2023-10',
  release_date: '2024-07-18',
  last_updated: '2024-07-18',
  modalities: { input: ['text', 'image', 'pdf', 'something new'], output: ['text'] },
  open_weights: false,
  limit: { context: 128_000, output: 16_384 },
  ...more,
})

export function modelsDevList(): List {
  const plain = Array.from({ length: 18 }, (_, n) => [
    `m${n}`,
    model(`m${n}`, { cost: { input: 1, output: 2 } }),
  ])
  return {
    openai: {
      id: 'openai',
      name: 'OpenAI',
      models: {
        'gpt-4o-mini': model('gpt-4o-mini', { cost: { input: 9, output: 18, cache_read: 0.9 } }),
        painter: model('painter', { modalities: { input: ['text'], output: ['image'] } }),
      },
    },
    google: {
      id: 'google',
      name: 'Google',
      models: {
        'gemini-old': model('gemini-old', {
          cost: { input: 1.25, output: 10, context_over_200k: { input: 2.5, output: 15 } },
        }),
        'gemini-new': model('gemini-new', {
          tool_call: { supported: true, streaming: true },
          cost: {
            input: 2,
            output: 6,
            tiers: [{ input: 4, output: 9, tier: { type: 'context', size: 272_000 } }],
          },
        }),
      },
    },
    zhipuai: {
      id: 'zhipuai',
      name: 'Zhipu',
      models: { 'glm-plan': model('glm-plan', { cost: { input: 0, output: 0 } }) },
    },
    test: { id: 'test', name: 'Test', models: Object.fromEntries(plain) },
  }
}
