/** The page in a real browser, its microphone a WAV file, against a scripted server. Nothing sleeps: all is awaited. */
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chromiumPath, MIC_TONE_HZ, openBrowser, SKIPPED, type Voice } from './browser.ts'
import { type BuiltPage, buildPage } from './built-page.ts'
import { type FakeOptions, type FakeRealtime, startFakeRealtime } from './fake-realtime.ts'
import { longAnswer, shortAnswer, writtenTurn } from './scripts.ts'

if (!chromiumPath) console.warn(SKIPPED)

const quiet: readonly Voice[] = [{ silentMs: 60_000 }]

describe.skipIf(!chromiumPath)(chromiumPath ? 'the page in Chromium' : SKIPPED, () => {
  let built: BuiltPage
  beforeAll(async () => {
    built = await buildPage()
  })
  afterAll(() => built.remove())

  async function visit(
    spoken: readonly Voice[],
    options: Omit<FakeOptions, 'root'>,
    story: (page: Page, server: FakeRealtime, complaints: readonly string[]) => Promise<void>,
  ): Promise<void> {
    const server = await startFakeRealtime({ ...options, root: built.root })
    const browser = await openBrowser(spoken)
    try {
      const page = await browser.context.newPage()
      page.setDefaultTimeout(30_000)
      const complaints: string[] = []
      page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
      page.on('pageerror', (error) => complaints.push(String(error)))
      await page.addInitScript(RECORD_STATES)
      await story(page, server, complaints)
    } finally {
      await browser.close()
      await server.close()
    }
  }

  test('a spoken turn, an interruption that stops it, and a turn in writing', () =>
    visit(
      [{ silentMs: 1000, toneMs: 1000 }, { silentMs: 2200, toneMs: 800 }, { silentMs: 60_000 }],
      { script: [longAnswer, shortAnswer, writtenTurn] },
      async (page, server, complaints) => {
        await page.goto(`${server.url}/?autostart=1`)
        const turn = (n: number) => page.getByTestId('turn').nth(n)

        const truncate = await server.event('conversation.item.truncate')
        expect(truncate).toMatchObject({ content_index: 0, item_id: expect.stringMatching(/^item_/) })
        const playedMs = truncate['audio_end_ms'] as number
        expect(Number.isInteger(playedMs)).toBe(true)
        expect(playedMs).toBeGreaterThan(0)
        expect(playedMs).toBeLessThan(12_500)

        const unheard = turn(0).getByTestId('unheard')
        await unheard.filter({ hasText: /^six on weekdays\./ }).waitFor()
        expect(await turn(0).getByTestId('heard').textContent()).toBe('We are open from nine to')
        expect(await turn(0).getByTestId('transcript-user').textContent()).toBe(
          'What are your opening hours this week?',
        )

        await turn(1).getByTestId('waterfall').getByText('budget broken by llm').waitFor()
        const fall = ((await turn(1).getByTestId('waterfall').textContent()) ?? '').replaceAll('\u2009', '')
        for (const part of [
          '1534',
          '34 over budget',
          'failed: timeout',
          'groq/llama-3.3-70b',
          'window 500',
          'final 541',
        ])
          expect(fall).toContain(part)
        expect(await turn(1).getByTestId('unheard').count()).toBe(0)

        await page.locator('[data-testid=state][data-state=listening]').waitFor()
        await page.getByTestId('text-input').fill('Am I free on Friday?')
        await page.getByTestId('send').click()
        await turn(2).getByTestId('waterfall').waitFor()
        expect(await turn(2).getByTestId('transcript-user').textContent()).toBe('Am I free on Friday?')
        await page.locator('[data-testid=state][data-state=listening]').waitFor()
        expect(await turn(2).getByTestId('heard').textContent()).toBe(writtenTurn.answer[0]?.text)
        expect(await page.getByTestId('turn').count()).toBe(3)

        const created = await server.event('conversation.item.create')
        expect(created).toMatchObject({ item: { role: 'user', content: [{ type: 'input_text' }] } })
        expect(server.events.at(-1)?.type).toBe('response.create')
        const update = await server.event('session.update')
        expect(update).toMatchObject({
          session: { type: 'realtime', audio: { input: { transcription: {} } } },
        })
        // The second answer and the written one were heard out: only the interruption cut anything.
        expect(server.events.filter((e) => e.type === 'conversation.item.truncate')).toHaveLength(1)

        const states = await page.evaluate<string[]>('states')
        expect(
          inOrder(states, ['connecting', 'listening', 'hearing', 'speaking', 'interrupted', 'speaking']),
        ).toBe(true)
        expect(complaints).toEqual([])
        expect(frequency(server.heard)).toBeCloseTo(MIC_TONE_HZ, -1)
      },
    ))

  test('a server with keys is asked with one, which stays in this tab', () =>
    visit(quiet, { script: [writtenTurn], key: 'sk-right' }, async (page, server) => {
      await page.goto(server.url)
      await page.getByTestId('key-input').fill('sk-wrong')
      await page.getByTestId('key-use').click()
      await page.getByText('The server did not take the key.').waitFor()
      await page.getByTestId('key-input').fill('sk-right')
      await page.getByTestId('key-use').click()
      await page.locator('[data-state=listening]').waitFor()
      expect(server.protocols.at(-1)?.split(/,\s*/)).toEqual(['realtime', 'openai-insecure-api-key.sk-right'])
      expect(await page.evaluate('[localStorage.length, document.cookie]')).toEqual([0, ''])
      // The record is fetched with the same key.
      await page.getByTestId('text-input').fill('Hello')
      await page.getByTestId('send').click()
      await page.getByTestId('waterfall').getByText('sentence 236').waitFor()
      expect(page.url()).not.toContain('sk-right')
    }))

  test('a lost line comes back by itself, and the new call is told from the old', () =>
    visit(quiet, { script: [writtenTurn, writtenTurn] }, async (page, server) => {
      await page.goto(`${server.url}/?autostart=1`)
      await page.locator('[data-state=listening]').waitFor()
      await page.getByTestId('text-input').fill('One')
      await page.getByTestId('send').click()
      await page.getByTestId('turn').getByTestId('waterfall').waitFor()
      server.drop()
      await server.event('session.update', 2)
      await page.getByTestId('text-input').fill('Two')
      await page.getByTestId('send').click()
      await page.getByText('A new call').waitFor()
      await page.getByTestId('turn').nth(1).getByTestId('waterfall').waitFor()
      const states = await page.evaluate<string[]>('states')
      expect(inOrder(states, ['listening', 'reconnecting', 'listening'])).toBe(true)
    }))

  test('writing interrupts too, and needs no microphone', () =>
    visit(quiet, { script: [longAnswer, writtenTurn] }, async (page, server) => {
      await page.addInitScript(NO_MICROPHONE)
      await page.goto(server.url)
      await page.getByTestId('connect').click()
      await page.getByText('No microphone').waitFor()
      await page.getByTestId('text-input').fill('Tell me everything')
      await page.keyboard.press('Enter')
      await page.locator('[data-state=speaking]').waitFor()
      await page.getByTestId('text-input').fill('Stop. Friday?')
      await page.keyboard.press('Enter')
      await server.event('response.create', 2)
      // What was heard is told before the new answer is asked for, so that its prompt is right.
      expect(server.events.slice(-3).map((event) => event.type)).toEqual([
        'conversation.item.truncate',
        'conversation.item.create',
        'response.create',
      ])
      await page.getByTestId('turn').first().getByTestId('unheard').waitFor()
      await page.getByTestId('turn').nth(1).getByTestId('heard').waitFor()
      expect(server.heard).toHaveLength(0)
    }))

  test('muted, silence is sent; hung up, nothing is', () =>
    visit([{ toneMs: 60_000 }], { script: [] }, async (page, server) => {
      const loud = (samples: Int16Array) => samples.some((sample) => Math.abs(sample) > 1500)
      await page.goto(server.url)
      expect(await page.getByTestId('mute').isDisabled()).toBe(true)
      await page.getByTestId('connect').click()
      await server.audio(loud)
      await expect
        .poll(() => page.evaluate<number>('document.querySelector("meter").value'))
        .toBeGreaterThan(20)
      await page.getByTestId('mute').click()
      await server.audio((samples) => samples.every((sample) => sample === 0))
      expect(await page.getByTestId('mute').getAttribute('aria-pressed')).toBe('true')
      await page.getByTestId('mute').click()
      await server.audio(loud)
      await page.getByTestId('connect').click()
      await page.locator('[data-state=idle]').waitFor()
      await expect.poll(() => server.connections()).toBe(0)
      expect(await page.getByTestId('connect').textContent()).toBe('Start talking')
    }))

  test('everything can be reached by keyboard, in the order it is read', () =>
    visit(quiet, { script: [] }, async (page, server) => {
      await page.goto(server.url)
      const order: string[] = []
      for (let i = 0; i < 4; i++) {
        await page.keyboard.press('Tab')
        order.push(await page.evaluate<string>('document.activeElement.dataset.testid ?? "skip"'))
      }
      expect(order).toEqual(['skip', 'connect', 'text-input', 'send'])
      for (const role of ['banner', 'main', 'region'] as const)
        expect(await page.getByRole(role).count()).toBe(1)
      expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Parley')
      expect(await page.getByLabel('Write instead of speaking').count()).toBe(1)
    }))
})

