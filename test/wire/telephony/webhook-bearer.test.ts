/** A webhook whose bearer is the bridge's own signature: it is no wrong token of the operator's. */
import { createHash, createHmac } from 'node:crypto'
import Fastify from 'fastify'
import { afterEach, describe, expect, test } from 'vitest'
import { VirtualClock } from '../../../src/clock.ts'
import { vonage } from '../../../src/wire/telephony/bridges/vonage/index.ts'
import { CallTokens } from '../../../src/wire/telephony/http/tokens.ts'
import { registerWebhooks } from '../../../src/wire/telephony/http/webhook.ts'
import { settingOf } from './setting.ts'

const apps: ReturnType<typeof Fastify>[] = []
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close()
})

const BODY = JSON.stringify({ uuid: 'u1', from: '447700900000', to: '447700900001' })

/** As Vonage asks: by POST, signed unless told not to. */
async function ask(given: Parameters<typeof settingOf>[1], path = 'voice', secret = 'signature-secret') {
  const clock = new VirtualClock()
  const setting = settingOf('vonage', given)
  const app = Fastify()
  apps.push(app)
  await registerWebhooks(app, {
    lines: new Map([['vonage', { bridge: vonage(setting), setting, open: false, key: null }]]),
    tokens: new CallTokens(clock),
    clock,
    publicUrl: 'https://voice.example.com',
    hasRoom: () => true,
    note: () => {},
  })
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const hash = createHash('sha256').update(BODY).digest('hex')
  const iat = Math.floor(clock.wallMs() / 1_000)
  const head = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ iat, payload_hash: hash })}`
  const signature = createHmac('sha256', secret).update(head).digest('base64url')
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${head}.${signature}` }
  return app.inject({ method: 'POST', url: `/v1/telephony/vonage/${path}`, headers, payload: BODY })
}

describe('Vonage’s webhook over HTTP', () => {
  test('is answered for its signature, and the call’s id and parties go on to the stream', async () => {
    const answer = await ask({ authToken: 'signature-secret' })
    expect(answer.statusCode).toBe(200)
    expect(answer.json()[0].endpoint[0]).toMatchObject({
      uri: 'wss://voice.example.com/v1/telephony/vonage',
      headers: {
        callId: 'u1',
        from: '447700900000',
        to: '447700900001',
        parleyToken: expect.stringMatching(/^[\w-]{32}$/),
      },
    })
  })

  test('is refused for a wrong one, and where neither secret nor token is configured', async () => {
    expect((await ask({ authToken: 'signature-secret' }, 'voice', 'guess')).statusCode).toBe(401)
    expect((await ask({})).statusCode).toBe(401)
  })

  test('is answered for a token in its path where no secret is configured', async () => {
    expect((await ask({ token: 'path-token' }, 'voice/path-token')).statusCode).toBe(200)
    expect((await ask({ token: 'path-token' }, 'voice/guess')).statusCode).toBe(401)
  })
})
