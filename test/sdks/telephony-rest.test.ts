/** The bridges' own SDKs against our doubles of their REST interfaces: what an SDK sends they accept, and the SDK reads what they answer. */
import { createRequire } from 'node:module'
import { afterEach, expect, test } from 'vitest'
import { realClock } from '../../src/clock.ts'
import { type ServedHttpDouble, serveHttpDouble } from '../../src/testing/carrier/http.ts'
import { BANDWIDTH, FakeBandwidthRest } from '../../src/testing/telephony/rest/bandwidth.ts'
import { FakeJambonzRest, JAMBONZ } from '../../src/testing/telephony/rest/jambonz.ts'
import { FakePlivoRest, PLIVO_ID, PLIVO_TOKEN } from '../../src/testing/telephony/rest/plivo.ts'
import { FakeTelnyxRest, TELNYX_KEY } from '../../src/testing/telephony/rest/telnyx.ts'
import { FakeCallResource, TWILIO_SID, TWILIO_TOKEN } from '../../src/testing/telephony/rest/twilio.ts'
import { FakeVonageRest, VONAGE_APPLICATION } from '../../src/testing/telephony/rest/vonage.ts'
import { describeSdk, loadSdk } from './installed.ts'

const TO = '+15557654321'
const FROM = '+15551234567'
const STREAM = 'wss://voice.example.com/v1/telephony/x'
const ANSWER = 'https://voice.example.com/answer'

let served: ServedHttpDouble | undefined
afterEach(() => served?.close())

describeSdk('twilio', () => {
  interface Calls {
    create(options: object): Promise<{ sid: string }>
    (sid: string): { update(options: object): Promise<{ status: string }> }
  }
  interface Client {
    api: { baseUrl: string }
    calls: Calls
  }

  test('a call is placed with its TwiML, sent elsewhere, ended, and gone', async () => {
    const double = new FakeCallResource()
    served = await serveHttpDouble(double.server)
    const { default: sdk } = await loadSdk<{ default: (sid: string, token: string) => Client }>('twilio')
    const client = sdk(TWILIO_SID, TWILIO_TOKEN)
    client.api.baseUrl = served.url
    const twiml = `<?xml version="1.0" encoding="UTF-8"?><Response><Connect><Stream url="${STREAM}"/></Connect></Response>`
    const { sid } = await client.calls.create({ to: TO, from: FROM, twiml })
    await client.calls(sid).update({ twiml: '<?xml version="1.0"?><Response><Hangup/></Response>' })
    expect(await client.calls(sid).update({ status: 'completed' })).toMatchObject({ status: 'completed' })
    await expect(client.calls(sid).update({ status: 'completed' })).rejects.toMatchObject({
      status: 404,
      code: 20404,
    })
    expect(double.mistakes).toEqual([])
  })
})

describeSdk('telnyx', () => {
  interface Client {
    calls: {
      dial(body: object): Promise<{ data: { call_control_id: string } }>
      actions: Record<'hangup' | 'transfer' | 'sendDtmf', (id: string, body: object) => Promise<object>>
    }
  }

  test('a call is placed with its stream, hears keys, is sent elsewhere, ended, and gone', async () => {
    const double = new FakeTelnyxRest()
    served = await serveHttpDouble(double.server)
    const { default: Telnyx } = await loadSdk<{ default: new (options: object) => Client }>('telnyx')
    const client = new Telnyx({ apiKey: TELNYX_KEY, baseURL: `${served.url}/v2`, maxRetries: 0 })
    const { data } = await client.calls.dial({
      connection_id: 'c',
      to: TO,
      from: FROM,
      stream_url: STREAM,
      stream_bidirectional_mode: 'rtp',
      stream_bidirectional_codec: 'PCMU',
      stream_bidirectional_sampling_rate: 8000,
    })
    const { actions } = client.calls
    await actions.sendDtmf(data.call_control_id, { digits: '1#' })
    await actions.transfer(data.call_control_id, { to: TO })
    await actions.hangup(data.call_control_id, {})
    await expect(actions.hangup(data.call_control_id, {})).rejects.toMatchObject({ status: 422 })
    expect(double.mistakes).toEqual([])
    expect(double.calls.get(data.call_control_id)).toMatchObject({
      digits: '1#',
      transferredTo: TO,
      state: 'over',
    })
  })
})

describeSdk('plivo', () => {
  interface Client {
    calls: {
      create(from: string, to: string, answerUrl: string, options: object): Promise<{ requestUuid: string }>
      transfer(uuid: string, options: object): Promise<object>
      hangup(uuid: string): Promise<object>
    }
  }
  interface Axios {
    interceptors: {
      request: { use(change: (config: { url: string }) => object): number; eject(id: number): void }
    }
  }

  // The SDK knows one address and no other: axios below it is told ours.
  test('a call is placed, sent elsewhere and ended', async () => {
    const double = new FakePlivoRest()
    served = await serveHttpDouble(double.server)
    const { default: plivo } = await loadSdk<{
      default: { Client: new (id: string, token: string) => Client }
    }>('plivo')
    const own = createRequire(createRequire(import.meta.url).resolve('plivo'))
    const axios = own('axios') as Axios & { create: (...args: unknown[]) => Axios }
    const turn = (config: { url: string }) => ({
      ...config,
      url: config.url.replace('https://api.plivo.com', served!.url),
    })
    const create = axios.create
    axios.create = (...args) => {
      const made = create(...args)
      made.interceptors.request.use(turn)
      return made
    }
    axios.interceptors.request.use(turn)
    const client = new plivo.Client(PLIVO_ID, PLIVO_TOKEN)
    const { requestUuid } = await client.calls.create('15551234567', '15557654321', ANSWER, {})
    await client.calls.transfer(requestUuid, { legs: 'aleg', alegUrl: ANSWER })
    await client.calls.hangup(requestUuid)
    expect(double.mistakes).toEqual([])
    expect(double.calls.get(requestUuid)).toMatchObject({ transferredTo: ANSWER, state: 'over' })
  })
})

