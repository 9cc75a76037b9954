/** A telephone call through the whole server, over real sockets, with the embedded models: a bridge's double calls, and speaks. */

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { MULAW_8K, PCM16_24K } from '../../src/audio/format.ts'
import { realClock } from '../../src/clock.ts'
import { serveHttpDouble } from '../../src/testing/carrier/http.ts'
import { dialWebSocket } from '../../src/testing/telephony/dial.ts'
import { Phone, type PhoneOptions } from '../../src/testing/telephony/phone.ts'
import {
  FakeCallResource,
  SIGNALWIRE,
  TWILIO_SID,
  TWILIO_TOKEN,
} from '../../src/testing/telephony/rest/twilio.ts'
import { signalWirePhone } from '../../src/testing/telephony/signalwire.ts'
import { twilioPhone } from '../../src/testing/telephony/twilio.ts'
import { twilioSignature } from '../../src/wire/telephony/bridges/twilio/signature.ts'
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

test('a key that is pressed is told at once to who watches with the key, and is in the record of the turn', async () => {
  const running = await serve({
    publicUrl: PUBLIC,
    pipeline: 'greeting: Please enter your code.\ndtmf: { as: events }\n',
  })
  const watch = (secret: string) =>
    fetch(`${running.url}/v1/calls/events`, { headers: { authorization: `Bearer ${secret}` } })
  expect((await watch('another-key-entirely')).status).toBe(401)
  const stream = (await watch(KEY)).body!.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  const told = async (what: string) => {
    while (!text.includes(what)) text += (await stream.read()).value ?? ''
  }
  const caller = phone(running)
  caller.call()
  await told('event: call.started')
  await until(async () => (await running.turns()).length > 0)
  caller.press('4')
  await told('"digit":"4"')
  caller.hangUp()
  await told('"why":"caller"')
  const turns = await running.turns()
  expect(turns.map(({ keys, text }) => [keys?.map(({ digit }) => digit), text.user])).toEqual([[['4'], null]])
  // The server goes away, and who watches with it.
  await running.close()
  server = undefined
  while (!(await stream.read()).done);
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

describe('calls of ours', () => {
  const rest = new FakeCallResource()
  let http: Awaited<ReturnType<typeof serveHttpDouble>>
  beforeAll(async () => {
    http = await serveHttpDouble(rest.server)
  })
  afterAll(() => http.close())

  const start = (llm: FakeLlm) =>
    serve({
      publicUrl: PUBLIC,
      llm,
      settings: `telephony: { twilio: { authToken: ${TWILIO_TOKEN}, accountSid: ${TWILIO_SID}, baseUrl: '${http.url}', key: tester, from: '+4930222', dial: ['+49'] } }`,
      pipeline: 'call: { hangUp: true }\n',
    })
  const api = (running: RunningApp, method: string, path: string, body?: object) =>
    fetch(`${running.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${KEY}`, ...(body ? { 'content-type': 'application/json' } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
    })

  test('is placed, spoken, and ended by the model once its goodbye was heard', async () => {
    const goodbye = new FakeLlm({
      answer: ({ messages }) =>
        messages.at(-1)?.role === 'tool'
          ? 'Goodbye and thank you.'
          : [
              { type: 'toolCall', call: { callId: 'c1', name: 'hang_up', arguments: '{}' } },
              { type: 'finish', reason: 'tool_calls' },
            ],
      firstTokenMs: 20,
    })
    const running = await start(goodbye)
    const placed = await api(running, 'POST', '/v1/calls', { to: '+4930111', parameters: { order: '7' } })
    const call = (await placed.json()) as { id: string }
    expect(placed.status, JSON.stringify(call)).toBe(201)
    expect(call).toMatchObject({ bridge: 'twilio', from: '+4930222', to: '+4930111', state: 'dialing' })
    const [callId = '', made] = [...rest.calls].at(-1) ?? []
    const twiml = String(made?.placedWith)
    expect(twiml).toContain('<Parameter name="order" value="7"/>')
    const dialect = twilioPhone({ authToken: TWILIO_TOKEN, signedUrl: STREAM })
    const callee = phone(running, {
      dialect,
      call: { callId, parameters: { from: '+4930222', to: '+4930111' } },
    })
    callee.call()
    callee.say(convert(await spoken('That is all, thank you, goodbye.'), PCM16_24K, MULAW_8K))
    await until(async () => {
      const { data } = (await (await api(running, 'GET', '/v1/calls')).json()) as { data: unknown[] }
      return data.length === 1
    })
    await until(() => made?.state === 'over')
    // Nothing of the goodbye was cut off.
    const [turn] = await running.turns()
    expect(turn?.heard).toMatchObject({ text: 'Goodbye and thank you.', interrupted: false })
    await until(() => callee.record.closes.length > 0)
    expect(rest.mistakes).toEqual([])
    expect(running.app.host.size).toBe(0)
  })

  test('is sent where the pipeline says, by a document that is given once', async () => {
    const signalwire = new FakeCallResource(SIGNALWIRE)
    const own = await serveHttpDouble(signalwire.server)
    const asks = new FakeLlm({
      answer: ({ messages }) =>
        messages.at(-1)?.role === 'tool'
          ? 'One moment.'
          : [
              {
                type: 'toolCall',
                call: { callId: 'c1', name: 'transfer_call', arguments: '{"destination":"sales"}' },
              },
              { type: 'finish', reason: 'tool_calls' },
            ],
      firstTokenMs: 20,
    })
    const running = await serve({
      publicUrl: PUBLIC,
      llm: asks,
      settings: `telephony: { signalwire: { token: a-token-of-the-operator, space: example.signalwire.com, projectId: ${SIGNALWIRE.account}, apiToken: ${SIGNALWIRE.password}, baseUrl: '${own.url}/api/laml', key: tester } }`,
      pipeline: 'call: { transfer: { sales: "+4930999" } }\n',
    })
    const { id: callId } = signalwire.place(
      { to: '+4930222', from: '+4930111', placedWith: '' },
      () => `CA${'1'.repeat(32)}`,
    )
    const url = `ws://127.0.0.1:${running.port}/v1/telephony/signalwire/a-token-of-the-operator`
    const caller = phone(running, { dialect: signalWirePhone(), url, call: { callId } })
    caller.call()
    caller.say(convert(await spoken('Please let me speak to sales.'), PCM16_24K, MULAW_8K))
    const call = signalwire.calls.get(callId)
    await until(() => call?.transferredTo !== undefined)
    const address = new URL(call!.transferredTo!)
    expect(address.origin).toBe(PUBLIC)
    const ask = () => fetch(`${running.url}${address.pathname}${address.search}`, { method: 'POST' })
    expect(await (await ask()).text()).toContain('<Dial><Number>+4930999</Number></Dial>')
    expect((await ask()).status).toBe(401)
    expect(signalwire.mistakes).toEqual([])
    await own.close()
  })

  test('is refused where the number, the key or the request is not right', async () => {
    const running = await start(new FakeLlm())
    const code = async (response: Response) => [
      response.status,
      ((await response.json()) as { error: { code: string } }).error.code,
    ]
    expect(await code(await api(running, 'POST', '/v1/calls', { to: '+3312345678' }))).toEqual([
      403,
      'dial_not_allowed',
    ])
    expect(await code(await api(running, 'POST', '/v1/calls', { to: '030 111' }))).toEqual([
      400,
      'invalid_value',
    ])
    expect(await code(await api(running, 'POST', '/v1/calls', {}))).toEqual([
      400,
      'missing_required_parameter',
    ])
    expect(await code(await api(running, 'DELETE', '/v1/calls/twilio/CA1'))).toEqual([404, 'not_found'])
    rest.fault = 'drop'
    expect(await code(await api(running, 'POST', '/v1/calls', { to: '+4930111' }))).toEqual([
      502,
      'call_failed',
    ])
    const stranger = await fetch(`${running.url}/v1/calls`, { method: 'POST' })
    expect(stranger.status).toBe(401)
  })
})

test('a stream on the path that all bridges may use is the bridge that its start is', async () => {
  const running = await serve({
    settings: 'telephony: { twilio: { token: a-token-of-the-operator, key: tester } }',
  })
  const url = (token: string) => `ws://127.0.0.1:${running.port}/v1/telephony/any/${token}`
  const caller = phone(running, { dialect: twilioPhone(), url: url('a-token-of-the-operator') })
  caller.call()
  await until(() => running.app.host.size === 1)
  caller.hangUp()
  await until(() => running.app.host.size === 0)
  const stranger = phone(running, { dialect: twilioPhone(), url: url('another-token-entirely') })
  stranger.call()
  await until(() => stranger.record.closes.length > 0)
  expect(stranger.record.closes[0]).toMatchObject({ code: 1008 })
})

describe('a stranger who sends much before anything is proved', () => {
  test.each(['telnyx', 'any'])('is cut at %s, whatever a message may be long', async (path) => {
    const running = await serve({ settings: 'telephony: { telnyx: { key: tester } }' })
    const socket = new WebSocket(`ws://127.0.0.1:${running.port}/v1/telephony/${path}`)
    await new Promise((resolve) => socket.once('open', resolve))
    const closed = new Promise<number>((resolve) => socket.once('close', resolve))
    socket.on('error', () => {})
    // The beginning of one message of 20 MB.
    const send = () => socket.send('A'.repeat(64 * 1024), { fin: false }, (error) => !error && send())
    send()
    expect(await closed).toBe(1006)
    expect(running.app.host.size).toBe(0)
  })
})
