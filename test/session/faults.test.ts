import { describe, expect, test } from 'vitest'
import { msToBytes } from '../../src/audio/format.ts'
import { type Clock, delay } from '../../src/clock.ts'
import type { ModelEvent, ModelRequest } from '../../src/dialect/neutral.ts'
import { ProviderError } from '../../src/errors.ts'
import type { LlmAdapter } from '../../src/stage/llm.ts'
import type { TtsAdapter, TtsEvent } from '../../src/stage/tts.ts'
import { FakeLlm, FakeStt, FakeTts } from '../support/stages.ts'
import { Call, UNPACED } from './call.ts'

const NO_GUESS = { maxRevisions: 0 }

function error(stage: 'stt' | 'llm' | 'tts'): ProviderError {
  return new ProviderError({ provider: 'fake', stage, kind: 'transient', message: `${stage} dropped` })
}

/** A model that streams what the generator yields. */
function model(
  answer: (clock: Clock, signal: AbortSignal, request: ModelRequest) => AsyncGenerator<ModelEvent>,
) {
  const llm: LlmAdapter = {
    id: 'fake/llm',
    caps: { tools: true, json: false, prefill: false },
    stream: (request, { clock, signal }) => answer(clock, signal, request),
  }
  return llm
}

const text = (said: string): ModelEvent => ({ type: 'text', text: said })
const stop: ModelEvent = { type: 'finish', reason: 'stop' }

/** The next turn is answered as if nothing had been. */
async function goesOn(call: Call): Promise<void> {
  const before = call.count('responseDone')
  await call.says(600)
  await call.wait(6000)
  expect(call.count('responseDone')).toBe(before + 1)
  expect(call.last('responseDone').response.ending).toEqual({ status: 'completed' })
  await call.hangUp()
  expect(call.clock.pendingTimers).toBe(0)
  expect(call.listeners).toBe(0)
}

describe('a recogniser whose stream breaks', () => {
  test('while the caller speaks is opened again and hears everything', async () => {
    const call = await Call.open({ settings: NO_GUESS })
    await call.silent(1000)
    await call.speak(1000)
    const before = call.stt.streams[0]!.audioMs
    call.stt.streams[0]!.breaks()
    await call.speak(500)
    expect(call.stt.streams).toHaveLength(2)
    expect(call.stt.streams[1]!.audioMs).toBeGreaterThanOrEqual(before + 480)
    await call.silent(640)
    await call.wait(100)
    expect(call.stt.streams[1]!.heardMs[0]).toBeGreaterThan(300 + 1500 + 450)
    expect(call.last('transcript').transcript).toBe('hello')
    await call.wait(6000)
    await goesOn(call)
  })

  test('while a final is awaited is opened again, and the retry is in the record', async () => {
    const call = await Call.open({ settings: NO_GUESS, stt: new FakeStt({ finalMs: 300 }) })
    await call.speak(1000)
    await call.silent(600)
    const heard = call.stt.streams[0]!.heardMs[0]
    expect(heard).toBeGreaterThan(1000)
    call.stt.streams[0]!.breaks()
    await call.wait(0)
    // The first had heard the frame that completed the silence to its end.
    expect(Math.abs(call.stt.streams[1]!.heardMs[0]! - heard!)).toBeLessThan(32)
    await call.wait(5000)
    expect(call.last('transcript').transcript).toBe('hello')
    const [record] = await call.records()
    const stt = record!.attempts.filter(({ stage }) => stage === 'stt')
    expect(stt.map(({ status, reason, kind }) => [status, reason, kind])).toEqual([
      ['failed', 'first', 'transient'],
      ['ok', 'retry', null],
    ])
    await goesOn(call)
  })

  test('at its opening is tried once more', async () => {
    const stt = new FakeStt()
    stt.failOpen = error('stt')
    const call = await Call.open({ settings: NO_GUESS, stt })
    await call.says(1000)
    await call.wait(100)
    expect(stt.streams[0]!.heardMs[0]).toBeGreaterThan(1400)
    expect(call.count('transcript')).toBe(1)
    await call.wait(6000)
    await goesOn(call)
  })

  test('twice fails the turn and not the session', async () => {
    const call = await Call.open({ settings: NO_GUESS, stt: new FakeStt({ finalMs: 300 }) })
    await call.speak(1000)
    await call.silent(600)
    call.stt.streams[0]!.breaks()
    await call.wait(10)
    call.stt.streams[1]!.breaks()
    await call.wait(10)
    expect(call.last('transcriptFailed')).toMatchObject({ code: 'transient' })
    expect((await call.records())[0]).toMatchObject({ outcome: 'failed' })
    expect(call.llm.requests).toHaveLength(0)
    await goesOn(call)
  })

  test('twice while the caller speaks fails at the end of speech', async () => {
    const call = await Call.open({ settings: NO_GUESS })
    await call.speak(1000)
    call.stt.streams[0]!.breaks()
    await call.speak(100)
    call.stt.streams[1]!.breaks()
    await call.speak(100)
    expect(call.count('transcriptFailed')).toBe(0)
    await call.silent(640)
    expect(call.count('transcriptFailed')).toBe(1)
    await goesOn(call)
  })

  test('between turns is opened again at the next words', async () => {
    const call = await Call.open({ settings: NO_GUESS })
    await call.says(600)
    await call.wait(6000)
    call.stt.streams[0]!.breaks()
    await call.wait(1000)
    expect(call.stt.streams).toHaveLength(1)
    await goesOn(call)
    expect(call.stt.streams).toHaveLength(2)
  })
})

