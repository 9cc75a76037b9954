/** A person at the page, in Chromium, their voice a WAV file for a microphone: the whole way from sound to sound. */
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chromiumPath, openBrowser, SKIPPED, type Voice } from '../console/browser.ts'
import { type BuiltPage, buildPage } from '../console/built-page.ts'
import { type RunningApp, startApp } from './app.ts'
import { at48k, closeEmbedded, human, spoken } from './embedded.ts'

if (!chromiumPath) console.warn(SKIPPED)

/** Set to a folder to look at what the page looked like. */
const PICTURES = process.env['PICTURES']

describe.skipIf(!chromiumPath)(chromiumPath ? 'the page and the server' : SKIPPED, () => {
  let built: BuiltPage
  let server: RunningApp
  beforeAll(async () => {
    built = await buildPage()
    server = await startApp({ deps: { consoleRoot: built.root } })
  })
  afterAll(async () => {
    await server.close()
    await closeEmbedded()
    await built.remove()
  })

  async function visit(spokenThere: readonly Voice[], story: (page: Page) => Promise<void>): Promise<void> {
    const browser = await openBrowser(spokenThere)
    const page = await browser.context.newPage()
    try {
      page.setDefaultTimeout(40_000)
      const complaints: string[] = []
      page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
      page.on('pageerror', (error) => complaints.push(String(error)))
      await page.addInitScript(KEEP_WORDS)
      await page.goto(`${server.url}/?autostart=1`)
      await story(page)
      expect(complaints).toEqual([])
    } finally {
      await picture(page, 'end')
      await browser.close()
    }
  }

  test('asks for a story, speaks into it, and sees where it was cut', async () => {
    const question = at48k(
      await spoken('I would like to hear a long and beautiful story about the sea, please.'),
    )
    const interruption = at48k(await human('seven-of-clubs'))
    await visit(
      [{ silentMs: 1_000, clip: question }, { silentMs: 7_000, clip: interruption }, { silentMs: 60_000 }],
      async (page) => {
        const turn = (n: number) => page.getByTestId('turn').nth(n)
        const state = (name: string) => page.locator(`[data-testid=state][data-state=${name}]`)
        await state('hearing').waitFor()
        await picture(page, 'hearing')
        await state('speaking').waitFor()
        expect(await turn(0).getByTestId('transcript-user').textContent()).toMatch(/story about the sea/i)
        // Words are there before the sentence has ended.
        const early = await page.evaluate<string[]>('wordsWhileHearing')
        expect(early.at(-1)).toMatch(/^I would like/i)
        await picture(page, 'speaking')

        await state('interrupted').waitFor()
        await picture(page, 'interrupted')
        const unheard = turn(0).getByTestId('unheard')
        await unheard.waitFor()
        await state('speaking').waitFor()
        expect(await turn(1).getByTestId('transcript-user').textContent()).toMatch(/seven of clubs/i)
        await state('listening').waitFor()
        await picture(page, 'after')
        await page.emulateMedia({ colorScheme: 'dark' })
        await picture(page, 'dark')
        expect(await turn(1).getByTestId('heard').textContent()).toMatch(/You said: seven of clubs/i)

        const heard = (await turn(0).getByTestId('heard').textContent()) ?? ''
        expect(heard).toMatch(/^Gladly\. Once upon a time there was a lighthouse keeper/)
        await turn(0)
          .getByRole('button', { name: /more words/ })
          .click()
        expect(await unheard.textContent()).toMatch(/speaks with many voices\.$/)
        // The page, the record and the model's memory agree on what was heard.
        const record = (await server.turns()).find((one) => /story/i.test(one.text.user ?? ''))!
        expect(record.heard).toMatchObject({ interrupted: true })
        expect(record.heard!.text.trim()).toBe(heard.trim())
        const remembered = server.prompts.at(-1)!.messages.find(({ role }) => role === 'assistant')!.text
        expect(remembered).toContain(heard.trim())
        expect(remembered).not.toContain('many voices')
        for (const n of [0, 1]) {
          const fall = turn(n).getByTestId('waterfall')
          expect(await fall.textContent()).toMatch(/first audio|sent/i)
        }
      },
    )
  })
})

async function picture(page: Page, name: string): Promise<void> {
  if (PICTURES) await page.screenshot({ path: `${PICTURES}/${name}.png` })
}

/** Text, since it runs in the page: keeps what was shown of the caller's words while the caller still spoke. */
const KEEP_WORDS = `
  window.wordsWhileHearing = []
  new MutationObserver(() => {
    const state = document.querySelector('[data-testid=state]')?.dataset.state
    const words = [...document.querySelectorAll('[data-testid=transcript-user]')].at(-1)?.textContent
    if (state === 'hearing' && words && words !== wordsWhileHearing.at(-1)) wordsWhileHearing.push(words)
  }).observe(document, { subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: ['data-state'] })
`
