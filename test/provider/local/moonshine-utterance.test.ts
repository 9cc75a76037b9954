/** What an utterance wants recognised, and when it has its answer. Nothing runs: the recogniser is this test. */
import { describe, expect, test } from 'vitest'
import { agreedPrefix } from '../../../src/provider/agree.ts'
import { MOONSHINE_CUTTING } from '../../../src/provider/local/moonshine/engine.ts'
import { SLOT_SAMPLES } from '../../../src/provider/local/moonshine/protocol.ts'
import { FairQueue } from '../../../src/provider/local/moonshine/queue.ts'
import { Loudness } from '../../../src/provider/loudness.ts'
import { type Job, WholeUtterance } from '../../../src/provider/whole-utterance.ts'
import { joined, noise, silence, speech } from './speech.ts'

const voice = speech('amiable')

function recognise(utterance: WholeUtterance, text: string): Job {
  const job = utterance.begin()
  if (!job) throw new Error('nothing to recognise')
  utterance.done(job, { text, confidence: 0.9 })
  return job
}

function voiceOf(ms: number): Int16Array {
  const samples = new Int16Array(ms * 16)
  for (let at = 0; at < samples.length; at += voice.length - 9_600) {
    // From the loud middle of the clip, so that every part of it is speech.
    samples.set(voice.subarray(4_800, Math.min(voice.length - 4_800, 4_800 + samples.length - at)), at)
  }
  return samples
}

describe('partials', () => {
  test('come every half second of new sound, and not of silence', () => {
    const utterance = new WholeUtterance(MOONSHINE_CUTTING)
    utterance.write(voiceOf(400))
    expect(utterance.wants).toBeUndefined()
    utterance.write(voiceOf(100))
    expect(utterance.wants).toBe('partial')
    recognise(utterance, 'he')
    expect(utterance.wants).toBeUndefined()
    utterance.write(silence(2_000))
    expect(utterance.wants).toBeUndefined()
  })

  test('call stable what two runs agree on', () => {
    const utterance = new WholeUtterance(MOONSHINE_CUTTING)
    utterance.write(voiceOf(600))
    recognise(utterance, 'He mite.')
    expect(utterance.stable).toBe('')
    utterance.write(voiceOf(600))
    recognise(utterance, 'He might even.')
    expect(utterance.stable).toBe('He')
    utterance.write(voiceOf(600))
    recognise(utterance, 'he might, even have')
    expect(utterance.stable).toBe('he might, even')
  })

  test('one that was given up comes again after another half second', () => {
    const utterance = new WholeUtterance(MOONSHINE_CUTTING)
    utterance.write(voiceOf(600))
    utterance.dropped(utterance.begin()!)
    expect(utterance.wants).toBeUndefined()
    utterance.write(voiceOf(500))
    expect(utterance.wants).toBe('partial')
  })
})

