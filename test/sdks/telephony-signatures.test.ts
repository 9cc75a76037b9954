/** The signatures of webhooks and sockets, as the bridges' own packages compute and check them; and documents by their builders. */
import { generateKeyPairSync, sign } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { twilioPhone } from '../../src/testing/telephony/twilio.ts'
import type { WebhookRequest } from '../../src/wire/telephony/bridge.ts'
import { plivo } from '../../src/wire/telephony/bridges/plivo/index.ts'
import { plivoSignature } from '../../src/wire/telephony/bridges/plivo/signature.ts'
import { signalwire } from '../../src/wire/telephony/bridges/signalwire/index.ts'
import { telnyx } from '../../src/wire/telephony/bridges/telnyx/index.ts'
import { twilio } from '../../src/wire/telephony/bridges/twilio/index.ts'
import { settingOf } from '../wire/telephony/setting.ts'
import { webhookRequest } from '../wire/telephony/webhook-request.ts'
import { describeSdk, loadSdk } from './installed.ts'

const BASE = 'https://voice.example.com'
const PATH = '/v1/telephony/x/voice?pipeline=b&a=1%20x'
const FIELDS = { To: '+15005550002', From: '+15005550001', CallSid: 'CA1', Empty: '' }

const asked = (headers: WebhookRequest['headers'], more: Partial<WebhookRequest> = {}) =>
  webhookRequest({ path: PATH, fields: FIELDS, headers, ...more })

interface TwilioLike {
  getExpectedTwilioSignature(token: string, url: string, params: object): string
  validateRequest(token: string, signature: string, url: string, params: object): boolean
}

describeSdk('twilio', () => {
  const sdk = async () => {
    const { default: found } = await loadSdk<{ default: TwilioLike }>('twilio')
    return found
  }
  const bridge = twilio(settingOf('twilio', { authToken: 'token' }))

  test('signs a webhook, and we believe it', async () => {
    const signature = (await sdk()).getExpectedTwilioSignature('token', BASE + PATH, FIELDS)
    expect(bridge.webhook!.prove(asked({ 'x-twilio-signature': signature }))).toBe('proved')
  })

  test('believes the signature that our double opens a socket with, and so do we', async () => {
    const url = 'wss://voice.example.com/v1/telephony/twilio'
    const headers = twilioPhone({ authToken: 'token' }).headers(url)
    const signature = headers['x-twilio-signature']!
    expect((await sdk()).validateRequest('token', signature, url, {})).toBe(true)
    const upgrade = { path: '/v1/telephony/twilio', query: {}, headers, publicUrl: BASE, receivedAtMs: 0 }
    expect(bridge.prove(upgrade)).toBe('proved')
  })
})

describeSdk('@signalwire/compatibility-api', () => {
  test('believes the signature of a webhook that we believe', async () => {
    const { default: sdk } = await loadSdk<{ default: { RestClient: TwilioLike } }>(
      '@signalwire/compatibility-api',
    )
    const { default: signer } = await loadSdk<{ default: TwilioLike }>('twilio')
    const signature = signer.getExpectedTwilioSignature('key', BASE + PATH, FIELDS)
    expect(sdk.RestClient.validateRequest('key', signature, BASE + PATH, FIELDS)).toBe(true)
    const { webhook } = signalwire(settingOf('signalwire', { authToken: 'key' }))
    expect(webhook!.prove(asked({ 'x-signalwire-signature': signature }))).toBe('proved')
  })
})

describeSdk('plivo', () => {
  const validate = async () => {
    const { default: sdk } = await loadSdk<{
      default: {
        validateV3Signature(
          method: string,
          url: string,
          nonce: string,
          token: string,
          signature: string,
          params?: object,
        ): boolean
      }
    }>('plivo')
    return sdk.validateV3Signature
  }

  test.each([
    ['POST', PATH, FIELDS],
    ['POST', '/v1/telephony/plivo/voice', FIELDS],
    ['POST', '/v1/telephony/plivo/voice', {}],
    ['GET', PATH, {}],
    ['GET', '/v1/telephony/plivo/voice?b=2&a=1&a=0', {}],
  ])('believes our signature of a %s to %s with %j', async (method, path, fields) => {
    const signature = plivoSignature('token', BASE + path, 'n0nce', fields)
    expect((await validate())(method, BASE + path, 'n0nce', 'token', signature, { ...fields })).toBe(true)
    expect((await validate())(method, `${BASE}${path}x`, 'n0nce', 'token', signature, { ...fields })).toBe(
      false,
    )
    const { webhook } = plivo(settingOf('plivo', { authToken: 'token' }))
    const headers = { 'x-plivo-signature-v3': signature, 'x-plivo-signature-v3-nonce': 'n0nce' }
    expect(webhook!.prove(asked(headers, { path, fields }))).toBe('proved')
  })
})

describeSdk('telnyx', () => {
  interface Unwraps {
    webhooks: { unwrap(body: string, options: { headers: object; key: string }): unknown }
  }

  test('believes a signature that we believe, and not one of another body', async () => {
    const { default: Telnyx } = await loadSdk<{ default: new (options: object) => Unwraps }>('telnyx')
    const { publicKey, privateKey } = generateKeyPairSync('ed25519')
    const key = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('base64')
    const body = JSON.stringify({ data: { event_type: 'call.initiated' } })
    const seconds = String(Math.floor(Date.now() / 1_000))
    const signature = sign(null, Buffer.from(`${seconds}|${body}`), privateKey).toString('base64')
    const headers = { 'telnyx-timestamp': seconds, 'telnyx-signature-ed25519': signature }
    const client = new Telnyx({ apiKey: 'none' })
    expect(await client.webhooks.unwrap(body, { headers, key })).toMatchObject({ data: {} })
    await expect(async () => client.webhooks.unwrap(`${body} `, { headers, key })).rejects.toThrow()
    const { webhook } = telnyx(settingOf('telnyx', { options: { publicKey: key } }))
    const receivedAtMs = Number(seconds) * 1_000
    const request = asked(headers, { rawBody: Buffer.from(body), receivedAtMs })
    expect(webhook!.prove(request)).toBe('proved')
    expect(webhook!.prove({ ...request, rawBody: Buffer.from(`${body} `) })).toBe('wrong')
  })
})

describe('documents', () => {
  test('are what the builders of the bridges write', async ({ skip }) => {
    const loaded = await loadSdk<{ default: PlivoXml }>('plivo').catch(() => undefined)
    if (!loaded) return skip('plivo is not installed')
    const response = loaded.default.Response()
    const url = 'wss://voice.example.com/v1/telephony/plivo'
    response.addStream(url, {
      bidirectional: true,
      keepCallAlive: true,
      contentType: 'audio/x-mulaw;rate=8000',
      extraHeaders: 'parleyToken=abc',
    })
    const { webhook } = plivo(settingOf('plivo'))
    const { body } = webhook!.answer({ url, parameters: { parleyToken: 'abc' } })
    expect(body.replace(/^<\?xml[^>]*\?>/, '')).toBe(response.toXML().replace(/^<\?xml[^>]*\?>/, ''))
  })
})

interface PlivoXml {
  Response(): { addStream(url: string, attributes: object): unknown; toXML(): string }
}
