/** Speech that was said from the cache is counted apart: it says nothing of how fast a voice is. */
import { expect, test } from 'vitest'
import { Metrics } from '../../src/trace/metrics.ts'
import type { AttemptRecord } from '../../src/trace/record.ts'
import { watchSpeechCache } from '../../src/trace/speech-cache-metrics.ts'
import { recordOf } from './record-of.ts'

test('what was cached is in no latency and no count of attempts', async () => {
  const metrics = new Metrics()
  watchSpeechCache(metrics.registry, () => ({
    entries: 2,
    bytes: 480,
    made: 1,
    fromDisk: 1,
    diskBytes: 900,
    broken: 3,
    misses: 7,
  }))
  const cached: AttemptRecord = {
    stage: 'tts',
    provider: 'a',
    model: 'b',
    status: 'ok',
    startMs: 5,
    firstOutputMs: 5,
    endMs: 5,
    kind: null,
    hedge: false,
    reason: 'cached',
    costUsd: 0,
  }
  metrics.turn(
    recordOf({ attempts: [cached, { ...cached, reason: 'first', firstOutputMs: 205, endMs: 900 }] }),
  )
  const text = await metrics.text()
  const value = (name: string) =>
    text
      .split('\n')
      .find((line) => line.startsWith(name))
      ?.split(' ')
      .at(-1)
  expect(value('parley_speech_cached_total{provider="a",model="b"')).toBe('1')
  expect(value('parley_attempts_total{stage="tts"')).toBe('1')
  expect(value('parley_attempt_first_output_seconds_count{stage="tts"')).toBe('1')
  expect(value('parley_speech_cache_bytes')).toBe('480')
  expect(value('parley_speech_cache_broken_files')).toBe('3')
  expect(value('parley_speech_cache_misses')).toBe('7')
  metrics.close()
})
