/** `parley talk`, and the examples for OpenAI's SDKs, as their readers run them, against the whole server. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { readWav, writeWav } from '../../src/audio/wav.ts'
import { wordErrorRate } from '../provider/local/speech.ts'
import { type RunningApp, startApp } from './app.ts'
import { closeEmbedded, readBack, spoken } from './embedded.ts'

const KEY = 'pk-for-tests-only'

let server: RunningApp
beforeAll(async () => {
  server = await startApp({ key: KEY, tls: 'tls' })
})
afterAll(async () => {
  await server.close()
  await closeEmbedded()
})

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'parley-talk-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const out = () => join(folder, 'answer.wav')

/** What is heard in the file that was saved. */
async function answerReadBack(): Promise<string> {
  const { samples, sampleRateHz } = readWav(readFileSync(out()))
  expect(sampleRateHz).toBe(24_000)
  return readBack(new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength))
}

async function question(text: string): Promise<string> {
  const pcm = await spoken(text)
  const file = join(folder, 'question.wav')
  writeFileSync(file, writeWav(new Int16Array(pcm.buffer, pcm.byteOffset, pcm.length / 2), 24_000))
  return file
}

/** Runs a program of Node's to its end; what it printed. */
async function node(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
  writeFileSync(join(folder, 'ca.pem'), server.ca!)
  const child = spawn(process.execPath, ['--import', 'tsx', ...args], {
    env: {
      ...process.env,
      NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem'),
      PARLEY_KEY: KEY,
      OPENAI_AGENTS_DISABLE_TRACING: '1',
      ...env,
    },
  })
  let printed = ''
  const keep = (data: Buffer) => {
    printed += String(data)
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  const [status] = await once(child, 'exit')
  expect(status, printed).toBe(0)
  return printed
}

const PARLEY = ['-e', "import('./src/main.ts').then(({ main }) => main(process.argv))", '--', 'parley']

test('talk says a recording of a person, prints both sides and the timeline, saves an answer that can be understood', async () => {
  const recording = 'fixtures/speech/ten-of-clubs.wav'
  const url = `wss://localhost:${server.port}`
  const printed = await node([...PARLEY, 'talk', recording, '--url', url, '--out', out()])
  expect(printed).toMatch(/you {5}Ten of clubs\.\n {2}parley {2}You said: Ten of clubs\.\n/)
  expect(printed).toMatch(/The turn turn_\w+ · pipeline guide/)
  for (const row of ['silence, end of turn', 'stt local/moonshine-tiny', 'llm test/model', 'tts local/flite'])
    expect(printed).toMatch(new RegExp(`${row} +.*[░█].* ms`))
  expect(printed).toMatch(/First audio [\d,]+ ms after the end of speech; the budget is 1,500 ms/)
  expect(printed).not.toContain(KEY)
  expect(wordErrorRate('You said ten of clubs', await answerReadBack())).toBeLessThan(0.25)
})

test('the example for the openai SDK speaks a file and saves the answer', async () => {
  const printed = await node(['examples/openai-realtime.ts', await question('My name is Robert.'), out()], {
    PARLEY_URL: `https://localhost:${server.port}/v1`,
    PARLEY_CA: join(folder, 'ca.pem'),
  })
  expect(printed).toContain('you:    My name is Robert.')
  expect(printed).toMatch(/answer: Nice to meet you, Robert\./)
  expect(await answerReadBack()).toMatch(/nice to meet you/i)
})

test('the example for the Agents SDK has its tool called, and speaks what it found', async () => {
  const asks = await question('What is the weather in London?')
  const printed = await node(['examples/agents-realtime.ts', asks, out()], {
    PARLEY_URL: `wss://localhost:${server.port}/v1/realtime`,
  })
  expect(printed).toContain('you:    What is the weather in London?')
  expect(printed).toContain('tool:   get_weather(London)')
  expect(printed).toMatch(/answer: In London it is/)
  expect(await answerReadBack()).toMatch(/degrees/i)
})
