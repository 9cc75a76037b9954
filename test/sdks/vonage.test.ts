/** Vonage's own check of its tokens against ours: both take the same, and refuse the same. */
import { createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { vonageSignatureHolds } from '../../src/wire/telephony/bridges/vonage/signature.ts'
import { describeSdk, loadSdk } from './installed.ts'

interface Sdk {
  verifySignature(token: string, secret: string): boolean
}

describeSdk('@vonage/jwt', () => {
  const now = Math.floor(Date.now() / 1_000)
  const tokenOf = (secret: string, claims: object) => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const head = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`
    return `${head}.${createHmac('sha256', secret).update(head).digest('base64url')}`
  }

  test.each([
    ['a right one', tokenOf('secret', { iat: now }), true],
    ['one of another secret', tokenOf('guess', { iat: now }), false],
    ['one that expired', tokenOf('secret', { iat: now - 60, exp: now - 30 }), false],
    [
      'one without a signature',
      `${tokenOf('secret', { iat: now }).split('.').slice(0, 2).join('.')}.`,
      false,
    ],
  ])('%s', async (_, token, right) => {
    const { verifySignature } = await loadSdk<Sdk>('@vonage/jwt')
    expect(verifySignature(token, 'secret')).toBe(right)
    const signed = { token, body: Buffer.alloc(0), receivedAtMs: now * 1_000 }
    expect(vonageSignatureHolds('secret', signed)).toBe(right)
  })
})
