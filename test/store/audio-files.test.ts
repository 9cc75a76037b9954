/** Sounds on a real disk: written beside and renamed, bounded, and whatever is not whole thrown away. */
import { mkdtempSync, readdirSync, readFileSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { realClock } from '../../src/clock.ts'
import { AudioFiles, decodeSound, encodeSound } from '../../src/store/audio-files.ts'

const SOUND = { head: { text: 'Hello.' }, audio: Uint8Array.from({ length: 1_000 }, (_, i) => i) }
const folder = () => mkdtempSync(join(tmpdir(), 'parley-sounds-'))
const open = (dir: string, maxBytes = 1_000_000) => {
  const notes: string[] = []
  return Object.assign(
    new AudioFiles({ dir, maxBytes, clock: realClock, note: (text) => notes.push(text) }),
    { notes },
  )
}
const soundsIn = (dir: string) => readdirSync(dir).filter((name) => name.endsWith('.sound'))

test('what one process wrote another reads, and nothing tells by its name what it is', async () => {
  const dir = folder()
  const writing = open(dir)
  writing.put('key', SOUND)
  expect((await writing.get('key'))?.head).toEqual(SOUND.head)
  await writing.close()
  const [file = ''] = soundsIn(dir)
  expect(readdirSync(dir)).toEqual([expect.stringMatching(/^[0-9a-f]{64}\.sound$/)])
  expect(file).not.toContain('key')
  const found = await open(dir).get('key')
  expect(found?.head).toEqual(SOUND.head)
  expect(Buffer.from(found!.audio).equals(SOUND.audio)).toBe(true)
  expect(await open(dir).get('other')).toBeNull()
})

test.each([
  ['cut short', (path: string) => truncateSync(path, 500)],
  ['empty', (path: string) => truncateSync(path, 0)],
  ['of other bytes', (path: string) => writeFileSync(path, 'no sound at all')],
  [
    'changed in one byte',
    (path: string) => {
      const bytes = readFileSync(path)
      bytes[200] = bytes[200]! ^ 1
      writeFileSync(path, bytes)
    },
  ],
])('a file that is %s is thrown away and counted', async (_what, spoil) => {
  const dir = folder()
  const files = open(dir)
  files.put('key', SOUND)
  await files.close()
  spoil(join(dir, soundsIn(dir)[0]!))
  const reading = open(dir)
  expect(await reading.get('key')).toBeNull()
  expect([reading.broken, soundsIn(dir), reading.notes]).toEqual([1, [], []])
})

test('several processes write the same and other sounds into one folder', async () => {
  const dir = folder()
  const processes = [open(dir), open(dir), open(dir)]
  for (const [i, one] of processes.entries()) {
    one.put('shared', SOUND)
    one.put(`own ${i}`, SOUND)
  }
  await Promise.all(processes.map((one) => one.close()))
  const reading = open(dir)
  const keys = ['shared', 'own 0', 'own 1', 'own 2']
  expect(await Promise.all(keys.map(async (key) => (await reading.get(key))?.head))).toEqual(
    keys.map(() => SOUND.head),
  )
  expect([readdirSync(dir).length, reading.broken]).toEqual([4, 0])
})

test('the folder stays within its bound: the longest unused go, and what a dead process left behind', async () => {
  const dir = folder()
  const first = open(dir)
  for (const key of ['a', 'b', 'c']) first.put(key, SOUND)
  await first.close()
  const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000)
  for (const name of soundsIn(dir)) utimesSync(join(dir, name), hoursAgo(5), hoursAgo(5))
  const part = join(dir, `${'0'.repeat(64)}.${'0'.repeat(16)}.part`)
  writeFileSync(part, 'half')
  utimesSync(part, hoursAgo(2), hoursAgo(2))
  writeFileSync(join(dir, 'somebody-elses.txt'), 'stays')
  const size = readFileSync(join(dir, soundsIn(dir)[0]!)).length
  const second = open(dir, 2 * size)
  // Reading is use.
  await second.get('a')
  second.put('d', SOUND)
  await second.close()
  const reading = open(dir)
  const kept: string[] = []
  for (const key of ['a', 'b', 'c', 'd']) if (await reading.get(key)) kept.push(key)
  expect(kept).toEqual(['a', 'd'])
  expect(second.bytes).toBe(2 * size)
  expect(readdirSync(dir)).toContain('somebody-elses.txt')
  expect(readdirSync(dir)).toHaveLength(3)
})

test('a folder that cannot be written to is said at start', () => {
  const file = join(folder(), 'file')
  writeFileSync(file, '')
  expect(() => open(join(file, 'below'))).toThrow()
})

test('the reader takes whatever bytes there are, and only whole files for sounds', () => {
  const whole = encodeSound(SOUND)
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      expect(decodeSound(bytes)).toBeNull()
    }),
  )
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const spoiled = Buffer.from(whole)
      spoiled[at] = spoiled[at]! ^ change
      expect(decodeSound(spoiled)).toBeNull()
    }),
  )
  fc.assert(
    fc.property(fc.nat(whole.length - 1), (length) => {
      expect(decodeSound(whole.subarray(0, length))).toBeNull()
    }),
  )
  fc.assert(
    fc.property(fc.json(), fc.uint8Array({ maxLength: 100 }), (json, audio) => {
      const read = decodeSound(encodeSound({ head: JSON.parse(json), audio }))
      expect(read?.head).toEqual(JSON.parse(json))
      expect(Buffer.from(read!.audio).equals(audio)).toBe(true)
    }),
  )
})
