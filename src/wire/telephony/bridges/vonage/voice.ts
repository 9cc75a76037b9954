/** Vonage's answer webhook, and the call control object (NCCO) it is answered with. */
import type { BridgeWebhook, StreamTarget, WebhookRequest } from '../../bridge.ts'

const CONTENT_TYPE = 'application/json; charset=utf-8'

/** `headers` come back as members of the socket's first message. */
export function connectSocket({ url, parameters }: StreamTarget, sampleRateHz: number): readonly object[] {
  const endpoint = {
    type: 'websocket',
    uri: url,
    'content-type': `audio/l16;rate=${sampleRateHz}`,
    headers: parameters,
  }
  return [{ action: 'connect', endpoint: [endpoint] }]
}

/** Asked by POST with JSON, or by GET with a query. */
export function nccoAnswers(sampleRateHz: number): Pick<BridgeWebhook, 'facts' | 'answer' | 'refuse'> {
  const said = ({ fields, query }: WebhookRequest, name: string) => fields[name] ?? query[name] ?? null
  return {
    facts: (request) => ({
      callId: said(request, 'uuid') ?? said(request, 'conversation_uuid'),
      from: said(request, 'from'),
      to: said(request, 'to'),
    }),
    answer: (target) => ({
      contentType: CONTENT_TYPE,
      body: JSON.stringify(connectSocket(target, sampleRateHz)),
    }),
    // A document without actions ends the call; none of Vonage's says busy.
    refuse: () => ({ contentType: CONTENT_TYPE, body: '[]' }),
  }
}
