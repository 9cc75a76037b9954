/** Pauses under `semantic_vad`, told window by window with a judge that says what the test says. */
import { describe, expect, test } from 'vitest'
import { loadAudio } from '../../src/audio/convert.ts'
import { msToBytes, PCM16_16K } from '../../src/audio/format.ts'
import { openScope } from '../../src/cancel.ts'
import { settled, VirtualClock } from '../../src/clock.ts'
import { endpointOptions } from '../../src/listen/detection.ts'
import { Ear } from '../../src/listen/ear.ts'
import type { EndOfTurn, Judgement, TurnQuestion } from '../../src/listen/end-of-turn.ts'
import { Endpointer, type PauseQuestion } from '../../src/listen/endpoint.ts'
import type { EarEvent } from '../../src/listen/events.ts'
import type { Eagerness } from '../../src/listen/patience.ts'
import { RecentSamples } from '../../src/listen/recent-samples.ts'
import { FakeVad } from '../support/fake-vad.ts'
import { encode, join, listenTo, pieces, silence, voice } from './sound.ts'

const WINDOW_MS = 32
const DETECTION = { threshold: 0.5, prefixPaddingMs: 300, silenceDurationMs: 500 } as const
const FINISHED: Judgement = { probability: 0.9, by: 'model' }
const UNFINISHED: Judgement = { probability: 0, by: 'model' }
type Answer = number | undefined | 'never'

/** `'#'` speech, `'.'` silence, a window each; the judge answers within the window. */
function hear(score: string, eagerness: Eagerness, answer: (question: PauseQuestion, nth: number) => Answer) {
  const endpointer = new Endpointer(endpointOptions({ ...DETECTION, type: 'semantic_vad', eagerness }, 200))
  const asked: PauseQuestion[] = []
  const events: EarEvent[] = []
  Array.from(score).forEach((mark, i) => {
    const [startMs, endMs] = [i * WINDOW_MS, (i + 1) * WINDOW_MS]
    const probability = mark === '#' ? 0.9 : 0.02
    events.push(...endpointer.push({ startMs, endMs, probability, startAt: startMs, at: endMs }))
    const question = endpointer.takeQuestion()
    if (!question) return
    asked.push(question)
    const said = answer(question, asked.length)
    if (said !== 'never')
      endpointer.judged(question.pause, said === undefined ? said : { probability: said, by: 'model' })
  })
  const ends = events.flatMap((e) => (e.type === 'speechEnded' ? [e.audioEndMs - e.endMs] : []))
  const by = events.flatMap((e) => (e.type === 'speechEnded' ? [e.endedBy] : []))
  return { events, asked, ends, by, kinds: events.map((e) => e.type.replace('speech', '').toLowerCase()) }
}

const SPEECH = '#'.repeat(20)
const quiet = (ms: number) => '.'.repeat(Math.ceil(ms / WINDOW_MS))

