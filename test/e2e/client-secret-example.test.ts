/** `examples/client-secret.ts` as a reader would run it: its backend, its page in a browser, and the whole server. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { chromiumPath, openBrowser, SKIPPED } from '../console/browser.ts'
import { type RunningApp, startApp } from './app.ts'
import { Caller } from './caller.ts'
import { closeEmbedded } from './embedded.ts'

const KEY = 'pk-of-the-example-77b1'

let server: RunningApp
let example: { readonly url: string; stop(): Promise<string> }
beforeEach(async () => {
  server = await startApp({ key: KEY })
  const child = spawn(process.execPath, ['--import', 'tsx', 'examples/client-secret.ts'], {
    env: { ...process.env, PARLEY_URL: `${server.url}/v1`, PARLEY_KEY: KEY, PORT: '0' },
  })
  let errors = ''
  child.stderr.on('data', (data) => {
    errors += data
  })
  const [said] = await once(child.stdout, 'data')
  example = {
    url: /http:\/\/localhost:\d+/.exec(String(said))?.[0] ?? '',
    async stop() {
      child.kill()
      await once(child, 'exit')
      return errors
    },
  }
})
afterEach(async () => {
  expect(await example.stop()).toBe('')
  await server.close()
})
afterAll(closeEmbedded)

test('its page gets a secret that opens a session of its user', async () => {
  const page = await (await fetch(`${example.url}/`)).text()
  expect(page).not.toContain(KEY)
  const answer = await fetch(`${example.url}/secret`, { method: 'POST' })
  const { value } = (await answer.json()) as { value: string }
  const caller = new Caller(server, { protocols: ['realtime', `openai-insecure-api-key.${value}`] })
  expect((await caller.events.next('session.created'))['session']).toMatchObject({
    output_modalities: ['text'],
    instructions: 'Answer in one sentence.',
  })
  caller.write('My name is Ada.')
  const done = await caller.events.next('response.done')
  expect(done['response'].output[0].content[0].text).toContain('Ada')
  caller.hangUp()
})

test.skipIf(chromiumPath === undefined)(
  chromiumPath === undefined ? SKIPPED : 'its page asks in a browser, and shows the answer',
  async () => {
    const { context, close } = await openBrowser([{ silentMs: 100 }])
    const page = await context.newPage()
    await page.goto(example.url)
    await page.fill('input', 'My name is Ada.')
    await page.click('button')
    await page.locator('pre').filter({ hasText: 'Ada' }).waitFor()
    await close()
  },
)
