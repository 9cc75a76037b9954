/** `@openai/agents-realtime` in Chromium, unchanged, over its default transport there, WebRTC, and over WebSocket. */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chromiumPath, openBrowser, SKIPPED } from '../console/browser.ts'
import { type RunningApp, startApp } from './app.ts'
import { at48k, closeEmbedded, human, quiet, spoken } from './embedded.ts'

if (!chromiumPath) console.warn(SKIPPED)

const BUNDLE = new URL(
  '../../node_modules/@openai/agents-realtime/dist/bundle/openai-realtime-agents.umd.js',
  import.meta.url,
)

/** Runs in the page: an agent with a tool, and what the SDK told of it. `transport`: undefined is the SDK's default. */
const talk = (url: string, transport?: 'websocket') => `(async () => {
  const sdk = Object.values(window).find((one) => one && one.RealtimeSession && one.RealtimeAgent)
  window.heard = []
  window.asked = []
  const weather = sdk.tool({
    name: 'get_weather',
    description: 'Weather of a city.',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false },
    execute: async ({ city }) => { window.asked.push(city); return JSON.stringify({ sky: 'cloudy', temperature: 'twelve' }) },
  })
  const agent = new sdk.RealtimeAgent({ name: 'Guide', instructions: 'Be kind.', tools: [weather] })
  const session = new sdk.RealtimeSession(agent, { model: 'gpt-realtime', transport: ${JSON.stringify(transport)} })
  window.session = session
  session.transport.on('*', (event) => window.heard.push(event))
  session.on('error', (error) => window.heard.push({ type: 'sdk: error', error: String(error && error.error && error.error.message || JSON.stringify(error)) }))
  session.on('audio_interrupted', () => window.heard.push({ type: 'sdk: interrupted' }))
  const minted = await fetch('/v1/realtime/client_secrets', {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"session":{"type":"realtime"}}',
  })
  const { value } = await minted.json()
  await session.connect({ apiKey: value, url: '${url}' })
})()`

/** A WebSocket has no microphone of its own: clips of PCM16 at 24 kHz, base64, sent at the pace of speech. */
const FEED = `window.feed = async (clip) => {
  const bytes = Uint8Array.from(atob(clip), (char) => char.charCodeAt(0))
  const began = performance.now()
  for (let at = 0; at < bytes.length; at += 960) {
    const early = at / 48 - (performance.now() - began)
    if (early > 0) await new Promise((resolve) => setTimeout(resolve, early))
    session.sendAudio(bytes.slice(at, at + 960).buffer)
  }
}`

const said = (n: number) =>
  `(() => { const done = heard.filter((e) => e.type === 'response.done' && e.response.output.some((o) => o.type === 'message')); return done[${n}] && JSON.stringify(done[${n}].response.output) })()`

type Browser = Awaited<ReturnType<typeof openBrowser>>
type Page = Awaited<ReturnType<Browser['context']['newPage']>>

async function inPage(browser: Browser, url: string, work: (page: Page) => Promise<void>): Promise<void> {
  const page = await browser.context.newPage()
  try {
    page.setDefaultTimeout(25_000)
    await page.goto(`${url}/healthz`)
    await page.addScriptTag({ content: readFileSync(BUNDLE, 'utf8') })
    await work(page)
  } catch (error) {
    const types = await page.evaluate('window.heard?.map((e) => e.type).join(" ")')
    throw new Error(`had: ${types}`, { cause: error })
  } finally {
    await browser.close()
  }
}

const hears = (page: Page) => (type: string) =>
  page.waitForFunction(`heard.some((e) => e.type === '${type}')`)

/** And that nothing went wrong on the whole way. */
async function writesAndAsksTheTool(page: Page): Promise<void> {
  await page.evaluate(`session.sendMessage('What is the weather in London?')`)
  await page.waitForFunction(
    `heard.some((e) => e.type === 'response.done' && /In London it is cloudy and twelve/i.test(JSON.stringify(e)))`,
  )
  expect(await page.evaluate('asked')).toEqual(['London'])
  expect(await page.evaluate(`heard.filter((e) => e.type === 'error' || e.type === 'sdk: error')`)).toEqual(
    [],
  )
}

describe.skipIf(!chromiumPath)(chromiumPath ? 'the Agents SDK in a browser' : SKIPPED, () => {
  let server: RunningApp
  beforeAll(async () => {
    server = await startApp()
  })
  afterAll(async () => {
    await server.close()
    await closeEmbedded()
  })

  test('over WebRTC: a spoken turn, an interruption, a tool call and a written turn', async () => {
    const story = at48k(await spoken('Tell me a story.'))
    const interruption = at48k(await human('seven-of-clubs'))
    const browser = await openBrowser([
      { silentMs: 2_500, clip: story },
      { silentMs: 4_000, clip: interruption },
      { silentMs: 120_000 },
    ])
    await inPage(browser, server.url, async (page) => {
      await page.evaluate(talk(`${server.url}/v1/realtime/calls`))
      const has = hears(page)
      await has('output_audio_buffer.started')
      await has('output_audio_buffer.cleared')
      await has('conversation.item.truncated')
      await page.waitForFunction(`/seven of clubs/i.test(${said(1)} ?? ${said(0)} ?? '')`)
      await has('output_audio_buffer.stopped')
      await writesAndAsksTheTool(page)
      expect(
        await page.evaluate(`heard.filter((e) => e.type === 'response.output_audio.delta').length`),
      ).toBe(0)
    })
  })

  test('over WebSocket: the same', async () => {
    const story = Buffer.concat([await spoken('Tell me a story.'), quiet(3_000)])
    const interruption = Buffer.concat([await human('seven-of-clubs'), quiet(60_000)])
    const browser = await openBrowser([{ silentMs: 1_000 }])
    await inPage(browser, server.url, async (page) => {
      await page.evaluate(talk(`${server.url.replace('http', 'ws')}/v1/realtime`, 'websocket'))
      await page.evaluate(FEED)
      await page.evaluate(`void feed('${story.toString('base64')}').then(() => { window.told = true })`)
      const has = hears(page)
      await has('response.output_audio.delta')
      await page.waitForFunction('window.told')
      await page.evaluate(`void feed('${interruption.toString('base64')}')`)
      await has('sdk: interrupted')
      await has('conversation.item.truncated')
      await page.waitForFunction(`/seven of clubs/i.test(${said(1)} ?? ${said(0)} ?? '')`)
      await writesAndAsksTheTool(page)
    })
  })
})
