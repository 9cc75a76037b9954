/** Calls that the server places, through the whole server: which pipeline speaks, and that the call is ended by its own id. */
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { realClock } from '../../src/clock.ts'
import { type ServedHttpDouble, serveHttpDouble } from '../../src/testing/carrier/http.ts'
import { dialWebSocket } from '../../src/testing/telephony/dial.ts'
import type { PhoneDialect } from '../../src/testing/telephony/dialect.ts'
import { Phone } from '../../src/testing/telephony/phone.ts'
import { FakePlivoRest, PLIVO_ID, PLIVO_TOKEN } from '../../src/testing/telephony/rest/plivo.ts'
import { FakeCallResource, TWILIO_SID, TWILIO_TOKEN } from '../../src/testing/telephony/rest/twilio.ts'
import { FakeVonageRest, VONAGE_APPLICATION } from '../../src/testing/telephony/rest/vonage.ts'
import { vonagePhone } from '../../src/testing/telephony/vonage.ts'
import { FakeLlm } from '../support/stages.ts'
import { type RunningApp, type StartOptions, startApp } from './app.ts'
import { closeEmbedded } from './embedded.ts'

const PUBLIC = 'https://voice.example.com'
const KEY = 'pk-for-tests-only-0000'
const CALLEE = '+4930111'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})
afterAll(closeEmbedded)

async function serve(telephony: string, options: StartOptions = {}): Promise<RunningApp> {
  const running = await startApp({
    key: KEY,
    publicUrl: PUBLIC,
    llm: new FakeLlm({ answer: () => 'Fine.', firstTokenMs: 20 }),
    settings: `telephony: { ${telephony} }`,
    ...options,
  })
  closing.push(() => running.close())
  return running
}

async function served(double: { readonly server: Parameters<typeof serveHttpDouble>[0] }) {
  const http: ServedHttpDouble = await serveHttpDouble(double.server)
  closing.push(() => http.close())
  return http.url
}

async function api(running: RunningApp, method: string, path: string, body?: object) {
  const answer = await fetch(`${running.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${KEY}`, ...(body ? { 'content-type': 'application/json' } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
  const text = await answer.text()
  return { status: answer.status, json: (text === '' ? null : JSON.parse(text)) as Record<string, unknown> }
}

/** The callee answers: the bridge streams to us with what its document said. */
function answers(
  running: RunningApp,
  dialect: PhoneDialect,
  call: { readonly callId?: string; readonly parameters: Readonly<Record<string, string>> },
): Phone {
  const url = `ws://127.0.0.1:${running.port}/v1/telephony/${dialect.name}`
  const phone = new Phone({ clock: realClock, dialect, dial: dialWebSocket, url, call })
  closing.push(() => phone.smash())
  phone.call()
  return phone
}

async function until(done: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await done())) await new Promise<void>((resolve) => realClock.setTimer(20, resolve))
}

describe('the pipeline that a call is placed with', () => {
  test('speaks where the stream is signed and so shows no token, and where the document is asked for', async () => {
    const [twilio, plivo] = [new FakeCallResource(), new FakePlivoRest()]
    const twilioAt = await served(twilio)
    const plivoAt = await served(plivo)
    const number = `key: tester, from: '+4930222', dial: ['+49']`
    const running = await serve(
      `twilio: { authToken: ${TWILIO_TOKEN}, accountSid: ${TWILIO_SID}, baseUrl: '${twilioAt}', ${number} },
       plivo: { authToken: ${PLIVO_TOKEN}, authId: ${PLIVO_ID}, baseUrl: '${plivoAt}/v1', ${number} }`,
    )
    const place = (bridge: string) =>
      api(running, 'POST', '/v1/calls', { to: CALLEE, bridge, pipeline: 'guide' })

    expect(await place('twilio')).toMatchObject({ status: 201 })
    const [call] = twilio.calls.values()
    expect(call?.placedWith).toContain('<Parameter name="pipeline" value="guide"/>')

    expect(await place('plivo')).toMatchObject({ status: 201 })
    const address = new URL(String([...plivo.calls.values()][0]?.placedWith))
    const asked = await fetch(`${running.url}${address.pathname}${address.search}`, { method: 'POST' })
    expect(await asked.text()).toMatch(/extraHeaders="[^"]*pipeline=guide/)
    expect([...twilio.mistakes, ...plivo.mistakes]).toEqual([])
  })

  test('must be there, or nobody is called', async () => {
    const twilio = new FakeCallResource()
    const running = await serve(
      `twilio: { authToken: ${TWILIO_TOKEN}, accountSid: ${TWILIO_SID}, baseUrl: '${await served(twilio)}', key: tester, from: '+4930222', dial: ['+49'] }`,
    )
    const { status, json } = await api(running, 'POST', '/v1/calls', { to: CALLEE, pipeline: 'nobody' })
    expect([status, json]).toMatchObject([400, { error: { code: 'invalid_value', param: 'pipeline' } }])
    expect(twilio.calls.size).toBe(0)
  })
})

