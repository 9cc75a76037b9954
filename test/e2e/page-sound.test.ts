/** Words through Chromium's own Opus, both ways: over WebRTC, over WebRTC that loses packets, and in events. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { LlmAdapter } from '../../src/stage/llm.ts'
import { chromiumPath, openBrowser, SKIPPED, type TestBrowser } from '../console/browser.ts'
import { WORDS, wordErrorRate } from '../provider/local/speech.ts'
import { type RunningApp, startApp } from './app.ts'
import { at48k, closeEmbedded, human, readBack, spoken } from './embedded.ts'
import type { LossyRelay } from './lossy-relay.ts'
import { callFrom } from './page-call.ts'
import { takeTurn } from './page-ear.ts'
import { connectFrom } from './page-socket.ts'

if (!chromiumPath) console.warn(SKIPPED)

const TURNS = 4
const LONG = { timeout: 120_000 }
/** Of five sentences tried, in flite's voice, the one that Moonshine is surest of. */
const TRAIN = 'The train to London leaves at nine in the morning.'
const tellsOfTheTrain: LlmAdapter = {
  id: 'test/model',
  caps: { tools: false, json: false, prefill: false },
  async *stream() {
    yield { type: 'text', text: TRAIN }
    yield { type: 'finish', reason: 'stop' }
  },
}

describe.skipIf(!chromiumPath)(chromiumPath ? "a browser's Opus" : SKIPPED, () => {
  let server: RunningApp
  let browser: TestBrowser | undefined
  let relay: LossyRelay | undefined
  let lossy: RunningApp | undefined
  beforeAll(async () => {
    server = await startApp()
  })
  afterEach(async () => {
    await browser?.close()
    relay?.close()
    await lossy?.close()
    browser = relay = lossy = undefined
  })
  afterAll(async () => {
    await server.close()
    await closeEmbedded()
  })

  /** A page whose microphone hears this, each time it is opened. */
  async function pageHearing(words: keyof typeof WORDS) {
    const clip = at48k(await human(words))
    browser = await openBrowser([{ silentMs: 500, clip }, { silentMs: 120_000 }])
    return browser.context.newPage()
  }

  /** What was said arrived, and the answer is understood as well as where no wire is in between. */
  async function expectAllWords(page: Awaited<ReturnType<typeof pageHearing>>): Promise<void> {
    const { transcript, answer, sound } = await takeTurn(page)
    expect(wordErrorRate(WORDS.amiable, transcript)).toBe(0)
    expect(wordErrorRate(`You said ${WORDS.amiable}`, answer)).toBe(0)
    const without = wordErrorRate(answer, await readBack(await spoken(answer)))
    expect(wordErrorRate(answer, await readBack(sound))).toBeLessThanOrEqual(without)
    expect(await page.evaluate(`heard.filter(({ type }) => type === 'error')`)).toEqual([])
  }

  test('over WebRTC: the words spoken, and the answer as it sounds without a wire', async () => {
    const page = await pageHearing('amiable')
    relay = await callFrom(page, server.url, 0, 1)
    await expectAllWords(page)
    expect(await page.evaluate('packetsLost()')).toBe(0)
  })

  test(
    'over WebRTC, one packet in twenty lost each way: at most one word in five is another',
    LONG,
    async () => {
      lossy = await startApp({ llm: tellsOfTheTrain })
      const page = await pageHearing('seven-of-clubs')
      relay = await callFrom(page, lossy.url, 0.05, 7)
      const errors = { up: 0, down: 0 }
      for (let turn = 0; turn < TURNS; turn++) {
        const { transcript, answer, sound } = await takeTurn(page)
        expect(answer).toBe(TRAIN)
        errors.up += wordErrorRate(WORDS['seven-of-clubs'], transcript) / TURNS
        errors.down += wordErrorRate(TRAIN, await readBack(sound)) / TURNS
      }
      expect(errors.up).toBeLessThanOrEqual(0.2)
      expect(errors.down).toBeLessThanOrEqual(0.2)
      for (const { packets, lost } of [relay.up, relay.down]) {
        expect(packets).toBeGreaterThan(400)
        expect(lost / packets).toBeGreaterThan(0.03)
        expect(lost / packets).toBeLessThan(0.07)
      }
      // The browser's own count; it cannot know of those before the first and after the last that came.
      const missed = relay.down.lost - Number(await page.evaluate('packetsLost()'))
      expect(missed).toBeGreaterThanOrEqual(0)
      expect(missed).toBeLessThanOrEqual(TURNS)
      expect(await page.evaluate(`heard.filter(({ type }) => type === 'error')`)).toEqual([])
    },
  )

  test('in the events of a WebSocket: the same as without loss', async () => {
    const page = await pageHearing('amiable')
    await connectFrom(page, server.url)
    await expectAllWords(page)
  })
})
