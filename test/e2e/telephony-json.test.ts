/**
 * SignalWire, Telnyx, Plivo, Exotel and Bandwidth through the whole server, over real sockets: the bridge asks what to do with a
 * call, proves itself, is told where to stream to, and streams there with what it was given and nothing else.
 */
import { generateKeyPairSync, sign } from 'node:crypto'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { MULAW_8K, PCM16_24K } from '../../src/audio/format.ts'
import { realClock } from '../../src/clock.ts'
import { bandwidthPhone } from '../../src/testing/telephony/bandwidth.ts'
import { dialWebSocket } from '../../src/testing/telephony/dial.ts'
import type { PhoneDialect } from '../../src/testing/telephony/dialect.ts'
import { exotelPhone } from '../../src/testing/telephony/exotel.ts'
import { Phone } from '../../src/testing/telephony/phone.ts'
import { plivoPhone } from '../../src/testing/telephony/plivo.ts'
import { signalWirePhone } from '../../src/testing/telephony/signalwire.ts'
import { telnyxPhone } from '../../src/testing/telephony/telnyx.ts'
import { plivoSignature } from '../../src/wire/telephony/bridges/plivo/signature.ts'
import { twilioSignature } from '../../src/wire/telephony/bridges/twilio/signature.ts'
import { FakeLlm } from '../support/stages.ts'
import { type RunningApp, startApp } from './app.ts'
import { closeEmbedded, convert, spoken } from './embedded.ts'

const PUBLIC = 'https://voice.example.com'
const ANSWER = 'The train to London leaves at nine in the morning.'
const FROM = '+15005550001'

let server: RunningApp | undefined
const phones: Phone[] = []
afterEach(async () => {
  for (const phone of phones.splice(0)) phone.smash()
  await server?.close()
  server = undefined
})
afterAll(closeEmbedded)

const { publicKey, privateKey } = generateKeyPairSync('ed25519')
const telnyxKey = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('base64')

/** What a bridge asks with, and what it makes of the answer. */
interface Story {
  readonly setting: string
  readonly asks: { readonly path: string; readonly body?: string; readonly headers?: Record<string, string> }
  readonly dialect: (document: string) => PhoneDialect
  readonly parameters: (document: string) => Record<string, string>
}

const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
const elements = (document: string, name: string) =>
  Object.fromEntries(
    [...document.matchAll(new RegExp(`<${name} name="(.*?)" value="(.*?)"/>`, 'g'))].map(([, n, v]) => [
      n,
      v,
    ]),
  ) as Record<string, string>

function stories(): Record<string, Story> {
  const twilioFields = { CallSid: 'C1', From: FROM, To: '+15005550002' }
  const plivoFields = { CallUUID: 'C1', From: FROM, To: '15005550002' }
  const seconds = String(Math.floor(realClock.wallMs() / 1_000))
  const telnyxBody = new URLSearchParams(twilioFields).toString()
  const basic = `Basic ${Buffer.from('parley:secret-of-bandwidth').toString('base64')}`
  return {
    signalwire: {
      setting: 'authToken: key-of-signalwire, token: bearer-of-signalwire, codec: L16@24000h',
      asks: {
        path: '/v1/telephony/signalwire/voice',
        body: new URLSearchParams(twilioFields).toString(),
        headers: {
          ...FORM,
          'x-signalwire-signature': twilioSignature(
            'key-of-signalwire',
            `${PUBLIC}/v1/telephony/signalwire/voice`,
            twilioFields,
          ),
        },
      },
      dialect: (document) =>
        signalWirePhone({
          codec: 'L16@24000h',
          bearerToken: /authBearerToken="(.*?)"/.exec(document)![1]!,
        }),
      parameters: (document) => elements(document, 'Parameter'),
    },
    telnyx: {
      setting: `publicKey: ${telnyxKey}, codec: L16, sampleRate: 16000`,
      asks: {
        path: '/v1/telephony/telnyx/voice',
        body: telnyxBody,
        headers: {
          ...FORM,
          'telnyx-timestamp': seconds,
          'telnyx-signature-ed25519': sign(
            null,
            Buffer.from(`${seconds}|${telnyxBody}`),
            privateKey,
          ).toString('base64'),
        },
      },
      dialect: () => telnyxPhone({ input: 'PCMA', output: 'L16@16000' }),
      parameters: (document) => elements(document, 'Parameter'),
    },
    plivo: {
      setting: 'authToken: token-of-plivo',
      asks: {
        path: '/v1/telephony/plivo/voice',
        body: new URLSearchParams(plivoFields).toString(),
        headers: {
          ...FORM,
          'x-plivo-signature-v3': plivoSignature(
            'token-of-plivo',
            `${PUBLIC}/v1/telephony/plivo/voice`,
            'nonce',
            plivoFields,
          ),
          'x-plivo-signature-v3-nonce': 'nonce',
        },
      },
      dialect: () => plivoPhone(),
      parameters: (document) =>
        Object.fromEntries(
          /extraHeaders="(.*?)"/
            .exec(document)![1]!
            .split(',')
            .map((pair) => pair.split('=')),
        ),
    },
    exotel: {
      setting: 'token: the-token-of-exotel',
      asks: {
        path: `/v1/telephony/exotel/voice/the-token-of-exotel?CallSid=C1&CallFrom=${encodeURIComponent(FROM)}&CallTo=0918`,
      },
      dialect: () => exotelPhone(),
      parameters: (document) => Object.fromEntries(new URL(JSON.parse(document).url).searchParams),
    },
    bandwidth: {
      setting: 'username: parley, password: secret-of-bandwidth, codec: pcm',
      asks: {
        path: '/v1/telephony/bandwidth/voice',
        body: JSON.stringify({ eventType: 'initiate', callId: 'C1', from: FROM, to: '+15005550002' }),
        headers: { 'content-type': 'application/json', authorization: basic },
      },
      dialect: (document) =>
        bandwidthPhone({
          output: 'pcm',
          user: /destinationUsername="(.*?)"/.exec(document)![1]!,
          password: /destinationPassword="(.*?)"/.exec(document)![1]!,
        }),
      parameters: (document) => elements(document, 'StreamParam'),
    },
  }
}