describe('a call of Vonage’s, whose stream does not name it,', () => {
  const NUMBERS = `key: tester, from: '+4930222', dial: ['+49']`

  async function vonage(options: StartOptions = {}) {
    const rest = new FakeVonageRest(realClock)
    const running = await serve(
      `vonage: { token: a-token-of-the-operator, applicationId: ${VONAGE_APPLICATION}, privateKey: ${JSON.stringify(rest.privateKey)}, baseUrl: '${await served(rest)}', ${NUMBERS} }`,
      options,
    )
    return { rest, running }
  }

  /** What the bridge says on the socket of a document: its headers. */
  const headersOf = (endpoint: unknown) => (endpoint as { headers: Readonly<Record<string, string>> }).headers

  test('placed by us, has the id that the request was answered with: it is sent elsewhere and ended by it', async () => {
    const transfers = new FakeLlm({
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
    const { rest, running } = await vonage({
      llm: transfers,
      pipeline: 'call: { transfer: { sales: "+4930999" } }\n',
    })
    // Whoever places a call cannot give it the id of another one.
    const parameters = { callId: 'of-another-call' }
    const placed = await api(running, 'POST', '/v1/calls', { to: CALLEE, parameters })
    expect(placed).toMatchObject({ status: 201, json: { id: 'vonage/vonage-call-1' } })
    const call = rest.calls.get('vonage-call-1')!
    const callee = answers(running, vonagePhone(), { parameters: headersOf(call.placedWith) })
    await until(async () => {
      const { data } = (await api(running, 'GET', '/v1/calls')).json as { data: object[] }
      if (data.length > 0) expect(data).toMatchObject([{ id: 'vonage/vonage-call-1', state: 'connected' }])
      return data.length > 0
    })
    callee.press('1#')
    await until(() => call.transferredTo !== undefined)
    expect(call.transferredTo).toBe('4930999')
    expect(await api(running, 'DELETE', '/v1/calls/vonage/vonage-call-1')).toMatchObject({ status: 204 })
    await until(() => call.state === 'over' && callee.record.closes.length > 0)
    expect(rest.mistakes).toEqual([])
  })

  test('that came in, has the one that its webhook told: the document hands it on', async () => {
    const { rest, running } = await vonage()
    const incoming = { to: '4930222', from: '4930111', placedWith: '' }
    const call = rest.place(incoming, () => 'vonage-incoming')
    const asked = await fetch(`${running.url}/v1/telephony/vonage/voice/a-token-of-the-operator`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ uuid: call.id, conversation_uuid: 'CON-1', from: call.from, to: call.to }),
    })
    const [{ endpoint }] = (await asked.json()) as [{ endpoint: [unknown] }]
    const caller = answers(running, vonagePhone(), { parameters: headersOf(endpoint[0]) })
    await until(() => running.app.host.size === 1)
    await api(running, 'DELETE', '/v1/calls/vonage/vonage-incoming')
    await until(() => call.state === 'over' && caller.record.closes.length > 0)
    expect(rest.mistakes).toEqual([])
  })
})
