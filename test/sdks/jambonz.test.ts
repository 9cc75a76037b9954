/** jambonz' own library against ours: the schema takes our verbs, and its check of signatures agrees with ours. */
import { createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { jambonz } from '../../src/wire/telephony/bridges/jambonz/index.ts'
import { jambonzSignatureHolds } from '../../src/wire/telephony/bridges/jambonz/signature.ts'
import { settingOf } from '../wire/telephony/setting.ts'
import { describeSdk, loadSdk } from './installed.ts'

interface Schema {
  readonly default: { validateApp(app: unknown): { valid: boolean; errors: readonly object[] } }
}

interface Sdk {
  readonly WebhookResponse: {
    verifySignature(
      secret: string,
    ): (request: { headers: object; body: string }, response: null, next: (error?: Error) => void) => void
  }
}

const TARGET = { url: 'wss://voice.example.com/v1/telephony/jambonz', parameters: { parleyToken: 't' } }

describeSdk('@jambonz/schema', () => {
  test('our verbs are its', async () => {
    const { validateApp } = (await loadSdk<Schema>('@jambonz/schema')).default
    const { webhook } = jambonz(settingOf('jambonz', { username: 'u', password: 'p' }))
    const answers = [webhook!.answer(TARGET), webhook!.refuse('busy'), webhook!.refuse('failed')]
    for (const { body } of answers)
      expect(validateApp(JSON.parse(body))).toMatchObject({ valid: true, errors: [] })
    expect(validateApp([{ verb: 'listen' }])).toMatchObject({ valid: false })
  })
})

describeSdk('@jambonz/sdk', () => {
  const body = '{"call_sid":"c-1"}'
  const now = Math.floor(Date.now() / 1_000)
  const headerOf = (secret: string, seconds: number) =>
    `t=${seconds},v1=${createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')}`

  test.each([
    ['a right one', headerOf('secret', now), true],
    ['one of another secret', headerOf('guess', now), false],
    ['an old one', headerOf('secret', now - 400), false],
    ['half of one', 't=1', false],
  ])('%s', async (_, header, right) => {
    const { WebhookResponse } = await loadSdk<Sdk>('@jambonz/sdk')
    const theirs = await new Promise<Error | undefined>((resolve) =>
      WebhookResponse.verifySignature('secret')(
        { headers: { 'jambonz-signature': header }, body },
        null,
        resolve,
      ),
    )
    expect(theirs === undefined).toBe(right)
    const signed = { header, body: Buffer.from(body), receivedAtMs: now * 1_000 }
    expect(jambonzSignatureHolds('secret', signed)).toBe(right)
  })
})
