import { beforeAll, describe, expect, test } from 'vitest'
import { loadAudio } from '../../src/audio/convert.ts'
import {
  ALAW_8K,
  type AudioFormat,
  MULAW_8K,
  msToBytes,
  PCM16_16K,
  PCM16_24K,
} from '../../src/audio/format.ts'
import { openScope } from '../../src/cancel.ts'
import { settled, VirtualClock } from '../../src/clock.ts'
import { Ear, type EarOptions } from '../../src/listen/ear.ts'
import type { GateEngine } from '../../src/listen/gate.ts'
import { FakeVad, type FakeVadOptions } from '../support/fake-vad.ts'
import { encode, join, listenTo, pieces, silence, until, voice } from './sound.ts'

beforeAll(() => loadAudio())

const DETECTION = { threshold: 0.5, prefixPaddingMs: 300, silenceDurationMs: 500 }
const QUIET = silence(1500)

function open(options: Partial<EarOptions> = {}, fake: FakeVadOptions = {}) {
  const clock = new VirtualClock()
  const scope = openScope()
  const vad = new FakeVad(fake)
  const settings = { detection: DETECTION, confirmMs: 200, format: PCM16_16K }
  const ear = new Ear({ vad, clock, signal: scope.signal, gate: null, ...settings, ...options })
  const { events, ended } = listenTo(ear)
  /** Sends 20 ms frames as a caller's device does, each when it was spoken. */
  const speak = async (samples: Int16Array, format: AudioFormat = settings.format) => {
    for (const frame of pieces(encode(samples, format), msToBytes(format, 20))) {
      await clock.advance(20)
      ear.write(frame)
      await settled()
    }
  }
  return { clock, scope, vad, ear, events, ended, speak, kinds: () => events.map((e) => e.type.slice(6)) }
}

/** Loud is speech, as for the fake model. */
const loudGate: GateEngine = {
  open: () => ({ hears: (samples) => samples.some((s) => Math.abs(s) > 1000), close: () => {} }),
}

const FORMATS: [string, AudioFormat][] = [
  ['pcm16 16 kHz', PCM16_16K],
  ['pcm16 24 kHz', PCM16_24K],
  ['pcm16 44.1 kHz', { encoding: 'pcm16', sampleRateHz: 44_100 }],
  ['pcm16 48 kHz', { encoding: 'pcm16', sampleRateHz: 48_000 }],
  ['µ-law', MULAW_8K],
  ['A-law', ALAW_8K],
]

describe('a caller', () => {
  test.each(FORMATS)('is heard in %s, with true times', async (_name, format) => {
    const { speak, events, kinds } = open({ format, gate: loudGate })
    await speak(join(QUIET, voice(1000), QUIET), format)
    expect(kinds()).toEqual(['Started', 'Confirmed', 'Paused', 'Ended'])
    const [started, , , ended] = events
    if (started?.type !== 'speechStarted' || ended?.type !== 'speechEnded') throw new Error('other events')
    expect(Math.abs(started.startMs - 1200)).toBeLessThanOrEqual(32)
    expect(Math.abs(ended.endMs - 2500)).toBeLessThanOrEqual(40)
    // Frames arrive as they are spoken, so clock and audio agree to a frame.
    expect(Math.abs(ended.endAt - ended.endMs)).toBeLessThanOrEqual(20)
    expect(Math.abs(ended.at - ended.audioEndMs)).toBeLessThanOrEqual(20)
  })

  test('is heard where samples lie at an odd place of a larger memory, as frames of TCP do', async () => {
    const { ear, clock, kinds } = open()
    for (const frame of pieces(encode(join(QUIET, voice(1000), QUIET), PCM16_16K), 640)) {
      await clock.advance(20)
      const memory = Buffer.alloc(1_024)
      memory.set(frame, 3)
      ear.write(memory.subarray(3, 3 + frame.length))
      await settled()
    }
    expect(kinds()).toEqual(['Started', 'Confirmed', 'Paused', 'Ended'])
  })

  test('is heard the same whatever the pieces are', async () => {
    const bytes = encode(join(QUIET, voice(700), QUIET, voice(300), QUIET), PCM16_24K)
    const heard = []
    for (const size of [1, 7, 959, 4801, bytes.length]) {
      const { ear, events } = open({ format: PCM16_24K })
      for (const piece of pieces(bytes, size)) ear.write(piece)
      await until(() => events.filter((e) => e.type === 'speechEnded').length === 2)
      heard.push(events)
    }
    for (const events of heard) expect(events).toEqual(heard[0])
  })

  test.each(FORMATS)(
    'is given to the model to the last sample of each frame, in %s',
    async (_name, format) => {
      const { ear, vad } = open({ format })
      const frames = pieces(encode(voice(2000), format), msToBytes(format, 20))
      frames.slice(0, 99).forEach((frame, i) => {
        ear.write(frame)
        // A sample of rounding at 44.1 kHz. Held back by the resampler, one window in four would wait 20 ms.
        expect(Math.abs(vad.last.samplesWritten - (i + 1) * 320)).toBeLessThanOrEqual(1)
      })
    },
  )

  test('who sends faster than real time is judged by the audio alone', async () => {
    const { ear, events, clock } = open()
    await clock.advance(5000)
    ear.write(encode(join(QUIET, voice(1000), QUIET), PCM16_16K))
    await until(() => events.length === 4)
    expect(events[0]).toMatchObject({ type: 'speechStarted', at: 5000 })
    expect(events[3]).toMatchObject({ type: 'speechEnded', endAt: 5000, at: 5000 })
    expect(events[3]?.type === 'speechEnded' && events[3].audioEndMs).toBeCloseTo(3008, -2)
  })
})

