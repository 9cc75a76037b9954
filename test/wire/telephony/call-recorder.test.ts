/** Both voices of a call in one file: on the clock's time, and of the answer only what was heard. Virtual clock, real files. */
import { mkdtempSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { loadAudio } from '../../../src/audio/convert.ts'
import { type AudioFormat, MULAW_8K, PCM16_16K } from '../../../src/audio/format.ts'
import { VirtualClock } from '../../../src/clock.ts'
import { type CallRecorder, recordCall } from '../../../src/wire/telephony/recording/recorder.ts'
import { type CallShelf, openCallShelf } from '../../../src/wire/telephony/recording/shelf.ts'
import { stereoFile } from '../../../src/wire/telephony/recording/wav-file.ts'

beforeAll(loadAudio)

const PCM_8K: AudioFormat = { encoding: 'pcm16', sampleRateHz: 8_000 }
const SESSION = 'sess_0123456789abcdef01234567'
const notes: string[] = []
const note = (message: string) => void notes.push(message)
let shelf: CallShelf | undefined
afterEach(async () => {
  await shelf?.close()
  shelf = undefined
  notes.length = 0
})

/** `ms` of one value. */
function sound(ms: number, value: number, format: AudioFormat = PCM_8K): Uint8Array {
  const samples = new Int16Array((ms * format.sampleRateHz) / 1000).fill(value)
  return new Uint8Array(samples.buffer)
}

interface Recorded {
  readonly rateHz: number
  readonly ms: number
  /** Stretches of one value, as `value@from-to` in ms; silence is left out. */
  readonly left: string[]
  readonly right: string[]
}

function read(path: string): Recorded {
  const file = readFileSync(path)
  expect(file.subarray(0, 4).toString()).toBe('RIFF')
  expect(file.readUInt32LE(4)).toBe(file.length - 8)
  expect([file.readUInt16LE(20), file.readUInt16LE(22), file.readUInt16LE(34)]).toEqual([1, 2, 16])
  expect(file.readUInt32LE(40)).toBe(file.length - 44)
  const rateHz = file.readUInt32LE(24)
  const frames = (file.length - 44) / 4
  const stretches = (channel: number) => {
    const found: string[] = []
    let from = 0
    const value = (i: number) => (i < frames ? file.readInt16LE(44 + i * 4 + channel * 2) : Number.NaN)
    for (let i = 1; i <= frames; i++) {
      if (value(i) === value(from)) continue
      if (value(from) !== 0) found.push(`${value(from)}@${(from * 1000) / rateHz}-${(i * 1000) / rateHz}`)
      from = i
    }
    return found
  }
  return { rateHz, ms: (frames * 1000) / rateHz, left: stretches(0), right: stretches(1) }
}

function begin(setting: { maxMb?: number; keepDays?: number } = {}, format = PCM_8K) {
  const dir = mkdtempSync(join(tmpdir(), 'parley-calls-'))
  const clock = new VirtualClock(Date.UTC(2026, 10, 25, 12, 0, 0))
  const opened = openCallShelf({
    setting: { dir, maxMb: setting.maxMb ?? 10, keepDays: setting.keepDays ?? null },
    clock,
    note,
  })
  shelf = opened
  const recorder = opened.record(SESSION, format)
  const whole = async () => {
    await recorder.close()
    return read(join(dir, `20261125T120000Z-${SESSION}.wav`))
  }
  return { dir, clock, recorder, whole, shelf: opened }
}

/** 20 ms frames at their pace. */
async function says(clock: VirtualClock, recorder: CallRecorder, ms: number, value: number): Promise<void> {
  for (let at = 0; at < ms; at += 20) {
    recorder.caller(sound(20, value), PCM_8K, clock.now())
    await clock.advance(20)
  }
}

test('the caller is left and what was heard is right, each at its time', async () => {
  const { clock, recorder, whole } = begin()
  await clock.advance(1_000)
  await says(clock, recorder, 2_000, 11)
  recorder.heard(sound(1_000, 22), PCM_8K, clock.now() + 200)
  await clock.advance(3_000)
  expect(await whole()).toEqual({ rateHz: 8000, ms: 6000, left: ['11@1000-3000'], right: ['22@3200-4200'] })
})

test('an answer that was interrupted ends where it was cut; the next one follows at its own time', async () => {
  const { clock, recorder, whole } = begin()
  // Three seconds are sent ahead, in messages of a second.
  for (const second of [0, 1, 2]) recorder.heard(sound(1_000, 5), PCM_8K, second * 1_000)
  await clock.advance(1_250)
  recorder.cut(clock.now())
  await clock.advance(250)
  recorder.heard(sound(500, 6), PCM_8K, clock.now())
  await clock.advance(2_000)
  expect((await whole()).right).toEqual(['5@0-1250', '6@1500-2000'])
})

test('what the bridge still held when the call ended was not heard', async () => {
  const { clock, recorder, whole } = begin()
  recorder.heard(sound(3_000, 5), PCM_8K, 0)
  await clock.advance(1_700)
  expect(await whole()).toMatchObject({ ms: 1700, right: ['5@0-1700'] })
})

test('frames that come unevenly are joined; a silence that was withheld stays one', async () => {
  const { clock, recorder, whole } = begin()
  for (const waitMs of [20, 35, 5, 60, 0, 0, 20]) {
    recorder.caller(sound(20, 9), PCM_8K, clock.now())
    await clock.advance(waitMs)
  }
  await clock.advance(860)
  recorder.caller(sound(20, 8), PCM_8K, clock.now())
  await clock.advance(980)
  expect((await whole()).left).toEqual(['9@0-140', '8@1000-1020'])
})

test('a line that stalls and then gives all at once has no hole, and does not run late', async () => {
  const { clock, recorder, whole } = begin()
  await says(clock, recorder, 400, 3)
  await clock.advance(500)
  for (let i = 0; i < 25; i++) recorder.caller(sound(20, 3), PCM_8K, clock.now())
  await says(clock, recorder, 1_100, 3)
  // Within what counts as uneven.
  const [only, ...more] = (await whole()).left
  expect(more).toEqual([])
  const [, from, to] = /^3@(\d+)-(\d+)$/.exec(only!)!
  expect(Number(from)).toBe(0)
  expect(Number(to)).toBeGreaterThanOrEqual(1_900)
  expect(Number(to)).toBeLessThanOrEqual(2_000)
})

test('G.711 is decoded; a wide line is recorded at 16 kHz', async () => {
  const narrow = begin({}, MULAW_8K)
  narrow.recorder.caller(new Uint8Array(160).fill(0x80), MULAW_8K, 0)
  await narrow.clock.advance(20)
  expect(await narrow.whole()).toMatchObject({ rateHz: 8000, left: ['32124@0-20'] })
  await shelf!.close()
  const wide = begin({}, PCM16_16K)
  wide.recorder.caller(sound(20, 7, PCM16_16K), PCM16_16K, 0)
  await wide.clock.advance(20)
  expect(await wide.whole()).toMatchObject({ rateHz: 16000, left: ['7@0-20'] })
})

test('a caller faster than time is not written into the future, and what is left out is counted', async () => {
  const { clock, recorder, whole } = begin()
  for (let i = 0; i < 200; i++) recorder.caller(sound(20, 4), PCM_8K, 0)
  await clock.advance(5_000)
  await whole()
  expect(recorder.dropped).toBe(200 - 51)
  expect(notes).toEqual(['a call’s recording is not whole'])
})

test('a flood between two writes is bounded', async () => {
  const { recorder } = begin()
  const piece = sound(20, 4)
  for (let i = 0; i < 13_000; i++) recorder.caller(piece, PCM_8K, 0)
  expect(recorder.dropped).toBe(1_000)
})

test('a call that is not closed yet has its sound on the disk, with a second’s delay', async () => {
  const { dir, clock, recorder } = begin()
  await says(clock, recorder, 4_000, 1)
  await expect
    .poll(() => statSync(join(dir, readdirSync(dir)[0]!)).size)
    .toBeGreaterThanOrEqual(44 + 2_500 * 32)
})

test('a file that is full ends there, and the call goes on', async () => {
  const { clock, recorder, whole } = begin({ maxMb: 0.1 })
  await says(clock, recorder, 6_000, 1)
  const { ms } = await whole()
  expect(ms * 32).toBeLessThanOrEqual(0.1 * 1024 * 1024)
  expect(ms).toBeGreaterThan(2_500)
  expect(notes).toContain('a call’s recording is full')
})

test('nothing is left running, and closing twice is closing once', async () => {
  const { clock, recorder, shelf } = begin()
  recorder.caller(sound(20, 4), PCM_8K, 0)
  await clock.advance(100)
  await Promise.all([recorder.close(), recorder.close(), shelf.close()])
  recorder.caller(sound(20, 4), PCM_8K, 0)
  expect(clock.pendingTimers).toBe(0)
})

describe('the file', () => {
  test('what a slow disk cannot take is silence in its place, counted', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'parley-calls-'))
    const path = join(dir, 'x.wav')
    const sink = stereoFile({ path, sampleRateHz: 8000, maxBytes: 1e6, note, bufferBytes: 4_000 })
    const block = (value: number) => new Int16Array(1_600).fill(value)
    // All in one turn of the event loop: only the first one fits.
    for (const value of [1, 2, 3]) sink.write(block(value))
    expect(sink.droppedBytes).toBe(6_400)
    await expect.poll(() => statSync(path).size).toBe(44 + 3_200)
    sink.write(block(4))
    sink.write(block(5))
    await sink.close()
    expect(read(path)).toMatchObject({ ms: 500, left: ['1@0-100', '4@300-400'] })
    expect(sink.droppedBytes).toBe(9_600)
  })

  test('one that is there already is not written over, and nobody is disturbed', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'parley-calls-'))
    const path = join(dir, 'x.wav')
    writeFileSync(path, 'mine')
    const clock = new VirtualClock()
    const sink = stereoFile({ path, sampleRateHz: 8000, maxBytes: 1e6, note })
    const recorder = recordCall({ clock, sink, sampleRateHz: 8000 })
    recorder.caller(sound(20, 4), PCM_8K, 0)
    await clock.advance(2_000)
    await recorder.close()
    expect(readFileSync(path, 'utf8')).toBe('mine')
    expect(notes).toEqual(['a call’s recording cannot be written'])
  })
})

test('the folder is its owner’s; old calls are taken away, and nothing else', async () => {
  const { dir, recorder, shelf } = begin({ keepDays: 7 })
  await recorder.close()
  expect(statSync(dir).mode & 0o777).toBe(0o700)
  const old = (name: string, days: number) => {
    writeFileSync(join(dir, name), 'x')
    const at = (Date.UTC(2026, 10, 25, 12) - days * 86_400_000) / 1000
    utimesSync(join(dir, name), at, at)
    return name
  }
  const kept = [
    old('20261119T120000Z-sess_aa.wav', 6),
    old('notes.txt', 100),
    old('20261101T120000Z-mine.wav', 100),
  ]
  const gone = old('20261101T120000Z-sess_bb.wav', 8)
  const own = readdirSync(dir).filter((name) => name.includes(SESSION))
  for (const name of own)
    utimesSync(join(dir, name), Date.UTC(2026, 10, 25) / 1000, Date.UTC(2026, 10, 25) / 1000)
  expect(await shelf.sweep()).toBe(1)
  expect(readdirSync(dir).sort()).toEqual([...own, ...kept].sort())
  expect(gone).toMatch(/sess_bb/)
})
