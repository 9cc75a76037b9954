import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { jambonzPhone } from '../../../src/testing/telephony/jambonz.ts'
import { BridgeMistake } from '../../../src/wire/telephony/bridge.ts'
import { jambonz } from '../../../src/wire/telephony/bridges/jambonz/index.ts'
import { read } from './binary-codec.ts'
import { readsAnything } from './codec-story.ts'
import { bridgeConformance } from './conformance.ts'
import { Exchange } from './exchange.ts'
import { settingOf } from './setting.ts'
import { TARGET, webhookRequest } from './webhook-request.ts'

const setting = settingOf('jambonz')
const FIRST = {
  ...{ sampleRate: 16_000, mixType: 'mono', callSid: 'c-1', direction: 'inbound', from: '+1', to: '+2' },
  ...{ callId: 'sip', accountSid: 'a', traceId: 't', parleyToken: 'tok', metadata: { tenant: 'acme' } },
}

bridgeConformance({ bridge: jambonz(setting), setting, dialect: jambonzPhone(), keys: 'sent' })

describe('jambonz’ messages', () => {
  test('the first one has the call and what the verb was given, beside it or in it', () => {
    expect(read(jambonz(setting).open(), FIRST).starts).toEqual([
      {
        callId: 'c-1',
        streamId: null,
        inputFormat: { encoding: 'pcm16', sampleRateHz: 16_000 },
        outputFormat: { encoding: 'pcm16', sampleRateHz: 16_000 },
        from: '+1',
        to: '+2',
        parameters: { tenant: 'acme', parleyToken: 'tok' },
      },
    ])
  })

  test('the rate of the way back is a setting where it is another', () => {
    const bridge = jambonz(settingOf('jambonz', { options: { sampleRate: 8000, outputSampleRate: 24000 } }))
    expect(read(bridge.open(), { ...FIRST, sampleRate: 8_000 }).starts[0]).toMatchObject({
      inputFormat: { sampleRateHz: 8_000 },
      outputFormat: { sampleRateHz: 24_000 },
    })
  })

  test.each([
    [{ event: 'dtmf', dtmf: '1', duration: '1600' }, ['digit 1']],
    [{ type: 'mark', data: { name: 'p1', event: 'playout' } }, ['marked p1']],
    [{ type: 'mark', data: { name: 'p1', event: 'cleared' } }, ['marked p1']],
    [{ type: 'playDone', data: { id: 'x' } }, []],
  ])('%j is %j', (message, events) => {
    expect(read(jambonz(setting).open(), message).events).toEqual(events)
  })

  test('two channels, an unknown rate and half a sample are mistakes', () => {
    const codec = jambonz(setting).open()
    expect(() => read(codec, { ...FIRST, mixType: 'stereo' })).toThrow(BridgeMistake)
    expect(() => read(codec, { ...FIRST, sampleRate: 11_025 })).toThrow(BridgeMistake)
    expect(() => read(codec, Buffer.alloc(3))).toThrow(BridgeMistake)
  })

  test('ours are commands as it knows them', () => {
    const codec = jambonz(setting).open()
    expect(codec.mark('p1')).toBe('{"type":"mark","data":{"name":"p1"}}')
    expect(codec.clear()).toBe('{"type":"killAudio"}')
    expect(codec.goodbye('completed')).toBe('{"type":"disconnect"}')
  })

  test('whatever comes, nothing but mistakes are made of it', () => {
    readsAnything(jambonz(setting), [
      FIRST,
      { event: 'dtmf', dtmf: '1' },
      { type: 'mark', data: { name: 'p1', event: 'playout' } },
    ])
  })
})

describe('jambonz’ socket', () => {
  test('has its subprotocol echoed, and is admitted by name and password', async () => {
    const guarded = settingOf('jambonz', { username: 'parley', password: 'secret' })
    const wsAuth = { username: 'parley', password: 'secret' }
    const call = await Exchange.open({
      bridge: jambonz(guarded),
      setting: guarded,
      dialect: jambonzPhone({ wsAuth }),
    })
    call.phone.call()
    await call.wait(100)
    expect(call.phone.record.protocols).toEqual(['audio.jambonz.org'])
    await call.end()
  })

  test('is refused with another password', async () => {
    const guarded = settingOf('jambonz', { username: 'parley', password: 'secret' })
    const wsAuth = { username: 'parley', password: 'guess' }
    const call = await Exchange.open({
      bridge: jambonz(guarded),
      setting: guarded,
      dialect: jambonzPhone({ wsAuth }),
    })
    call.phone.call()
    await call.wait(100)
    expect(call.phone.record.closes[0]).toMatchObject({ status: 401 })
    await call.end()
  })
})

describe('jambonz’ webhook', () => {
  const { webhook } = jambonz(settingOf('jambonz', { authToken: 'webhook-secret' }))
  const rawBody = Buffer.from('{"call_sid":"c-1","from":"+1","to":"+2"}')
  const now = webhookRequest().receivedAtMs / 1_000

  function proof(seconds: number, secret = 'webhook-secret', before = '') {
    const v1 = createHmac('sha256', secret).update(`${seconds}.`).update(rawBody).digest('hex')
    const headers = { 'jambonz-signature': `t=${seconds},${before}v1=${v1}` }
    return webhook!.prove(webhookRequest({ headers, rawBody }))
  }

  test('is proved by its signature, which is good for minutes', () => {
    expect(proof(now)).toBe('proved')
    expect(proof(now, 'webhook-secret', `v1=${'0'.repeat(64)},`)).toBe('proved')
    expect(proof(now, 'another')).toBe('wrong')
    expect(proof(now - 301)).toBe('wrong')
    expect(webhook!.prove(webhookRequest({ headers: { 'jambonz-signature': 'v1=' }, rawBody }))).toBe('wrong')
    expect(webhook!.prove(webhookRequest({ rawBody }))).toBe('none')
  })

  test('says who calls', () => {
    const fields = { call_sid: 'c-1', from: '+1', to: '+2' }
    expect(webhook!.facts(webhookRequest({ fields }))).toEqual({ callId: 'c-1', from: '+1', to: '+2' })
  })

  test('is answered with verbs: both rates, the token, and the password of the socket', () => {
    const bridge = jambonz(settingOf('jambonz', { username: 'u', password: 'p' }))
    expect(JSON.parse(bridge.webhook!.answer(TARGET).body)).toEqual([
      { verb: 'answer' },
      {
        verb: 'listen',
        url: TARGET.url,
        mixType: 'mono',
        sampleRate: 16_000,
        passDtmf: true,
        bidirectionalAudio: { enabled: true, streaming: true, sampleRate: 16_000 },
        metadata: TARGET.parameters,
        wsAuth: { username: 'u', password: 'p' },
      },
      { verb: 'hangup' },
    ])
    expect(JSON.parse(bridge.webhook!.refuse('busy').body)[0]).toMatchObject({ status: 486 })
    expect(JSON.parse(bridge.webhook!.refuse('failed').body)[0]).toMatchObject({ status: 503 })
  })
})