describeSdk('@vonage/voice', () => {
  interface Voice {
    createOutboundCall(call: object): Promise<{ uuid: string }>
    transferCallWithNCCO(uuid: string, ncco: object[]): Promise<unknown>
    playDTMF(uuid: string, digits: string): Promise<unknown>
    hangupCall(uuid: string): Promise<unknown>
  }

  test('its token is good, a call is placed, hears keys, is sent elsewhere and ended', async () => {
    const double = new FakeVonageRest(realClock)
    served = await serveHttpDouble(double.server)
    const { Auth } = await loadSdk<{ Auth: new (options: object) => object }>('@vonage/auth')
    const { Voice } = await loadSdk<{ Voice: new (auth: object, options: object) => Voice }>('@vonage/voice')
    const auth = new Auth({ applicationId: VONAGE_APPLICATION, privateKey: double.privateKey })
    const voice = new Voice(auth, { apiHost: served.url })
    const endpoint = [
      { type: 'websocket', uri: STREAM, 'content-type': 'audio/l16;rate=16000', headers: { a: '1' } },
    ]
    const { uuid } = await voice.createOutboundCall({
      to: [{ type: 'phone', number: '15557654321' }],
      from: { type: 'phone', number: '15551234567' },
      ncco: [{ action: 'connect', endpoint }],
    })
    await voice.playDTMF(uuid, '12#')
    await voice.transferCallWithNCCO(uuid, [
      { action: 'connect', endpoint: [{ type: 'phone', number: '15550001111' }] },
    ])
    await voice.hangupCall(uuid)
    expect(double.mistakes).toEqual([])
    expect(double.calls.get(uuid)).toMatchObject({
      digits: '12#',
      transferredTo: '15550001111',
      state: 'over',
    })
  })
})

describeSdk('bandwidth-sdk', () => {
  interface CallsApi {
    createCall(account: string, call: object): Promise<{ data: { callId: string } }>
    updateCall(account: string, id: string, call: object): Promise<unknown>
    updateCallBxml(account: string, id: string, bxml: string): Promise<unknown>
  }
  interface Sdk {
    Configuration: new (options: object) => object
    CallsApi: new (configuration: object, basePath: string) => CallsApi
  }

  test('a call is placed, sent elsewhere and ended', async () => {
    const double = new FakeBandwidthRest()
    served = await serveHttpDouble(double.server)
    const { Configuration, CallsApi } = await loadSdk<Sdk>('bandwidth-sdk')
    // Past its own list of servers, so that the base path holds.
    const settings = { username: BANDWIDTH.user, password: BANDWIDTH.password, serverIndex: 99 }
    const api = new CallsApi(new Configuration(settings), served.url)
    const call = { to: TO, from: FROM, applicationId: BANDWIDTH.application, answerUrl: ANSWER }
    const { data } = await api.createCall(BANDWIDTH.account, call)
    const bxml = `<?xml version="1.0" encoding="UTF-8"?><Response><Transfer><PhoneNumber>${TO}</PhoneNumber></Transfer></Response>`
    await api.updateCallBxml(BANDWIDTH.account, data.callId, bxml)
    await api.updateCall(BANDWIDTH.account, data.callId, { state: 'completed' })
    expect(double.mistakes).toEqual([])
    expect(double.calls.get(data.callId)).toMatchObject({ transferredTo: TO, state: 'over' })
  })
})

describeSdk('@jambonz/node-client', () => {
  interface Client {
    calls: { create(call: object): Promise<string>; update(sid: string, change: object): Promise<void> }
  }

  test('a call is placed, sent elsewhere and ended', async () => {
    const double = new FakeJambonzRest()
    served = await serveHttpDouble(double.server)
    type Make = (account: string, key: string, options: object) => Client
    const { default: jambonz } = await loadSdk<{ default: Make }>('@jambonz/node-client')
    const client = jambonz(JAMBONZ.account, JAMBONZ.key, { baseUrl: served.url })
    const call = { application_sid: JAMBONZ.application, from: FROM, to: { type: 'phone', number: TO } }
    const sid = await client.calls.create(call)
    await client.calls.update(sid, { call_hook: { url: ANSWER, method: 'POST' } })
    await client.calls.update(sid, { call_status: 'completed' })
    expect(double.mistakes).toEqual([])
    expect(double.calls.get(sid)).toMatchObject({ transferredTo: ANSWER, state: 'over' })
  })
})