/** Text, since it runs in the page and is no business of Node's types: keeps every state the page shows. */
const RECORD_STATES = `
  window.states = []
  new MutationObserver(() => {
    const state = document.querySelector('[data-testid=state]')?.dataset.state
    if (state && state !== states.at(-1)) states.push(state)
  }).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ['data-state'] })
`

const NO_MICROPHONE = `
  navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('no', 'NotAllowedError') }
`

function inOrder(all: readonly string[], wanted: readonly string[]): boolean {
  let next = 0
  for (const each of all) if (each === wanted[next]) next++
  return next === wanted.length
}

/** Of the first half second of sound: a resampler that is wrong by a little is off by more than the rounding. */
function frequency(chunks: readonly Int16Array[]): number {
  const samples = chunks.flatMap((chunk) => [...chunk])
  const start = samples.findIndex((sample) => Math.abs(sample) > 1500) + 2400
  const part = samples.slice(start, start + 12_000)
  const rises = part.flatMap((sample, i) => (i > 0 && sample >= 0 && part[i - 1]! < 0 ? [i] : []))
  // The middle half: where a busy machine's fake microphone skips, one period is longer or shorter than it was.
  const periods = rises.slice(1).map((at, i) => at - rises[i]!)
  const middle = periods.sort((a, b) => a - b).slice(periods.length / 4, (periods.length * 3) / 4)
  return (24_000 * middle.length) / middle.reduce((sum, period) => sum + period, 0)
}