describe('a recogniser that does not answer', () => {
  test('fails the turn at the deadline, and the next one gets a fresh stream', async () => {
    const stt = new FakeStt({ finalMs: 60_000 })
    const call = await Call.open({ settings: NO_GUESS, stt })
    await call.says(600)
    await call.wait(9_000)
    expect(call.count('transcriptFailed')).toBe(0)
    await call.wait(1_500)
    expect(call.last('transcriptFailed')).toMatchObject({ code: 'timeout' })
    const [record] = await call.records()
    expect(record).toMatchObject({ outcome: 'failed', budget: { brokenBy: 'stt' } })
    Object.assign(stt.options, { finalMs: 10 })
    await goesOn(call)
    expect(stt.streams).toHaveLength(2)
  })

  test('nor opens: the same', async () => {
    const stt = new FakeStt()
    const open = stt.open.bind(stt)
    stt.open = () => new Promise(() => {})
    const call = await Call.open({ settings: NO_GUESS, stt })
    await call.says(600)
    await call.wait(11_000)
    expect(call.last('transcriptFailed')).toMatchObject({ code: 'timeout' })
    stt.open = open
    await goesOn(call)
  })
})

describe('a model', () => {
  test('that stalls times out', async () => {
    const call = await Call.open({ settings: NO_GUESS })
    call.llm.next = 'stall'
    await call.says(600)
    await call.wait(14_000)
    expect(call.count('responseDone')).toBe(0)
    await call.wait(2000)
    expect(call.last('responseDone').response.ending).toMatchObject({ status: 'failed', code: 'timeout' })
    expect(call.llm.aborted).toBe(1)
    expect((await call.records())[0]).toMatchObject({ outcome: 'failed' })
    await goesOn(call)
  })

  test('that fails before a word fails the response', async () => {
    const call = await Call.open({ settings: NO_GUESS })
    call.llm.next = error('llm')
    await call.says(600)
    await call.wait(100)
    expect(call.count('answerStarted')).toBe(0)
    expect(call.last('responseDone').response.ending).toEqual({
      status: 'failed',
      code: 'transient',
      message: 'llm dropped',
    })
    await goesOn(call)
  })

  test('that fails after a sentence has it spoken, then fails the response', async () => {
    let calls = 0
    const llm = model(async function* () {
      if (calls++ > 0) {
        yield text('Fine.')
        yield stop
        return
      }
      yield text('First sentence. ')
      yield text('Second sent')
      throw error('llm')
    })
    const call = await Call.open({ settings: NO_GUESS, llm })
    await call.says(600)
    await call.wait(6000)
    expect(call.transcript).toBe('First sentence. ')
    expect(call.audioMs).toBe('First sentence.'.length * 50)
    expect(call.last('answerDone').text).toBe('First sentence. ')
    expect(call.last('responseDone').response.ending).toMatchObject({ status: 'failed', code: 'transient' })
    const [record] = await call.records()
    expect(record).toMatchObject({ outcome: 'failed', heard: { text: 'First sentence.' } })
    await goesOn(call)
  })

  test('that drips without the end of a clause is spoken all the same', async () => {
    const llm = model(async function* (clock, signal) {
      for (const word of 'so I was thinking that perhaps we could maybe go to the harbour and look at boats'.split(
        ' ',
      )) {
        yield text(`${word} `)
        await delay(clock, 900, signal)
      }
      yield stop
    })
    const call = await Call.open({ settings: NO_GUESS, llm })
    await call.says(600)
    await call.wait(12_000)
    expect(call.count('answerAudio')).toBeGreaterThan(0)
    expect(call.count('responseDone')).toBe(0)
    await call.wait(10_000)
    expect(call.transcript.trim()).toMatch(/^so I was .* boats$/)
    await call.hangUp()
    expect(call.clock.pendingTimers).toBe(0)
  })

  test('that stalls after words: they are spoken, then the response has failed', async () => {
    const llm = model(async function* (clock, signal) {
      yield text('One moment please. ')
      await delay(clock, 1e9, signal)
    })
    const call = await Call.open({ settings: NO_GUESS, llm })
    await call.says(600)
    await call.wait(10_000)
    expect(call.transcript).toBe('One moment please. ')
    expect(call.last('responseDone').response.ending).toMatchObject({ status: 'failed', code: 'timeout' })
    await call.hangUp()
    expect(call.clock.pendingTimers).toBe(0)
  })

  for (const [name, said, spoken] of [
    ['nothing', '', null],
    ['blanks', ' \n ', null],
    ['an emoji', '👍', ''],
    ['code', '```\nx = 1\n```', ''],
  ] as const) {
    test(`that answers ${name} completes`, async () => {
      const llm = new FakeLlm({ answer: (r) => (r.messages.length <= 2 ? said : 'Fine.') })
      const call = await Call.open({ settings: NO_GUESS, llm })
      await call.says(600)
      await call.wait(1000)
      expect(call.last('responseDone').response.ending).toEqual({ status: 'completed' })
      expect(call.count('answerStarted')).toBe(spoken === null ? 0 : 1)
      if (spoken !== null) expect(call.transcript).toBe(said)
      expect(call.count('answerAudio')).toBe(0)
      expect(call.tts.said).toEqual([])
      expect((await call.records())[0]).toMatchObject({ outcome: 'said' })
      await goesOn(call)
    })
  }

  test('that was told to be short ends incomplete', async () => {
    const llm = new FakeLlm({
      answer: () => [text('Half a sentence without'), { type: 'finish', reason: 'length' }],
    })
    const call = await Call.open({ settings: NO_GUESS, llm })
    await call.says(600)
    await call.wait(3000)
    expect(call.last('responseDone').response.ending).toEqual({
      status: 'incomplete',
      reason: 'max_output_tokens',
    })
    expect(call.last('answerDone').item.status).toBe('incomplete')
    expect(call.transcript).toBe('Half a sentence without')
  })
})