describe('preview, then final', () => {
  function previewed(): WholeUtterance {
    const utterance = new WholeUtterance(MOONSHINE_CUTTING)
    utterance.write(joined(silence(300), voice, silence(100)))
    utterance.askPreview()
    expect(recognise(utterance, 'he might').purpose).toBe('answer')
    expect(utterance.takeAnswer()).toMatchObject({ kind: 'preview', text: 'he might' })
    return utterance
  }

  test('silence after the preview needs no second recognition', () => {
    const utterance = previewed()
    for (let i = 0; i < 20; i++) utterance.write(silence(20))
    utterance.askFinal()
    expect(utterance.wants).toBeUndefined()
    expect(utterance.takeAnswer()).toMatchObject({ kind: 'final', text: 'he might' })
  })

  test.each([
    [50, 'a quiet room'],
    [300, 'a loud one'],
    [900, 'a car'],
  ])('nor does background noise of peak %i, %s', (peak) => {
    const behind = noise(4_400, peak)
    const said = joined(silence(300), voice, silence(800)).map((sample, i) => sample + (behind[i] ?? 0))
    const mark = (300 + 120) * 16 + voice.length
    const utterance = new WholeUtterance(MOONSHINE_CUTTING)
    utterance.write(said.subarray(0, mark))
    utterance.askPreview()
    recognise(utterance, 'he might')
    utterance.takeAnswer()
    utterance.write(said.subarray(mark))
    utterance.askFinal()
    expect(utterance.wants).toBeUndefined()
    expect(utterance.takeAnswer()).toMatchObject({ kind: 'final', text: 'he might' })
  })

  test.each([1, 0.5, 0.25, 0.12])('more speech does, be it %d times as loud', (gain) => {
    const utterance = previewed()
    utterance.write(silence(200))
    utterance.write(speech('ten-of-clubs').map((sample) => sample * gain))
    utterance.askFinal()
    expect(utterance.wants).toBe('answer')
    expect(utterance.takeAnswer()).toBeUndefined()
    recognise(utterance, 'he might, ten of clubs')
    expect(utterance.takeAnswer()).toMatchObject({ kind: 'final', text: 'he might, ten of clubs' })
  })

  test('a preview asked for in the middle of speech never passes for the final', () => {
    const utterance = new WholeUtterance(MOONSHINE_CUTTING)
    utterance.write(voiceOf(1_000))
    utterance.askPreview()
    recognise(utterance, 'he might')
    utterance.takeAnswer()
    utterance.write(voiceOf(300))
    utterance.askFinal()
    expect(utterance.wants).toBe('answer')
  })

  test('a partial that heard the silence after the last word is the final already', () => {
    const utterance = new WholeUtterance(MOONSHINE_CUTTING)
    utterance.write(joined(voice, silence(300)))
    recognise(utterance, 'he might')
    utterance.write(silence(200))
    utterance.askFinal()
    expect(utterance.takeAnswer()).toMatchObject({ kind: 'final', text: 'he might' })
  })

  test('a partial that ended inside a word is not', () => {
    const utterance = new WholeUtterance(MOONSHINE_CUTTING)
    utterance.write(voiceOf(1_000))
    recognise(utterance, 'he might')
    utterance.write(silence(500))
    utterance.askFinal()
    expect(utterance.wants).toBe('answer')
  })

  test('nothing but silence, or next to nothing, is an empty final without any recognition', () => {
    for (const samples of [silence(0), silence(3_000), noise(2_000, 30), voiceOf(50)]) {
      const utterance = new WholeUtterance(MOONSHINE_CUTTING)
      utterance.write(samples)
      utterance.askFinal()
      expect(utterance.wants).toBeUndefined()
      expect(utterance.takeAnswer()).toMatchObject({ kind: 'final', text: '' })
    }
  })

  test('a preview that still runs when the final is asked for is waited for, unless more was said', () => {
    const still = new WholeUtterance(MOONSHINE_CUTTING)
    still.write(joined(voice, silence(100)))
    still.askPreview()
    const job = still.begin()!
    still.write(silence(300))
    still.askFinal()
    expect(still.runningIsStale).toBe(false)
    still.done(job, { text: 'he might', confidence: 1 })
    expect(still.takeAnswer()?.text).toBe('he might')

    const more = new WholeUtterance(MOONSHINE_CUTTING)
    more.write(joined(voice, silence(100)))
    more.askPreview()
    more.begin()
    more.write(voiceOf(500))
    more.askFinal()
    expect(more.runningIsStale).toBe(true)
  })
})

