/** Bridges with binary sound through the whole server, over real sockets: their proofs, subprotocols and webhooks as they are. */
import { createHash, createHmac } from 'node:crypto'
import { afterAll, afterEach, expect, test } from 'vitest'
import { type AudioFormat, PCM16_24K } from '../../src/audio/format.ts'
import { realClock } from '../../src/clock.ts'
import { audiohookPhone } from '../../src/testing/telephony/audiohook.ts'
import { dialWebSocket } from '../../src/testing/telephony/dial.ts'
import type { PhoneDialect } from '../../src/testing/telephony/dialect.ts'
import { jambonzPhone } from '../../src/testing/telephony/jambonz.ts'
import { Phone, type PhoneOptions } from '../../src/testing/telephony/phone.ts'
import { vonagePhone } from '../../src/testing/telephony/vonage.ts'
import { FakeLlm } from '../support/stages.ts'
import { type RunningApp, startApp } from './app.ts'
import { closeEmbedded, convert, readBack, spoken } from './embedded.ts'

const PUBLIC = 'https://voice.example.com'
const ANSWER = 'The train to London leaves at nine in the morning.'
const API_KEY = 'an-api-key-of-genesys'
const CLIENT_SECRET = Buffer.from('a client secret').toString('base64')

let server: RunningApp | undefined
let caller: Phone | undefined
afterEach(async () => {
  caller?.smash()
  await server?.close()
  server = undefined
})
afterAll(closeEmbedded)

async function serve(bridge: string, setting: string): Promise<RunningApp> {
  server = await startApp({
    key: 'pk-for-tests-only-0000',
    publicUrl: PUBLIC,
    llm: new FakeLlm({ answer: () => ANSWER, firstTokenMs: 20 }),
    settings: `telephony: { ${bridge}: { ${setting}, key: tester } }`,
  })
  return server
}

function phone(running: RunningApp, dialect: PhoneDialect, call: PhoneOptions['call'] = {}): Phone {
  const url = `ws://127.0.0.1:${running.port}/v1/telephony/${dialect.name}`
  caller = new Phone({ clock: realClock, dialect, dial: dialWebSocket, url, call })
  return caller
}

/** Asked every 20 ms of real time, as the sound moves on. */
async function until(done: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await done())) await new Promise<void>((resolve) => realClock.setTimer(20, resolve))
}

/** Asks, and hears the answer whole by the bridge's rules. */
async function converses(running: RunningApp, calling: Phone, format: AudioFormat): Promise<void> {
  calling.call()
  calling.say(convert(await spoken('When does the train to London leave?'), PCM16_24K, format))
  await until(async () => (await running.turns()).some(({ heard }) => heard?.text === ANSWER))
  expect(await readBack(convert(calling.playback.heard, format, PCM16_24K))).toMatch(
    /train to london leaves/i,
  )
  expect(calling.record.mistakes).toEqual([])
  expect(calling.playback.underruns).toBe(0)
  calling.hangUp()
  await until(() => running.app.host.size === 0)
}

test('Vonage asks its webhook, and the stream shows the token of the answer', async () => {
  const running = await serve('vonage', 'authToken: signature-secret')
  const body = JSON.stringify({ uuid: 'u1', from: '447700900000', to: '447700900001' })
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = {
    iat: Math.floor(realClock.wallMs() / 1_000),
    payload_hash: createHash('sha256').update(body).digest('hex'),
  }
  const head = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`
  const signature = createHmac('sha256', 'signature-secret').update(head).digest('base64url')
  const response = await fetch(`${running.url}/v1/telephony/vonage/voice`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${head}.${signature}` },
    body,
  })
  const [{ endpoint }] = (await response.json()) as [{ endpoint: [{ headers: Record<string, string> }] }]
  const parameters = endpoint[0].headers
  const dialect = vonagePhone({ sampleRateHz: 16_000 })
  await converses(running, phone(running, dialect, { parameters }), dialect.inputFormat)

  // The token was good once.
  const again = phone(running, dialect, { parameters })
  again.call()
  await until(() => again.record.closes.length > 0)
  expect(again.record.closes[0]).toMatchObject({ code: 1008 })
})

test('jambonz shows a name and a password, and has its subprotocol echoed', async () => {
  const running = await serve('jambonz', 'username: parley, password: a-password')
  const wsAuth = { username: 'parley', password: 'a-password' }
  const dialect = jambonzPhone({ sampleRateHz: 8_000, wsAuth })
  const calling = phone(running, dialect)
  await converses(running, calling, dialect.inputFormat)
  expect(calling.record.protocols).toEqual(['audio.jambonz.org'])
  expect(calling.record.marks.length).toBeGreaterThan(2)
})

test('AudioHook signs its upgrade; another’s signature is refused before it', async () => {
  const running = await serve('audiohook', `authToken: ${CLIENT_SECRET}, apiKey: ${API_KEY}`)
  const signing = {
    apiKey: API_KEY,
    clientSecret: CLIENT_SECRET,
    createdS: Math.floor(realClock.wallMs() / 1_000),
    signedUrl: 'wss://voice.example.com/v1/telephony/audiohook',
  }
  const stranger = phone(running, audiohookPhone({ ...signing, clientSecret: 'YW5vdGhlcg==' }))
  stranger.call()
  await until(() => stranger.record.closes.length > 0)
  expect(stranger.record.closes[0]).toMatchObject({ status: 401 })
  const dialect = audiohookPhone(signing)
  await converses(running, phone(running, dialect), dialect.inputFormat)
})
