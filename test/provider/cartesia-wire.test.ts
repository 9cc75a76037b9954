import { describe, expect, test } from 'vitest'
import { Flushes } from '../../src/provider/cartesia/flushes.ts'
import { kindOfClose, parseMessage } from '../../src/provider/cartesia/wire.ts'
import { WordClock } from '../../src/provider/word-clock.ts'

describe('what Cartesia says', () => {
  test('sound, and words in milliseconds', () => {
    const chunk = { type: 'chunk', data: 'AAE=', done: false, status_code: 206, context_id: 'c', flush_id: 2 }
    expect(parseMessage(JSON.stringify(chunk))).toEqual({
      type: 'chunk',
      context: 'c',
      flushId: 2,
      audio: Buffer.from([0, 1]),
    })
    const word_timestamps = { words: ['Hello', 'you'], start: [0, 0.4004], end: [0.3996, 0.6] }
    const timestamps = { type: 'timestamps', word_timestamps, context_id: 'c' }
    expect(parseMessage(JSON.stringify(timestamps))).toEqual({
      type: 'timestamps',
      context: 'c',
      flushId: undefined,
      words: [
        { text: 'Hello', startMs: 0, endMs: 400 },
        { text: 'you', startMs: 400, endMs: 600 },
      ],
    })
  })

  test.each([
    ['{"type":"timestamps","context_id":"c","word_timestamps":null}', { type: 'timestamps', words: [] }],
    ['{"type":"flush_done","flush_id":1,"context_id":"c"}', { type: 'flushDone', flushId: 1 }],
    ['{"type":"done","done":true,"context_id":"c"}', { type: 'done', context: 'c' }],
    ['{"type":"phoneme_timestamps","context_id":"c"}', { type: 'other' }],
    ['{"type":"of tomorrow"}', { type: 'other' }],
  ])('%s', (text, message) => {
    expect(parseMessage(text)).toMatchObject(message)
  })

  test.each([
    [{ status_code: 401 }, 'auth'],
    [{ status_code: 402, error_code: 'quota_exceeded' }, 'quota'],
    [{ status_code: 429, error_code: 'concurrency_limited' }, 'rate'],
    [{ status_code: 400, error_code: 'model_not_found' }, 'bad_request'],
    [{ status_code: 503 }, 'transient'],
    [{}, 'transient'],
  ])('the error %j means %s', (facts, kind) => {
    const text = JSON.stringify({ type: 'error', title: 'T', message: 'SECRET', context_id: 'c', ...facts })
    expect(parseMessage(text)).toMatchObject({ type: 'error', context: 'c', kind })
    expect(JSON.stringify(parseMessage(text))).not.toContain('SECRET')
  })

  test('an error of an older version', () => {
    const text = '{"error":"Invalid model: SECRET","status_code":400,"done":true}'
    expect(parseMessage(text)).toEqual({
      type: 'error',
      context: undefined,
      kind: 'bad_request',
      message: 'the provider says 400',
    })
  })

  test.each(['', '{', 'null', '[]', '{"type":"chunk","context_id":"c"}'])('no message: %s', (text) => {
    expect(parseMessage(text)).toBeUndefined()
  })

  test('a close that says idle is a rollover', () => {
    expect(kindOfClose(1000, 'connection idle timeout')).toBe('expired')
    expect(kindOfClose(1000, '')).toBe('transient')
    expect(kindOfClose(1006, '')).toBe('transient')
  })
})

describe('which sentence it belongs to', () => {
  test('by the flushes done', () => {
    const flushes = new Flushes()
    expect(flushes.of(undefined)).toBe(0)
    expect(flushes.flushed(undefined)).toBe(1)
    expect(flushes.of(undefined)).toBe(1)
    expect(flushes.flushed(undefined)).toBe(2)
  })

  test.each([0, 1, 7])('by ids that begin with %i', (first) => {
    const flushes = new Flushes()
    expect([first, first, first + 1, first + 2].map((id) => flushes.of(id))).toEqual([0, 0, 1, 2])
  })

  test('a flush done said twice counts once', () => {
    const flushes = new Flushes()
    expect([1, 1, 2, 2].map((id) => flushes.flushed(id))).toEqual([1, 1, 2, 2])
  })

  test('a sentence without sound does not shift the others', () => {
    const flushes = new Flushes()
    flushes.flushed(1)
    expect(flushes.of(2)).toBe(1)
    flushes.flushed(2)
    expect(flushes.of(3)).toBe(2)
  })
})

describe('times from the own sentence', () => {
  const word = (startMs: number, endMs: number) => [{ text: 'w', startMs, endMs }]

  test('counted from the context', () => {
    const clock = new WordClock()
    expect(clock.shift(word(0, 300), 0)).toEqual(word(0, 300))
    expect(clock.shift(word(1_020, 1_300), 1_000)).toEqual(word(20, 300))
    expect(clock.shift(word(1_500, 1_800), 1_000)).toEqual(word(500, 800))
  })

  test('set back by every flush', () => {
    const clock = new WordClock()
    expect(clock.shift(word(20, 300), 1_000)).toEqual(word(20, 300))
    expect(clock.shift(word(1_500, 1_800), 2_000)).toEqual(word(1_500, 1_800))
  })
})
