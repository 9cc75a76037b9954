/** Lines on their way to a real disk: written in order, bounded, never waited for. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { realClock } from '../../src/clock.ts'
import { lineFile } from '../../src/recording/file.ts'
import { openShelf } from '../../src/recording/shelf.ts'

let folder: string
const notes: string[] = []
const note = (message: string) => void notes.push(message)
beforeEach(() => {
  notes.length = 0
  folder = mkdtempSync(join(tmpdir(), 'parley-lines-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))
const path = () => join(folder, 'deep', 'a.jsonl')
const written = () => readFileSync(path(), 'utf8')

test('every line in its order', async () => {
  const file = lineFile({ path: path(), maxBytes: 1e6, note })
  for (let i = 0; i < 1000; i++) file.write(`{"i":${i}}`)
  await file.close()
  expect(written()).toBe(Array.from({ length: 1000 }, (_, i) => `{"i":${i}}\n`).join(''))
  expect(notes).toEqual([])
})

test('a disk that is behind: lines are dropped, counted, and the file says where', async () => {
  const file = lineFile({ path: path(), maxBytes: 1e6, note, bufferChars: 100 })
  // Nothing is written while this turn lasts.
  for (let i = 0; i < 50; i++) file.write('{"l":"0123456789"}')
  expect(file.dropped).toBe(45)
  await file.close()
  expect(written().trim().split('\n').at(-1)).toBe('{"l":"hole","lines":45}')
  expect(notes).toEqual(['a recording has a hole: the disk is too slow'])
})

test('a full file ends there', async () => {
  const file = lineFile({ path: path(), maxBytes: 100, note })
  for (let i = 0; i < 50; i++) file.write('{"l":"0123456789"}')
  await file.close()
  expect(written().length).toBeLessThan(130)
  expect(written()).toMatch(/{"l":"end","why":"full"}\n$/)
})

test('a file that is there already is left as it is, and said', async () => {
  const file = lineFile({ path: path(), maxBytes: 100, note })
  writeFileSync(path(), 'mine')
  file.write('{}')
  await file.close()
  expect(written()).toBe('mine')
  expect(notes).toEqual(['a recording cannot be written'])
})

test('old recordings are taken away, other files and younger ones are not', async () => {
  const names = [
    '20200101T000000Z-sess_00.jsonl',
    '20200102T000000Z-sess_11.jsonl',
    'notes.txt',
    'sess_00.jsonl',
  ]
  const long = realClock.wallMs() / 1000 - 3 * 86_400
  for (const name of names) {
    writeFileSync(join(folder, name), '')
    if (!name.includes('11')) utimesSync(join(folder, name), long, long)
  }
  const setting = { dir: folder, audio: 'keep', redact: [], maxMb: 1, keepDays: 2 } as const
  const shelf = openShelf({ setting, clock: realClock, note })
  await shelf.close()
  expect(await shelf.sweep()).toBe(1)
  expect(readdirSync(folder).sort()).toEqual([...names.slice(1)].sort())
})