describe('long speech', () => {
  test('is cut where it is quietest, and its texts are joined', () => {
    const utterance = new WholeUtterance(MOONSHINE_CUTTING)
    const pauseAt = 10.8
    utterance.write(joined(voiceOf(pauseAt * 1_000), silence(200), voiceOf(4_000)))
    expect(utterance.wants).toBe('piece')
    const piece = recognise(utterance, 'first')
    const lengthMs = piece.audio.length / 16
    expect(lengthMs).toBeGreaterThanOrEqual(pauseAt * 1_000)
    expect(lengthMs).toBeLessThanOrEqual(pauseAt * 1_000 + 200)
    utterance.askFinal()
    recognise(utterance, 'second')
    expect(utterance.takeAnswer()).toMatchObject({ kind: 'final', text: 'first second' })
  })

  test('of a minute in one write: every sample is in exactly one piece of at most 12 s', () => {
    const utterance = new WholeUtterance(MOONSHINE_CUTTING)
    const minute = Int16Array.from({ length: 60 * 16_000 }, (_, i) => (i % 30_000) - 15_000)
    utterance.write(minute)
    utterance.askFinal()
    const pieces: Int16Array[] = []
    while (utterance.wants) {
      const job = utterance.begin()!
      expect(job.audio.length).toBeLessThanOrEqual(SLOT_SAMPLES)
      pieces.push(job.audio.slice())
      utterance.done(job, { text: `${pieces.length}`, confidence: 1 })
    }
    expect(Buffer.from(joined(...pieces).buffer).equals(Buffer.from(minute.buffer))).toBe(true)
    expect(utterance.backlog).toBe(0)
    expect(utterance.takeAnswer()?.text).toBe(pieces.map((_, i) => i + 1).join(' '))
  })

  test('a partial that ran while the tail was cut is forgotten', () => {
    const utterance = new WholeUtterance(MOONSHINE_CUTTING)
    utterance.write(voiceOf(11_900))
    const job = utterance.begin()!
    expect(job.purpose).toBe('partial')
    utterance.write(voiceOf(1_000))
    utterance.done(job, { text: 'everything so far', confidence: 1 })
    expect(utterance.text).toBe('')
    expect(utterance.wants).toBe('piece')
  })
})

test('agreement ignores case and punctuation, and keeps no trailing comma', () => {
  expect(agreedPrefix('so I went, there', 'So, I went. Home')).toBe('So, I went')
  expect(agreedPrefix('', 'hello')).toBe('')
  expect(agreedPrefix("don't stop", "Don't stop now")).toBe("Don't stop")
})

test('a click is not speech, a word is', () => {
  const loudness = new Loudness()
  const said = joined(silence(300), voice, silence(200))
  loudness.push(said)
  loudness.push(joined(noise(30, 12_000), silence(300)))
  expect(loudness.speechSince(said.length)).toBe(false)
  loudness.push(speech('ten-of-clubs'))
  expect(loudness.speechSince(said.length)).toBe(true)
})

test('the queue serves answers, then pieces, then partials, and within each the longest waiting', () => {
  const queue = new FairQueue<string>()
  queue.place('a', 'partial')
  queue.place('b', 'answer')
  queue.place('c', 'answer')
  queue.place('d', 'piece')
  queue.place('b', 'answer')
  queue.place('e', 'answer')
  queue.place('e', undefined)
  queue.place('a', 'answer')
  expect([queue.take(), queue.take(), queue.take(), queue.take(), queue.take()]).toEqual([
    'b',
    'c',
    'a',
    'd',
    undefined,
  ])
})

describe('a recogniser that is paid for each request', () => {
  const paid = { ...MOONSHINE_CUTTING, partialEvery: Number.POSITIVE_INFINITY, previews: 'once' } as const

  test('is asked once a preview, however long the caller goes on', () => {
    const utterance = new WholeUtterance(paid)
    utterance.write(voiceOf(1_000))
    expect(utterance.wants).toBeUndefined()
    utterance.askPreview()
    const job = utterance.begin()!
    for (let ms = 0; ms < 3_000; ms += 100) {
      utterance.write(voiceOf(100))
      expect(utterance.runningIsStale).toBe(false)
    }
    utterance.done(job, { text: 'He might' })
    expect(utterance.takeAnswer()).toEqual({ kind: 'preview', text: 'He might' })
    expect(utterance.wants).toBeUndefined()
    utterance.askFinal()
    expect(utterance.takeAnswer()).toBeUndefined()
    expect(utterance.wants).toBe('answer')
  })

  test('gives its words from the beginning of the stream', () => {
    const utterance = new WholeUtterance(paid, 16_000)
    utterance.write(voiceOf(1_000))
    utterance.askFinal()
    utterance.done(utterance.begin()!, { text: 'He', words: [{ text: 'He', startMs: 100, endMs: 200 }] })
    expect(utterance.takeAnswer()).toMatchObject({ words: [{ text: 'He', startMs: 1_100, endMs: 1_200 }] })
  })
})