describe('a pause that is judged', () => {
  test.each([
    ['high', 256, 2_000],
    ['auto', 416, 4_000],
    ['low', 608, 8_000],
  ] as const)(
    '%s: a finished turn ends after %i ms, an unfinished one before %i',
    (eagerness, soonMs, maxMs) => {
      const finished = hear(SPEECH + quiet(9_000), eagerness, () => 0.99)
      expect([finished.ends, finished.by]).toEqual([[soonMs], ['model']])
      const [lateMs] = hear(SPEECH + quiet(9_000), eagerness, () => 0.01).ends
      expect(lateMs).toBeGreaterThan(0.95 * maxMs)
      expect(lateMs).toBeLessThanOrEqual(maxMs)
    },
  )

  test('tells early that the caller paused, so that thinking begins before the judgement', () => {
    const { events } = hear(SPEECH + quiet(5_000), 'low', () => 0.01)
    const paused = events.find((e) => e.type === 'speechPaused')
    expect(paused && paused.at - paused.endAt).toBeLessThanOrEqual(256)
  })

  test('in the middle of a sentence does not end the turn, and the next pause is judged anew', () => {
    const { kinds, ends, asked } = hear(SPEECH + quiet(1_200) + SPEECH + quiet(3_000), 'auto', ({ pause }) =>
      pause === 1 ? 0.05 : 0.9,
    )
    expect(kinds).toEqual(['started', 'confirmed', 'paused', 'resumed', 'paused', 'ended'])
    expect(ends).toEqual([416])
    expect(new Set(asked.map(({ pause }) => pause)).size).toBe(2)
    // Both questions hear the utterance from its beginning.
    expect(asked.every(({ fromMs }) => fromMs === 0)).toBe(true)
  })

  test('is asked about again as it grows, a dozen times at most', () => {
    const { asked, ends } = hear(SPEECH + quiet(9_000), 'low', () => 0)
    const silences = asked.map(({ toMs }) => toMs - 19 * WINDOW_MS)
    expect(silences[0]).toBeLessThanOrEqual(256)
    for (const [i, ms] of silences.slice(1).entries()) expect(ms).toBeGreaterThanOrEqual(1.5 * silences[i]!)
    expect(asked.length).toBeLessThan(12)
    expect(ends).toEqual([8_000])
  })

  test('that sounds finished only when it has lasted ends then', () => {
    const { ends } = hear(SPEECH + quiet(5_000), 'auto', (_question, nth) => (nth < 4 ? 0.1 : 0.95))
    expect(ends[0]).toBeGreaterThan(700)
    expect(ends[0]).toBeLessThan(1_200)
  })

  test.each([
    ['never judged', 'never'],
    ['that nobody can judge', undefined],
  ] as const)('%s ends after the silence window, as under server_vad', (_name, answer) => {
    const { ends, by } = hear(SPEECH + quiet(3_000), 'low', () => answer)
    expect([ends, by]).toEqual([[512], ['silence']])
  })

  test('that is over is not touched by a late answer', () => {
    const endpointer = new Endpointer(endpointOptions({ ...DETECTION, type: 'semantic_vad' }, 200))
    const push = (score: string, from: number) =>
      Array.from(score).flatMap((mark, i) => {
        const [startMs, endMs] = [(from + i) * WINDOW_MS, (from + i + 1) * WINDOW_MS]
        const probability = mark === '#' ? 0.9 : 0
        return endpointer.push({ startMs, endMs, probability, startAt: startMs, at: endMs })
      })
    push(SPEECH + quiet(300), 0)
    const first = endpointer.takeQuestion()!
    push(SPEECH + quiet(300), 30)
    endpointer.judged(first.pause, { probability: 1, by: 'model' })
    expect(push(quiet(100), 60).map((e) => e.type)).toEqual([])
  })
})

