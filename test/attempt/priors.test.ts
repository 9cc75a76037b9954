/** How fast a target is thought to be before anybody measured it: what is written of it, else what is usual. */
import { expect, test } from 'vitest'
import { Health } from '../../src/attempt/health.ts'
import { priorsOf } from '../../src/attempt/traits.ts'
import { loadCatalog } from '../../src/catalog/load.ts'
import { VirtualClock } from '../../src/clock.ts'
import type { StageName } from '../../src/errors.ts'

test('a written typical time is what a target is thought to need, until somebody measured it', () => {
  const clock = new VirtualClock()
  const catalog = loadCatalog({ operator: { 'my-vllm/llama-3': { ttft_ms: 90 } } })
  const health = new Health({ clock, prior: priorsOf(catalog) })
  const p50 = (stage: StageName, target: string) => health.latency({ stage, target }, null).p50Ms
  expect(p50('llm', 'my-vllm/llama-3')).toBe(90)
  expect(p50('llm', 'my-vllm/other')).toBe(400)
  // Of the voice, by the catalogue's own; a time of one stage says nothing of another.
  expect(p50('tts', 'cartesia/sonic-3')).toBe(188)
  expect(p50('stt', 'cartesia/sonic-3')).toBe(319)

  for (let n = 0; n < 50; n++) {
    const ticket = health.admit({ stage: 'llm', target: 'my-vllm/llama-3', credential: '' }, null)
    ticket?.useful()
    ticket?.end({ type: 'ok', firstUsefulMs: 700, unitsPerSecond: null })
  }
  expect(p50('llm', 'my-vllm/llama-3')).toBeGreaterThan(500)
})
