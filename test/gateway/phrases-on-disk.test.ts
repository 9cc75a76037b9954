/** A server that starts while every voice is down greets its callers all the same: another start kept the sound. */
import { mkdtempSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ProviderError } from '../../src/errors.ts'
import type { Provider } from '../../src/stage/provider.ts'
import type { TtsAdapter } from '../../src/stage/tts.ts'
import { UNPACED } from '../session/call.ts'
import { FakeLlm, FakeStt, FakeTts } from '../support/stages.ts'
import { GATEWAY_KEY, startGateway } from './server.ts'

const PIPELINE = `
name: phone
greeting: Welcome back.
stt: { routes: [{ name: any, use: [ears/any] }] }
llm: { routes: [{ name: any, use: [mind/any] }] }
tts: { routes: [{ name: any, use: [fake/tts] }] }
`
const down: TtsAdapter = {
  id: 'fake/tts',
  caps: new FakeTts().caps,
  open: async () => {
    throw new ProviderError({ provider: 'fake', stage: 'tts', kind: 'transient', message: 'down' })
  },
}

function start(dir: string, tts: TtsAdapter) {
  const provider = (name: string, offers: Partial<Provider>): Provider => ({
    name,
    close: async () => {},
    ...offers,
  })
  return startGateway({
    settings: `speechCache: { dir: '${dir}' }`,
    pipelines: [PIPELINE],
    providers: [
      provider('ears', { stt: () => new FakeStt() }),
      provider('mind', { llm: () => new FakeLlm() }),
      provider('fake', { tts: () => tts }),
    ],
  })
}

test('the greeting of the server before', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'parley-phrases-'))
  const before = await start(dir, new FakeTts())
  await expect.poll(() => readdirSync(dir)).toEqual([expect.stringMatching(/^[0-9a-f]{64}\.sound$/)])
  await before.close()
  const after = await start(dir, down)
  const headers = { authorization: `Bearer ${GATEWAY_KEY}` }
  const figures = async () => (await after.app.http.inject({ url: '/metrics', headers })).body
  await expect.poll(figures).toContain('parley_speech_cache_from_disk 1')
  const session = after.app.host.open({
    wire: 'test',
    caps: UNPACED,
    pipeline: 'phone',
    key: null,
    metadata: {},
    user: null,
  })
  let bytes = 0
  for await (const output of session.outputs) {
    if (output.type === 'answerAudio') bytes += output.audio.length
    if (output.type === 'answerDone') break
    if (output.type === 'fault') throw new Error(output.code)
  }
  expect(bytes).toBeGreaterThan(1_000)
  await session.close('client')
  await after.close()
})