describe('a pause that the recogniser judges', () => {
  /** `'!'` a silent window after which it says that the turn is over; `lostAt`: the window from which on it is gone. */
  function judging(score: string, { lostAt = Number.POSITIVE_INFINITY } = {}) {
    const endpointer = new Endpointer(
      endpointOptions({ ...DETECTION, type: 'semantic_vad', eagerness: 'auto' }, 200),
    )
    const questions: PauseQuestion[] = []
    const events = Array.from(score).flatMap((mark, i) => {
      const [startMs, endMs] = [i * WINDOW_MS, (i + 1) * WINDOW_MS]
      const probability = mark === '#' || mark === '?' ? 0.9 : 0.02
      const window = { startMs, endMs, probability, startAt: startMs, at: endMs }
      const told = endpointer.push(window, i < lostAt ? 'recogniser' : 'asked')
      if (mark === '!' || mark === '?') endpointer.turnEnded()
      const question = endpointer.takeQuestion()
      if (question) questions.push(question)
      if (question) endpointer.judged(question.pause, FINISHED)
      return told
    })
    const ends = events.flatMap((e) =>
      e.type === 'speechEnded' ? [[e.audioEndMs - e.endMs, e.endedBy] as const] : [],
    )
    return { ends, questions, kinds: events.map((e) => e.type.slice(6)) }
  }

  test('ends at its word, and nobody else is asked', () => {
    const { ends, questions } = judging(`${SPEECH + quiet(600)}!${quiet(3_000)}`)
    expect(ends).toEqual([[704, 'recogniser']])
    expect(questions).toEqual([])
  })

  test('ends as soon as we notice it, where the recogniser noticed first', () => {
    expect(judging(`${SPEECH}..!${quiet(3_000)}`).ends).toEqual([[224, 'recogniser']])
  })

  test('outlasts what is said of it while the caller speaks, or before he goes on', () => {
    const ends = [[4_000, 'wait']]
    expect(judging(`#####?${SPEECH + quiet(5_000)}`).ends).toEqual(ends)
    expect(judging(`${SPEECH}.!${SPEECH + quiet(5_000)}`).ends).toEqual(ends)
  })

  test('is not ended by its word while a sound in it is undecided: that may be the next word', () => {
    const { kinds, ends } = judging(`${SPEECH + quiet(300)}#!#####${quiet(5_000)}`)
    expect(kinds).toEqual(['Started', 'Confirmed', 'Paused', 'Resumed', 'Paused', 'Ended'])
    expect(ends).toEqual([[4_000, 'wait']])
  })

  test('ends at the longest wait when nothing is said of it', () => {
    expect(judging(SPEECH + quiet(5_000)).ends).toEqual([[4_000, 'wait']])
  })

  test('is asked about at once when the recogniser is lost in the middle of it', () => {
    const { ends, questions } = judging(SPEECH + quiet(5_000), { lostAt: 60 })
    expect(questions.map(({ toMs }) => toMs)).toEqual([61 * WINDOW_MS])
    expect(ends).toEqual([[43 * WINDOW_MS, 'model']])
  })

  test('is given the silence window anew when the recogniser is lost and nobody can judge', () => {
    const endpointer = new Endpointer(endpointOptions({ ...DETECTION, type: 'semantic_vad' }, 200))
    const ends = Array.from(SPEECH + quiet(5_000)).flatMap((mark, i) => {
      const [startMs, endMs] = [i * WINDOW_MS, (i + 1) * WINDOW_MS]
      const window = { startMs, endMs, probability: mark === '#' ? 0.9 : 0, startAt: startMs, at: endMs }
      return endpointer.push(window, i < 60 ? 'recogniser' : 'asked').filter((e) => e.type === 'speechEnded')
    })
    expect(ends).toMatchObject([{ endedBy: 'silence', audioEndMs: 61 * WINDOW_MS + 512 }])
  })

  test('ends by silence alone under server_vad, whatever the recogniser says', () => {
    const endpointer = new Endpointer(endpointOptions(DETECTION, 200))
    const ends = Array.from(SPEECH + quiet(1_000)).flatMap((mark, i) => {
      const [startMs, endMs] = [i * WINDOW_MS, (i + 1) * WINDOW_MS]
      const window = { startMs, endMs, probability: mark === '#' ? 0.9 : 0, startAt: startMs, at: endMs }
      const told = endpointer.push(window, 'recogniser')
      if (mark === '.') endpointer.turnEnded()
      return told.flatMap((e) => (e.type === 'speechEnded' ? [[e.audioEndMs - e.endMs, e.endedBy]] : []))
    })
    expect(ends).toEqual([[512, 'silence']])
  })
})