describe('the gate', () => {
  test('keeps silence from the model and from the resampler', async () => {
    const { speak, vad, ear } = open({ gate: loudGate })
    await speak(silence(10_000))
    expect(vad.last.samplesWritten).toBe(0)
    expect(ear.listening).toBe(false)
  })

  test('opens with what was before, so that the first word is whole', async () => {
    const { speak, vad } = open({ gate: loudGate })
    await speak(join(silence(2000), voice(200)))
    expect(vad.last.restarts).toHaveLength(1)
    const fromMs = vad.last.restarts[0]! / 16
    expect(fromMs).toBeLessThanOrEqual(2000 - 300)
    expect(fromMs).toBeGreaterThan(1500)
  })

  test('closes after the speech, not within an utterance', async () => {
    const patient = { ...DETECTION, silenceDurationMs: 3000 }
    const { speak, ear, kinds } = open({ gate: loudGate, detection: patient })
    await speak(join(voice(500), silence(2500)))
    expect(ear.listening).toBe(true)
    await speak(silence(1000))
    expect(kinds()).toEqual(['Started', 'Confirmed', 'Paused', 'Ended'])
    expect(ear.listening).toBe(false)
  })

  test('that reopens within what is remembered goes on without a seam', async () => {
    const { speak, vad, ear } = open({ gate: loudGate })
    await speak(join(voice(500), silence(800)))
    expect(ear.listening).toBe(false)
    await speak(voice(100))
    expect(vad.last.restarts).toHaveLength(1)
    expect(vad.last.samplesWritten).toBe(1400 * 16)
  })

  test('changes no event', async () => {
    const sound = join(
      silence(3000),
      voice(400),
      silence(1300),
      voice(900),
      silence(4000),
      voice(100),
      silence(2000),
    )
    const [gated, plain] = [open({ gate: loudGate }), open()]
    await gated.speak(sound)
    await plain.speak(sound)
    expect(gated.kinds()).toEqual(plain.kinds())
    expect(gated.vad.last.samplesWritten).toBeLessThan(plain.vad.last.samplesWritten)
  })
})

describe('what the client does meanwhile', () => {
  test('clearing the buffer drops the utterance, and late answers of the model with it', async () => {
    const { ear, events, vad, kinds } = open({}, { answers: 'held' })
    ear.write(encode(voice(1000), PCM16_16K))
    vad.last.release(10)
    await until(() => events.length === 2)
    ear.reset()
    vad.last.release()
    await settled()
    expect(kinds()).toEqual(['Started', 'Confirmed', 'Dropped'])
    ear.write(encode(voice(300), PCM16_16K))
    await settled()
    vad.last.release()
    await until(() => events.length > 3)
    expect(events[3]).toMatchObject({ type: 'speechStarted', startMs: 1000 })
  })

  test('turning detection off drops the utterance and lets audio pass unheard', async () => {
    const { ear, speak, vad, kinds, events } = open()
    await speak(voice(500))
    ear.configure({ detection: null })
    const { samplesWritten } = vad.last
    await speak(join(voice(2000), QUIET))
    expect(kinds()).toEqual(['Started', 'Confirmed', 'Dropped'])
    expect(vad.last.samplesWritten).toBe(samplesWritten)
    ear.configure({ detection: DETECTION })
    await speak(voice(300))
    expect(events[3]).toMatchObject({ type: 'speechStarted', startMs: 4000 })
  })

  test('never having detection costs nothing and says nothing', async () => {
    const { speak, vad, events, ear } = open({ detection: null })
    await speak(voice(1000))
    expect([vad.last.samplesWritten, events.length, ear.audioMs]).toEqual([0, 0, 1000])
  })

  test('changing the format in the middle of a word keeps the turn and its times', async () => {
    const { ear, speak, events, kinds } = open({ gate: loudGate })
    await speak(join(QUIET, voice(500)))
    ear.configure({ format: MULAW_8K })
    await speak(join(voice(500), QUIET), MULAW_8K)
    expect(kinds()).toEqual(['Started', 'Confirmed', 'Paused', 'Ended'])
    const ended = events[3]
    expect(Math.abs((ended?.type === 'speechEnded' ? ended.endMs : 0) - 2500)).toBeLessThanOrEqual(64)
  })

  test('audio waiting in the old format is still read in it', async () => {
    const { ear, events } = open()
    ear.write(encode(join(silence(5000), voice(1000)), PCM16_16K))
    ear.configure({ format: MULAW_8K })
    ear.write(encode(QUIET, MULAW_8K))
    await until(() => events.length === 4)
    const ended = events[3]
    expect(Math.abs((ended?.type === 'speechEnded' ? ended.endMs : 0) - 6000)).toBeLessThanOrEqual(64)
  })
})

