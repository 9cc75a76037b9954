/** A call over a real socket with real ears, a real recogniser and a real voice is recorded, and plays again to the byte. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { readRecording } from '../../src/recording/read.ts'
import { replay } from '../../src/recording/replay.ts'
import { startApp } from './app.ts'
import { Caller } from './caller.ts'
import { closeEmbedded, human } from './embedded.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'parley-recording-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))
afterAll(closeEmbedded)

/** Two turns, the second cut short by the caller; what the server's folder then holds. */
async function recorded(settings: string): Promise<string> {
  const server = await startApp({ settings: `recording: { dir: ${folder}/calls${settings} }` })
  const caller = await Caller.ready(server)
  await caller.completesATurn()
  const from = caller.events.here
  caller.say(await human('ten-of-clubs'))
  await caller.events.next('response.output_audio.delta', from)
  caller.say(await human('ten-of-clubs'))
  await caller.events.next('response.done', from)
  caller.hangUp()
  await caller.closed
  await server.close()
  return onlyFile()
}

function onlyFile(): string {
  const [name, ...others] = readdirSync(join(folder, 'calls'))
  expect(others).toEqual([])
  expect(name).toMatch(/^\d{8}T\d{6}Z-sess_[0-9a-f]{24}\.jsonl$/)
  return readFileSync(join(folder, 'calls', name!), 'utf8')
}

test.each([
  ['everything kept', ''],
  ['without voices', ', audio: drop'],
  ['without voices and words', ', audio: drop, redact: [text, metadata, user]'],
])('%s', async (_, settings) => {
  const text = await recorded(settings)
  const recording = readRecording(text)
  expect(recording.ends).toBe('closed')
  const replayed = await replay(recording)
  expect(replayed.difference).toBeNull()
  expect(replayed.outputs).toBeGreaterThan(20)
  expect(replayed.turns).toBeGreaterThanOrEqual(2)
  if (settings.includes('text')) expect(text).not.toMatch(/clubs/i)
  else expect(text).toMatch(/ten of clubs/i)
})

test('a server that stops in the middle of an answer still writes the file to its end', async () => {
  const server = await startApp({ settings: `recording: { dir: ${folder}/calls }` })
  const caller = await Caller.ready(server)
  caller.say(await human('ten-of-clubs'))
  await caller.events.next('response.output_audio.delta')
  await server.close()
  await caller.closed
  const recording = readRecording(onlyFile())
  expect(recording.ends).toBe('closed')
  expect((await replay(recording)).difference).toBeNull()
})

test('without the setting nothing is recorded', async () => {
  const server = await startApp()
  const caller = await Caller.ready(server)
  await caller.completesATurn()
  caller.hangUp()
  await server.close()
  expect(readdirSync(folder)).toEqual([])
})
