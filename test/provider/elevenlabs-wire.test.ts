import { describe, expect, test } from 'vitest'
import { AlignedWords } from '../../src/provider/aligned-words.ts'
import { kindOfClose, kindOfCode, parseMessage, speakText } from '../../src/provider/elevenlabs/wire.ts'

describe('what ElevenLabs says', () => {
  test('sound with its alignment', () => {
    const alignment = { chars: ['H', 'i'], charStartTimesMs: [0, 40], charDurationsMs: [40, 60] }
    const message = parseMessage(JSON.stringify({ audio: 'AAE=', alignment, contextId: 's1' }))
    expect(message).toEqual({
      context: 's1',
      audio: Buffer.from([0, 1]),
      alignment: { chars: ['H', 'i'], startsMs: [0, 40], durationsMs: [40, 60] },
      final: false,
    })
  })

  test.each([
    ['{"isFinal":true,"contextId":"s1"}', { context: 's1', final: true }],
    ['{"audio":null,"isFinal":true,"context_id":"s1"}', { context: 's1', final: true }],
    ['{"audio":"","alignment":null,"contextId":"s1"}', { context: 's1', final: false }],
    ['{"flush_done":true,"contextId":"s1"}', { context: 's1', final: false }],
    [
      '{"error":"max_active_conversations","message":"…","code":1008}',
      { final: false, error: 'max_active_conversations' },
    ],
    ['{"error":"Your key xi-SECRET is wrong","code":1008}', { final: false, error: 'unknown' }],
    [
      '{"audio":"AA==","alignment":{"chars":["a"],"charStartTimesMs":[]}}',
      { audio: Buffer.from([0]), final: false },
    ],
  ])('%s', (text, message) => {
    expect(parseMessage(text)).toEqual(message)
  })

  test.each(['', '{', 'null', '[]', '"audio"', '{"audio":7}'])('no message: %s', (text) => {
    expect(parseMessage(text)).toBeUndefined()
  })

  test('other spellings of the alignment, and the normalized one where there is no other', () => {
    const other = { chars: ['a'], charsStartTimesMs: [1], charsDurationsMs: [2] }
    const found = { chars: ['a'], startsMs: [1], durationsMs: [2] }
    expect(parseMessage(JSON.stringify({ alignment: other }))?.alignment).toEqual(found)
    expect(parseMessage(JSON.stringify({ alignment: null, normalizedAlignment: other }))?.alignment).toEqual(
      found,
    )
  })

  test.each([
    ['quota_exceeded', 'quota'],
    ['max_active_conversations', 'rate'],
    ['invalid_api_key', 'auth'],
    ['voice_not_found', 'bad_request'],
    ['queue_overflow', 'transient'],
    ['input_timeout_exceeded', 'expired'],
    ['something_new', 'transient'],
  ])('the code %s means %s', (code, kind) => {
    expect(kindOfCode(code)).toBe(kind)
  })

  test.each([
    [1006, '', 'transient'],
    [1011, '', 'transient'],
    [1000, '', 'transient'],
    [1008, 'Maximum simultaneous contexts per WebSocket connection exceeded (5).', 'rate'],
    [1008, 'input_timeout_exceeded', 'expired'],
    [1008, 'voice_settings can only be provided in the first message', 'bad_request'],
    [1008, 'This request exceeds your quota.', 'quota'],
  ])('a close with %i %s means %s', (code, reason, kind) => {
    expect(kindOfClose(code, reason)).toBe(kind)
  })

  test('text ends with one space', () => {
    expect(JSON.parse(speakText('s1', 'Hello.  '))['text']).toBe('Hello. ')
  })
})

describe('characters become words', () => {
  const spread = (text: string, fromMs = 0) => ({
    chars: [...text],
    startsMs: [...text].map((_, i) => fromMs + i * 10),
    durationsMs: [...text].map(() => 10),
  })

  test('a word cut by a message is one word', () => {
    const words = new AlignedWords()
    expect(words.add(spread(' Hello wo'), 0)).toEqual([{ text: 'Hello', startMs: 10, endMs: 60 }])
    expect(words.add(spread('rld. '), 90)).toEqual([{ text: 'world.', startMs: 70, endMs: 130 }])
    expect(words.rest()).toEqual([])
    expect(words.alignedMs).toBe(140)
  })

  test('marks stay with their word', () => {
    const words = new AlignedWords()
    const found = [...words.add(spread("“Don't,” he said"), 0), ...words.rest()]
    expect(found.map((word) => word.text)).toEqual(["“Don't,”", 'he', 'said'])
  })

  test('without spaces every character is a word', () => {
    const words = new AlignedWords()
    const found = [...words.add(spread('今日は、晴れ。OK'), 0), ...words.rest()]
    expect(found.map((word) => word.text)).toEqual(['今', '日', 'は、', '晴', 'れ。', 'OK'])
  })
})