describe('a flood', () => {
  test('of a minute in one call lets the event loop breathe', async () => {
    const { ear, events } = open({ format: PCM16_24K })
    const bytes = encode(join(silence(58_000), voice(1000), QUIET), PCM16_24K)
    ear.write(bytes)
    let turns = 0
    await until(() => ++turns > 0 && events.length === 4)
    expect(turns).toBeGreaterThan(100)
    expect(ear.droppedMs).toBe(0)
  })

  test('waits for a slow model, and runs no further ahead of it than four seconds', async () => {
    const { ear, vad, events } = open({}, { answers: 'held' })
    ear.write(encode(join(silence(20_000), voice(1000), QUIET), PCM16_16K))
    for (let turn = 0; turn < 1000; turn++) await settled()
    expect(vad.last.samplesWritten / 16).toBeLessThanOrEqual(4100)
    await until(() => {
      vad.last.release()
      return events.length === 4
    })
    expect(vad.last.samplesWritten / 16).toBe(22_500)
  })

  test('beyond the bound loses its oldest audio, counted, and times stay true', async () => {
    const { ear, vad, events } = open({}, { answers: 'held' })
    for (let minute = 0; minute < 5; minute++) ear.write(encode(silence(60_000), PCM16_16K))
    ear.write(encode(join(voice(1000), QUIET), PCM16_16K))
    expect(ear.droppedMs).toBeGreaterThan(30_000)
    await until(() => {
      vad.last.release()
      return events.length === 4
    })
    const ended = events[3]
    expect(Math.abs((ended?.type === 'speechEnded' ? ended.endMs : 0) - 301_000)).toBeLessThanOrEqual(40)
  })
})

describe('endings and faults', () => {
  test('a model that crashes in a word is opened again and the turn ends', async () => {
    const { speak, vad, kinds } = open({ gate: loudGate })
    await speak(join(QUIET, voice(500)))
    vad.last.crash(new Error('worker gone'))
    await settled()
    await speak(join(voice(300), QUIET))
    expect(vad.streams).toHaveLength(2)
    expect(kinds()).toEqual(['Started', 'Confirmed', 'Paused', 'Ended'])
  })

  test('a model that crashes in a word the caller has just ended does not leave the turn open', async () => {
    const { speak, vad, kinds } = open({ gate: loudGate })
    await speak(voice(500))
    vad.last.crash(new Error('worker gone'))
    await settled()
    await speak(QUIET)
    expect(kinds()).toEqual(['Started', 'Confirmed', 'Paused', 'Ended'])
  })

  test('a model that never comes back fails the events with its error', async () => {
    const { vad, ended, ear } = open()
    for (let crash = 0; crash < 3; crash++) {
      vad.last.crash(new Error('worker gone'))
      await settled()
    }
    expect(await ended).toMatchObject({ message: 'worker gone' })
    ear.write(new Uint8Array(640))
    expect(vad.streams).toHaveLength(3)
  })

  test('the end of the session ends the events, and later audio is nothing', async () => {
    const { ear, ended, vad, speak } = open()
    await speak(voice(100))
    ear.close()
    ear.close()
    ear.write(new Uint8Array(640))
    ear.reset()
    ear.configure({ detection: null })
    expect(await ended).toBeUndefined()
    expect(vad.last.closed).toBe(true)
  })

  test('an abort ends the events with its reason, in the middle of a flood too', async () => {
    const { ear, ended, vad, scope } = open()
    ear.write(encode(silence(30_000), PCM16_16K))
    scope.cancel('hangup')
    expect(await ended).toMatchObject({ reason: 'hangup' })
    const { samplesWritten } = vad.last
    for (let turn = 0; turn < 10; turn++) await settled()
    expect(vad.last.samplesWritten).toBe(samplesWritten)
  })

  test('a session that is already over opens nothing that lasts', async () => {
    const scope = openScope()
    scope.cancel('hangup')
    const vad = new FakeVad()
    const ear = new Ear({
      vad,
      clock: new VirtualClock(),
      signal: scope.signal,
      gate: null,
      detection: DETECTION,
      confirmMs: 200,
      format: PCM16_16K,
    })
    expect(await listenTo(ear).ended).toMatchObject({ reason: 'hangup' })
    expect(vad.last.closed).toBe(true)
  })
})
