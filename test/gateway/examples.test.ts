/** `examples/chat.ts` and `examples/messages.ts` as a reader would run them, against the whole server. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { chatUpstreams, GATEWAY_KEY, type Gateway, startGateway } from './server.ts'

const run = promisify(execFile)

let upstreams: Awaited<ReturnType<typeof chatUpstreams>>
let gateway: Gateway
beforeAll(async () => {
  upstreams = await chatUpstreams(1)
  upstreams.fakes[0]?.answer({ pieces: ['It is', ' noon.'] })
  gateway = await startGateway({ settings: upstreams.settings })
})
afterAll(async () => {
  await gateway.close()
  await upstreams.close()
})

async function example(file: string, url: string): Promise<string> {
  const { stdout } = await run(
    process.execPath,
    ['--import', 'tsx', `examples/${file}`, 'What time is it?'],
    {
      env: { ...process.env, PARLEY_URL: url, PARLEY_KEY: GATEWAY_KEY, PARLEY_MODEL: 'a/clock' },
    },
  )
  return stdout
}

test('chat.ts prints the answer, who gave it and what it cost', async () => {
  const said = await example('chat.ts', `${gateway.url}/v1`)
  expect(said).toMatch(
    /^It is noon\.\na\/clock: ok, first output [\d.]+ ms\nturn turn_\w+, cost not known\n$/,
  )
})

// Twelve, of which four came from the cache: Anthropic counts those apart.
test('messages.ts is answered by a model of another dialect', async () => {
  expect(await example('messages.ts', gateway.url)).toBe(
    'It is noon.\nended by end_turn; 8 tokens in, 5 out\n',
  )
})