describe('the ear', () => {
  function open(judge: (question: TurnQuestion) => Promise<Judgement | undefined>) {
    const clock = new VirtualClock()
    const asked: TurnQuestion[] = []
    const endOfTurn: EndOfTurn = {
      judge(question) {
        asked.push(question)
        return judge(question)
      },
    }
    const fake = new FakeVad()
    const ear = new Ear({
      vad: { endOfTurn, open: (options) => fake.open(options) },
      clock,
      signal: openScope().signal,
      gate: null,
      detection: { ...DETECTION, type: 'semantic_vad' },
      confirmMs: 200,
      format: PCM16_16K,
      said: () => ({ words: 'two adults and', language: 'en' }),
    })
    const { events } = listenTo(ear)
    const speak = async (samples: Int16Array) => {
      for (const frame of pieces(encode(samples, PCM16_16K), msToBytes(PCM16_16K, 20))) {
        await clock.advance(20)
        ear.write(frame)
        await settled()
      }
    }
    return { asked, speak, ear, kinds: () => events.map((e) => e.type.slice(6)) }
  }

  test('gives the judge the utterance with its pause, and its words', async () => {
    await loadAudio()
    const { asked, speak, kinds } = open(async () => FINISHED)
    const said = join(silence(1000), voice(1000), silence(1000))
    await speak(said)
    expect(kinds()).toEqual(['Started', 'Confirmed', 'Paused', 'Ended'])
    const [{ samples, ...words }] = asked as [TurnQuestion]
    expect(words).toEqual({ words: 'two adults and', language: 'en' })
    // 300 ms of padding, a second of speech, the beginning of the pause; sample for sample what was spoken.
    expect(samples.length / 16).toBeGreaterThan(1_450)
    expect(samples.length / 16).toBeLessThan(1_650)
    const at = said.length - samples.length
    const found = Array.from({ length: at }, (_, i) => i).filter(
      (i) =>
        said[i + 8_000] === samples[8_000] &&
        said[i + 9_000] === samples[9_000] &&
        said[i + 12_345] === samples[12_345],
    )
    expect(found.some((i) => samples.every((sample, k) => sample === said[i + k]))).toBe(true)
  })

  test('hears no more than 8 s of a long turn', async () => {
    const { asked, speak } = open(async () => FINISHED)
    await speak(join(voice(12_000), silence(1000)))
    expect(asked[0]!.samples.length).toBe(8_000 * 16)
  })

  test('goes by silence when the judge fails, and asks one question at a time', async () => {
    const { speak, kinds, asked } = open(() => Promise.reject(new Error('no')))
    await speak(join(voice(1000), silence(1500)))
    expect(kinds()).toEqual(['Started', 'Confirmed', 'Paused', 'Ended'])
    const stuck = open(() => new Promise(() => {}))
    await stuck.speak(join(voice(1000), silence(1500)))
    expect(stuck.kinds()).toEqual(['Started', 'Confirmed', 'Paused', 'Ended'])
    expect([stuck.asked.length, asked.length > 1]).toEqual([1, true])
  })

  test('asks nobody under server_vad', async () => {
    const { speak, ear, asked } = open(async () => UNFINISHED)
    ear.configure({ detection: DETECTION })
    await speak(join(voice(1000), silence(1500)))
    expect(asked).toEqual([])
  })
})

test('recent samples: what was overwritten or lies before a gap is not handed out', () => {
  const recent = new RecentSamples(8)
  recent.write(0, Int16Array.of(0, 1, 2, 3, 4, 5))
  recent.write(6, Int16Array.of(6, 7, 8, 9))
  expect([...recent.read(0, 100)]).toEqual([2, 3, 4, 5, 6, 7, 8, 9])
  expect([...recent.read(4, 7)]).toEqual([4, 5, 6])
  recent.write(100, Int16Array.of(100, 101))
  expect([...recent.read(98, 102)]).toEqual([100, 101])
  recent.write(
    102,
    Int16Array.from({ length: 20 }, (_, i) => 102 + i),
  )
  expect([...recent.read(0, 122)]).toEqual([114, 115, 116, 117, 118, 119, 120, 121])
  expect(recent.read(50, 60)).toHaveLength(0)
})
