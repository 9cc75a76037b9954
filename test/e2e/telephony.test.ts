/** A telephone call through the whole server, over real sockets, with the embedded models: a bridge's double calls, and speaks. */
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { MULAW_8K, PCM16_24K } from '../../src/audio/format.ts'
import { realClock } from '../../src/clock.ts'
import { dialWebSocket } from '../../src/testing/telephony/dial.ts'
import { Phone, type PhoneOptions } from '../../src/testing/telephony/phone.ts'
import { twilioPhone } from '../../src/testing/telephony/twilio.ts'
import { twilioSignature } from '../../src/wire/telephony/twilio/signature.ts'
import { FakeLlm } from '../support/stages.ts'
import { type RunningApp, type StartOptions, startApp } from './app.ts'
import { closeEmbedded, convert, readBack, spoken } from './embedded.ts'

const TOKEN = 'twilio-auth-token-for-tests'
const PUBLIC = 'https://voice.example.com'
const STREAM = 'wss://voice.example.com/v1/telephony/twilio'
const KEY = 'pk-for-tests-only-0000'
const ANSWER = 'The train to London leaves at nine in the morning.'

let server: RunningApp | undefined
const phones: Phone[] = []
afterEach(async () => {
  for (const phone of phones.splice(0)) phone.smash()
  await server?.close()
  server = undefined
})
afterAll(closeEmbedded)

async function serve(options: StartOptions = {}): Promise<RunningApp> {
  server = await startApp({
    key: KEY,
    llm: new FakeLlm({ answer: () => ANSWER, firstTokenMs: 20 }),
    settings: `telephony: { twilio: { authToken: ${TOKEN}, key: tester } }`,
    ...options,
  })
  return server
}

function phone(running: RunningApp, options: Partial<PhoneOptions> = {}): Phone {
  const made = new Phone({
    clock: realClock,
    dialect: twilioPhone({ authToken: TOKEN, signedUrl: STREAM }),
    dial: dialWebSocket,
    url: `ws://127.0.0.1:${running.port}/v1/telephony/twilio`,
    ...options,
  })
  phones.push(made)
  return made
}

/** Asked every 20 ms of real time, as the sound moves on. */
async function until(done: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await done())) await new Promise<void>((resolve) => realClock.setTimer(20, resolve))
}

describe('a call', () => {
  test('is answered by voice, heard whole, and on record with its facts', async () => {
    const running = await serve({ publicUrl: PUBLIC })
    const caller = phone(running, {
      call: { from: '+4930111', parameters: { from: '+4930111', tenant: 'acme' } },
    })
    caller.call()
    caller.say(convert(await spoken('When does the train to London leave?'), PCM16_24K, MULAW_8K))
    await until(async () => (await running.turns()).some(({ heard }) => heard?.text === ANSWER))
    const heard = caller.playback.heard
    expect(await readBack(convert(heard, MULAW_8K, PCM16_24K))).toMatch(/train to london leaves/i)
    const [turn] = await running.turns()
    expect(turn).toMatchObject({ wire: 'twilio', text: { said: ANSWER } })
    expect(turn?.text?.user).toMatch(/train/i)
    expect(caller.record.mistakes).toEqual([])
    expect(caller.playback.underruns).toBe(0)
    caller.hangUp()
    await until(() => running.app.host.size === 0)
  })
})

describe('who is no bridge', () => {
  test.each([
    ['without a signature', twilioPhone()],
    ['with another account’s signature', twilioPhone({ authToken: 'another', signedUrl: STREAM })],
    ['with a signature of another address', twilioPhone({ authToken: TOKEN, signedUrl: `${STREAM}?x=1` })],
  ])('%s is refused before the upgrade', async (_name, dialect) => {
    const running = await serve({ publicUrl: PUBLIC })
    const stranger = phone(running, { dialect })
    stranger.call()
    await until(() => stranger.record.closes.length > 0)
    expect(stranger.record.closes[0]).toMatchObject({ code: 1006, status: 401 })
    expect(running.app.host.size).toBe(0)
  })

  test('a bridge that the settings do not name is not there', async () => {
    const running = await serve({ publicUrl: PUBLIC })
    const response = await fetch(`${running.url}/v1/telephony/plivo`)
    expect(response.status).toBe(404)
    expect(await response.json()).toMatchObject({ error: { code: 'not_found' } })
  })
})

describe('the webhook for an incoming call', () => {
  const fields = { CallSid: `CA${'1'.repeat(32)}`, From: '+4930111', To: '+4930222' }
  const path = '/v1/telephony/twilio/voice?pipeline=guide&tenant=acme%20%26%20co'
  const ask = (running: RunningApp, signature?: string) =>
    fetch(running.url + path, {
      method: 'POST',
      headers: signature === undefined ? {} : { 'x-twilio-signature': signature },
      body: new URLSearchParams(fields),
    })

  test('is answered with TwiML that names the stream, the call’s facts and a one-time token', async () => {
    const running = await serve({ publicUrl: PUBLIC })
    const response = await ask(running, twilioSignature(TOKEN, PUBLIC + path, fields))
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toMatch(/xml/)
    const twiml = await response.text()
    expect(twiml).toContain(`<Connect><Stream url="${STREAM}">`)
    expect(twiml).toContain('<Parameter name="tenant" value="acme &amp; co"/>')
    expect(twiml).toContain('<Parameter name="from" value="+4930111"/>')
    expect(twiml).toMatch(/<Parameter name="parleyToken" value="[\w-]{32}"\/>/)
  })

  test('refuses who does not sign, or signs something else', async () => {
    const running = await serve({ publicUrl: PUBLIC })
    expect((await ask(running)).status).toBe(401)
    const other = twilioSignature(TOKEN, PUBLIC + path, { ...fields, From: '+4930999' })
    expect((await ask(running, other)).status).toBe(401)
  })
})
