/** The examples run as a reader would run them, against sessions that are played. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import wavefile from 'wavefile'
import { selfSigned } from '../../support/certificate.ts'
import { PLACE, response, SPOKEN_TURN } from './outputs.ts'
import { type Server, startServer } from './server.ts'

const tls = selfSigned()
let folder: string
let server: Server
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'parley-examples-'))
})
afterEach(async () => {
  rmSync(folder, { recursive: true })
  await server.app.close()
})

/** Starts an example; resolves to what it printed. */
async function run(name: string, args: readonly string[], env: Record<string, string>): Promise<string> {
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', `examples/${name}.ts`, ...args, join(folder, 'out.wav')],
    {
      env: { ...process.env, OPENAI_AGENTS_DISABLE_TRACING: '1', ...env },
    },
  )
  let printed = ''
  child.stdout.on('data', (data) => {
    printed += data
  })
  child.stderr.on('data', (data) => {
    printed += data
  })
  const [status] = await once(child, 'exit')
  expect(status, printed).toBe(0)
  return printed
}

const noTool = SPOKEN_TURN.filter((output) => output.type !== 'toolCalled').map((output) =>
  output.type === 'responseDone'
    ? { ...output, response: response({ status: 'completed' }, { output: [] }) }
    : output,
)
const savedSamples = () => {
  const wav = new wavefile.WaveFile(readFileSync(join(folder, 'out.wav')))
  return wav.getSamples().length
}
test('openai-realtime.ts says a sentence over TLS', async () => {
  server = await startServer({ tls })
  writeFileSync(join(folder, 'ca.pem'), tls.cert)
  const printed = run('openai-realtime', ['Good day'], {
    PARLEY_URL: `https://localhost:${server.port}/v1`,
    PARLEY_CA: join(folder, 'ca.pem'),
  })
  const session = await server.host.first()
  expect(await session.told('createItem')).toMatchObject({
    item: { parts: [{ type: 'text', text: 'Good day' }] },
  })
  await session.told('respond')
  session.say(...noTool)
  expect(await printed).toContain('answer: Good morning.')
  expect(savedSamples()).toBe(3)
})

test('openai-realtime.ts speaks a file', async () => {
  server = await startServer({ tls })
  writeFileSync(join(folder, 'ca.pem'), tls.cert)
  const wav = new wavefile.WaveFile()
  wav.fromScratch(1, 24_000, '16', new Int16Array(12_000))
  writeFileSync(join(folder, 'in.wav'), wav.toBuffer())
  const printed = run('openai-realtime', [join(folder, 'in.wav')], {
    PARLEY_URL: `https://localhost:${server.port}/v1`,
    PARLEY_CA: join(folder, 'ca.pem'),
  })
  const session = await server.host.first()
  await session.heard(24_000 + 48_000)
  session.say(...noTool)
  const text = await printed
  expect(text).toContain('you:    hello')
  expect(text).toContain('answer: Good morning.')
})

test('agents-realtime.ts says a sentence and uses its tool', async () => {
  server = await startServer()
  const printed = run('agents-realtime', ['What is the weather?'], {
    PARLEY_URL: `ws://127.0.0.1:${server.port}/v1/realtime`,
  })
  const session = await server.host.first()
  await session.told('respond')
  session.say(
    ...SPOKEN_TURN.map((output) =>
      output.type === 'toolCalled'
        ? { ...output, item: { ...output.item, name: 'get_weather', arguments: '{"city":"Oslo"}' } }
        : output,
    ),
  )
  await session.told('respond', 1)
  const next = { ...PLACE, responseId: 'resp_2', itemId: 'item_5' }
  session.say(
    ...noTool
      .filter((output) => 'responseId' in output || 'response' in output)
      .map((output) => {
        if ('responseId' in output) return { ...output, ...next }
        if ('response' in output) return { ...output, response: { ...output.response, id: 'resp_2' } }
        return output
      }),
  )
  const text = await printed
  expect(text).toContain('tool:   get_weather(Oslo)')
  expect(text).toContain('answer: Good morning.')
  expect(savedSamples()).toBe(6)
})
