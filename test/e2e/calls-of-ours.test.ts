/** Calls that the server places, through the whole server: which pipeline speaks. */
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { type ServedHttpDouble, serveHttpDouble } from '../../src/testing/carrier/http.ts'
import { FakePlivoRest, PLIVO_ID, PLIVO_TOKEN } from '../../src/testing/telephony/rest/plivo.ts'
import { FakeCallResource, TWILIO_SID, TWILIO_TOKEN } from '../../src/testing/telephony/rest/twilio.ts'
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
