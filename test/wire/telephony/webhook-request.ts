/** A request of a bridge's webhook, as the routes would hand it on. */
import type { WebhookRequest } from '../../../src/wire/telephony/bridge.ts'

export function webhookRequest(given: Partial<WebhookRequest> = {}): WebhookRequest {
  return {
    path: '/v1/telephony/x/voice',
    query: {},
    headers: {},
    publicUrl: 'https://voice.example.com',
    rawBody: Buffer.from(''),
    fields: {},
    receivedAtMs: 1_795_000_000_000,
    ...given,
  }
}

export const TARGET = {
  url: 'wss://voice.example.com/v1/telephony/x',
  parameters: { parleyToken: 'a-b_c', from: '+15005550001', note: '<"&">' },
} as const