async function serve(name: string, { setting }: Story): Promise<RunningApp> {
  server = await startApp({
    key: 'pk-for-tests-only-0000',
    publicUrl: PUBLIC,
    llm: new FakeLlm({ answer: () => ANSWER, firstTokenMs: 20 }),
    settings: `telephony: { ${name}: { key: tester, ${setting} } }`,
  })
  return server
}

function ask(running: RunningApp, { path, body, headers }: Story['asks']): Promise<Response> {
  return fetch(running.url + path, {
    ...(body === undefined ? {} : { method: 'POST', body }),
    headers: headers ?? {},
  })
}

function phone(running: RunningApp, name: string, dialect: PhoneDialect, parameters: Record<string, string>) {
  const url = `ws://127.0.0.1:${running.port}/v1/telephony/${name}`
  const made = new Phone({ clock: realClock, dialect, dial: dialWebSocket, url, call: { parameters } })
  phones.push(made)
  return made
}

async function until(done: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await done())) await new Promise<void>((resolve) => realClock.setTimer(20, resolve))
}

describe.each(Object.entries(stories()))('%s', (name, story) => {
  test('asks, is told, streams, and its caller is answered', async () => {
    const running = await serve(name, story)
    const response = await ask(running, story.asks)
    expect(response.status).toBe(200)
    const document = await response.text()
    const parameters = story.parameters(document)
    const caller = phone(running, name, story.dialect(document), parameters)
    caller.call()
    if (name === 'bandwidth')
      caller.say(convert(await spoken('When does the train leave?'), PCM16_24K, MULAW_8K))
    else {
      await until(() => caller.state === 'live')
      caller.press('42#')
    }
    await until(async () => (await running.turns()).some(({ heard }) => heard?.text === ANSWER))
    expect(caller.record.mistakes).toEqual([])
    expect(caller.playback.underruns).toBe(0)
    expect(caller.playback.heardMs).toBeGreaterThan(1_500)
    expect((await running.turns())[0]).toMatchObject({ wire: name, keyId: 'tester' })
    caller.hangUp()
    await until(() => running.app.host.size === 0)
  })

  test('whose request is not its own is refused, and so is a stream without what it was given', async () => {
    const running = await serve(name, story)
    const { headers: _proof, ...bare } = story.asks
    const unproved = { ...bare, path: bare.path.replace('/the-token-of-exotel', '') }
    expect((await ask(running, unproved)).status).toBe(401)
    const plain = { signalwire: signalWirePhone(), telnyx: telnyxPhone(), plivo: plivoPhone() } as Record<
      string,
      PhoneDialect
    >
    const stranger = phone(
      running,
      name,
      plain[name] ?? (name === 'exotel' ? exotelPhone() : bandwidthPhone()),
      {},
    )
    stranger.call()
    await until(() => stranger.record.closes.length > 0)
    expect(running.app.host.size).toBe(0)
    expect(stranger.playback.heardMs).toBe(0)
  })
})
