/** Twilio's webhook for an incoming call, and the TwiML it is answered with. */
import type { BridgeWebhook, StreamTarget } from '../bridge.ts'
import { xml, xmlText } from '../xml.ts'

const CONTENT_TYPE = 'text/xml; charset=utf-8'

/** `<Connect><Stream>`. Twilio refuses an address with a query (31922), so parameters are elements. */
export function connectStream({ url, parameters }: StreamTarget): string {
  const lines = Object.entries(parameters).map(
    ([name, value]) => `<Parameter name="${xmlText(name)}" value="${xmlText(value)}"/>`,
  )
  return xml(
    `<Response><Connect><Stream url="${xmlText(url)}">${lines.join('')}</Stream></Connect></Response>`,
  )
}

export const twimlAnswers: Pick<BridgeWebhook, 'facts' | 'answer' | 'refuse'> = {
  facts: ({ fields }) => ({
    callId: fields['CallSid'] ?? null,
    from: fields['From'] ?? null,
    to: fields['To'] ?? null,
  }),
  answer: (target) => ({ contentType: CONTENT_TYPE, body: connectStream(target) }),
  refuse: (why) => ({
    contentType: CONTENT_TYPE,
    body: xml(
      why === 'busy' ? '<Response><Reject reason="busy"/></Response>' : '<Response><Reject/></Response>',
    ),
  }),
}
