import Fastify from 'fastify'
import { afterEach, describe, expect, test } from 'vitest'
import { Metrics } from '../../src/trace/metrics.ts'
import { metricsPlugin } from '../../src/trace/metrics-plugin.ts'
import type { AttemptRecord } from '../../src/trace/record.ts'
import { recordOf } from './record-of.ts'

const made: Metrics[] = []
afterEach(() => {
  for (const metrics of made.splice(0)) metrics.close()
})
function fresh(): Metrics {
  const metrics = new Metrics()
  made.push(metrics)
  return metrics
}
const attempt = (facts: Partial<AttemptRecord>): AttemptRecord => ({
  stage: 'llm',
  provider: 'openai',
  model: 'gpt-4o',
  status: 'ok',
  startMs: 500,
  firstOutputMs: 900,
  endMs: 1000,
  kind: null,
  hedge: false,
  reason: 'first',
  costUsd: null,
  ...facts,
})
const series = (text: string, name: string) =>
  text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))

describe('metrics', () => {
  test('count a turn by its record: outcome, first audio, attempts, interruption, underruns', async () => {
    const metrics = fresh()
    metrics.turn(
      recordOf({
        budget: { turnMs: 1500, actualMs: 1700, brokenBy: 'llm', degraded: [] },
        attempts: [attempt({}), attempt({ status: 'failed', kind: 'timeout', firstOutputMs: null })],
        heard: { ms: 5, text: 'Hi', interrupted: true },
        underruns: 2,
      }),
    )
    const text = await metrics.text()
    expect(text).toContain('parley_turns_total{pipeline="default",outcome="said"} 1')
    expect(text).toContain('parley_turn_first_audio_seconds_sum{pipeline="default",wire="realtime"} 1.7')
    expect(text).toContain(
      'parley_turn_first_audio_seconds_bucket{le="1.5",pipeline="default",wire="realtime"} 0',
    )
    expect(text).toContain(
      'parley_turn_first_audio_seconds_bucket{le="2",pipeline="default",wire="realtime"} 1',
    )
    expect(text).toContain(
      'parley_attempt_first_output_seconds_sum{stage="llm",provider="openai",model="gpt-4o",pipeline="default"} 0.4',
    )
    expect(text).toContain(
      'parley_attempts_total{stage="llm",provider="openai",model="gpt-4o",status="failed",kind="timeout"} 1',
    )
    expect(text).toContain('parley_turns_over_budget_total{pipeline="default",part="llm"} 1')
    expect(text).toContain('parley_interruptions_total{pipeline="default"} 1')
    expect(text).toContain('parley_underruns_total{pipeline="default"} 2')
  })

  test('do not count a turn that is still open', async () => {
    const metrics = fresh()
    metrics.turn(recordOf({ outcome: 'open' }))
    expect(series(await metrics.text(), 'parley_turns_total')).toEqual([])
  })

  test('know how many sessions are open, were refused, and what was dropped', async () => {
    const metrics = fresh()
    metrics.sessionOpened('realtime')
    metrics.sessionOpened('realtime')
    metrics.sessionClosed('realtime', 'limit')
    metrics.sessionRefused('server_full')
    metrics.dropped('vad-frames', 3)
    const text = await metrics.text()
    expect(text).toContain('parley_sessions{wire="realtime"} 1')
    expect(text).toContain('parley_sessions_closed_total{wire="realtime",reason="limit"} 1')
    expect(text).toContain('parley_sessions_refused_total{code="server_full"} 1')
    expect(text).toContain('parley_dropped_total{what="vad-frames"} 3')
  })

  test('hold no words and no session, turn or key', async () => {
    const metrics = fresh()
    metrics.turn(
      recordOf({
        id: 'turn_X',
        sessionId: 'sess_X',
        keyId: 'key_X',
        text: { user: 'my address is', said: 'thanks' },
      }),
    )
    const text = await metrics.text()
    for (const private_ of ['turn_X', 'sess_X', 'key_X', 'my address', 'thanks'])
      expect(text).not.toContain(private_)
  })

  test('stay bounded though clients name thousands of models and pipelines', async () => {
    const metrics = fresh()
    for (let i = 0; i < 3000; i++) {
      metrics.turn(
        recordOf({
          pipeline: `p${i}`,
          wire: `w${i}`,
          attempts: [attempt({ model: `m${i}`, firstOutputMs: null })],
        }),
      )
      metrics.dropped(`d${i}`)
    }
    const text = await metrics.text()
    expect(series(text, 'parley_attempts_total')).toHaveLength(201)
    expect(series(text, 'parley_turns_total')).toHaveLength(201)
    expect(series(text, 'parley_dropped_total')).toHaveLength(21)
    expect(text).toContain('model="other"')
  })

  test('are served as Prometheus reads them, with the event loop and the process', async () => {
    const app = Fastify()
    metricsPlugin(app, { metrics: fresh() })
    const answer = await app.inject({ url: '/metrics' })
    expect(answer.headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/)
    expect(answer.body).toMatch(/^parley_event_loop_delay_seconds\{quantile="0\.99"\} [\d.e-]+$/m)
    expect(answer.body).toMatch(/^process_resident_memory_bytes \d+$/m)
  })

  test('two servers in one process do not share a registry', async () => {
    const [one, two] = [fresh(), fresh()]
    one.sessionOpened('realtime')
    expect(await two.text()).not.toContain('parley_sessions{')
  })
})
