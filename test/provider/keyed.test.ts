/** One provider out of several keys, whatever kind of adapter it is. */
import { expect, test } from 'vitest'
import { keyedProvider } from '../../src/provider/keyed.ts'
import type { Provider } from '../../src/stage/provider.ts'
import { FakeStt, FakeTts } from '../support/stages.ts'

const KEYS = [
  { id: 'one', weight: 3, key: 'k1' },
  { id: 'two', weight: 1, key: 'k2' },
]

test('each key has a provider of its own: asked by name, the first without one, closed together', async () => {
  const made: { readonly key: string; readonly stt: FakeStt; closed: boolean }[] = []
  const provider = keyedProvider(KEYS, ({ key }): Provider => {
    const one = { key, stt: new FakeStt(), closed: false }
    made.push(one)
    return {
      name: 'p',
      stt: (model) => (model === 'ears' ? one.stt : undefined),
      tts: () => new FakeTts(),
      close: async () => {
        one.closed = true
      },
    }
  })
  expect(made.map(({ key }) => key)).toEqual(['k1', 'k2'])
  expect(JSON.stringify(provider.credentials)).toBe('[{"id":"one","weight":3},{"id":"two","weight":1}]')
  expect(provider.stt?.('ears', 'two')).toBe(made[1]?.stt)
  expect(provider.stt?.('ears')).toBe(made[0]?.stt)
  expect(provider.stt?.('mouth', 'two')).toBeUndefined()
  expect(provider.stt?.('ears', 'three')).toBeUndefined()
  // What none of them does, it does not either.
  expect(provider.llm).toBeUndefined()
  await provider.close()
  expect(made.every(({ closed }) => closed)).toBe(true)
})
