/** What routing knows, as Prometheus sees it: read at each scrape, bounded. */
import { Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { Health } from '../../src/attempt/health.ts'
import { VirtualClock } from '../../src/clock.ts'
import { watchTargets } from '../../src/trace/target-metrics.ts'

test('circuits, attempts in flight, latencies and hedges', async () => {
  const registry = new Registry()
  const health = new Health({ clock: new VirtualClock() })
  const hedge = { pipeline: 'p', route: 'any', calls: 100, hedges: 9, denied: 2, won: 5, lostUsd: 0.25 }
  watchTargets(registry, { targets: () => health.read(), keys: () => health.read(), hedges: () => [hedge] })
  health.admit({ stage: 'llm', target: 'a/x', credential: '' }, null)
  const failed = { type: 'failed', kind: 'auth', retryAfterMs: undefined, ms: 1 } as const
  health.admit({ stage: 'tts', target: 'a/y', credential: '' }, null)?.end(failed)
  const text = await registry.metrics()
  expect(text).toContain('parley_circuit_state{stage="llm",target="a/x"} 0')
  expect(text).toContain('parley_circuit_state{stage="tts",target="a/y"} 2')
  expect(text).toContain('parley_circuit_opened{stage="tts",target="a/y"} 1')
  expect(text).toContain('parley_attempts_in_flight{stage="llm",target="a/x"} 1')
  expect(text).toContain('parley_target_first_output_p50_seconds{stage="llm",target="a/x"} 0.4')
  expect(text).toContain('parley_hedges{pipeline="p",route="any",what="denied"} 2')
  expect(text).toContain('parley_hedges_lost_usd{pipeline="p",route="any"} 0.25')
})

test('more targets than anybody has do not make more series', async () => {
  const registry = new Registry()
  const one = { stage: 'llm', circuit: 'closed', inFlight: 0, opened: 0, p50Ms: 1, p95Ms: 2 } as const
  const targets = () => Array.from({ length: 5000 }, (_, n) => ({ ...one, target: `a/${n}` }))
  watchTargets(registry, { targets, keys: () => [], hedges: () => [] })
  const text = await registry.metrics()
  expect(text.match(/^parley_circuit_state\{/gm)?.length).toBeLessThanOrEqual(201)
})