/** A voice that does with each sentence what it is told. */
function voiceOf(
  speak: (index: number, clock: Clock, signal: AbortSignal) => AsyncGenerator<TtsEvent>,
): FakeTts {
  const tts = new FakeTts()
  const open: TtsAdapter['open'] = async ({ clock, signal }) => {
    const queue: number[] = []
    let ended = false
    async function* run(): AsyncGenerator<TtsEvent> {
      for (;;) {
        while (queue.length === 0) {
          if (ended) return
          await delay(clock, 10, signal)
        }
        const index = queue.shift()!
        yield* speak(index, clock, signal)
        yield { type: 'sentenceDone', sentence: index }
      }
    }
    const events = run()
    return {
      say: ({ index, text: said }) => {
        tts.said.push(said)
        queue.push(index)
      },
      end: () => {
        ended = true
      },
      [Symbol.asyncIterator]: () => events,
    }
  }
  Object.assign(tts, { open })
  return tts
}

function audio(sentence: number, ms: number): TtsEvent {
  return {
    type: 'audio',
    sentence,
    audio: new Uint8Array(msToBytes({ encoding: 'pcm16', sampleRateHz: 24_000 }, ms)),
  }
}

describe('a voice', () => {
  test('that fails before its first sound fails the response', async () => {
    let failing = true
    const tts = voiceOf(async function* (index) {
      if (failing) throw error('tts')
      yield audio(index, 500)
    })
    const call = await Call.open({ settings: NO_GUESS, tts })
    await call.says(600)
    await call.wait(2000)
    expect(call.last('responseDone').response.ending).toMatchObject({ status: 'failed', code: 'transient' })
    expect(call.count('answerAudio')).toBe(0)
    failing = false
    await goesOn(call)
    expect(call.prompt).toEqual(['user: hello hello'])
  })

  test('that fails in the middle: what was sent is played and known as heard, no more', async () => {
    let failing = true
    const tts = voiceOf(async function* (index) {
      yield audio(index, 1000)
      if (failing && index === 1) throw error('tts')
    })
    const call = await Call.open({ settings: NO_GUESS, tts })
    await call.says(600)
    await call.wait(5000)
    expect(call.last('responseDone').response.ending).toMatchObject({ status: 'failed' })
    const [record] = await call.records()
    expect(record).toMatchObject({ outcome: 'failed' })
    expect(record!.heard!.ms).toBe(2000)
    expect(record!.heard!.text.startsWith('Hello there.')).toBe(true)
    failing = false
    await call.says(600)
    await call.wait(5000)
    expect(call.prompt[1]).toBe(`assistant: ${record!.heard!.text} [interrupted]`)
    await goesOn(call)
  })

  test('that fails while the model still thinks ends the response at once, the model with it', async () => {
    const broken: TtsEvent[] = []
    const tts = voiceOf(async function* () {
      yield* broken
      throw error('tts')
    })
    const llm = new FakeLlm({
      answer: () => 'First sentence. And then a second one. And a third.',
      tokenMs: 800,
    })
    const call = await Call.open({ settings: NO_GUESS, tts, llm })
    await call.says(600)
    await call.wait(3500)
    expect(call.last('responseDone').response.ending).toMatchObject({ status: 'failed' })
    expect(llm.aborted).toBe(1)
  })

  test('that never sounds times out', async () => {
    const tts = voiceOf(async function* (index, clock, signal) {
      await delay(clock, 1e9, signal)
      yield audio(index, 100)
    })
    const call = await Call.open({ settings: NO_GUESS, tts })
    await call.says(600)
    // Five seconds beyond the turn's deadline.
    await call.wait(6000)
    expect(call.last('responseDone').response.ending).toMatchObject({ status: 'failed', code: 'timeout' })
    await call.hangUp()
    expect(call.clock.pendingTimers).toBe(0)
  })

  test('that never opens times out', async () => {
    const tts = new FakeTts()
    Object.assign(tts, { open: () => new Promise(() => {}) })
    const call = await Call.open({ settings: NO_GUESS, tts })
    await call.says(600)
    // Five seconds beyond the turn's deadline.
    await call.wait(6000)
    expect(call.last('responseDone').response.ending).toMatchObject({ status: 'failed', code: 'timeout' })
    await call.hangUp()
    expect(call.clock.pendingTimers).toBe(0)
  })

  test('that never ends times out', async () => {
    const tts = voiceOf(async function* (index, clock, signal) {
      yield audio(index, 500)
      if (index === 1) await delay(clock, 1e9, signal)
    })
    const call = await Call.open({ settings: NO_GUESS, tts })
    await call.says(600)
    await call.wait(5600)
    expect(call.last('responseDone').response.ending).toMatchObject({ status: 'failed', code: 'timeout' })
  })

  test('idle between slow sentences is no timeout, and neither is one said just before the clock runs out', async () => {
    const llm = model(async function* (clock, signal) {
      for (let i = 0; i < 3; i++) {
        yield text(`Sentence ${i}. And then`)
        await delay(clock, 4950, signal)
        yield text(' more. ')
      }
      yield stop
    })
    const tts = new FakeTts({ firstAudioMs: 200 })
    const call = await Call.open({ settings: NO_GUESS, llm, tts })
    await call.says(600)
    await call.wait(30_000)
    expect(call.last('responseDone').response.ending).toEqual({ status: 'completed' })
    expect(call.transcript).toBe([0, 1, 2].map((i) => `Sentence ${i}. And then more. `).join(''))
  })
})

describe('a voice detector that dies', () => {
  test('is told once and the session goes on by hand', async () => {
    const call = await Call.open({
      settings: NO_GUESS,
      caps: UNPACED,
      vad: {
        open() {
          return {
            write() {},
            restart() {},
            close() {},
            [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error('worker died')) }),
          }
        },
      },
    })
    await call.speak(500)
    expect(call.all('fault').map(({ code }) => code)).toEqual(['vad_failed'])
    call.send({ type: 'commit' })
    await call.respond()
    await call.wait(5000)
    expect(call.last('responseDone').response.ending).toEqual({ status: 'completed' })
    expect(call.stt.streams[0]!.heardMs[0]).toBe(500)
  })
})
