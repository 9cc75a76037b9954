/** Twilio's webhook for an incoming call, and the TwiML it is answered with. */
import type { BridgeWebhook, StreamTarget } from '../../bridge.ts'
import { xml, xmlText } from '../xml.ts'

const CONTENT_TYPE = 'text/xml; charset=utf-8'

/**
 * `<Connect><Stream>`. Twilio refuses an address with a query (31922), so parameters are elements. `attributes`: what others
 * that answer in TwiML's shape want on the stream beside its address.
 */
export function connectStream(
  { url, parameters }: StreamTarget,
  attributes: Readonly<Record<string, string>> = {},
): string {
  const shown = Object.entries({ url, ...attributes }).map(([name, value]) => ` ${name}="${xmlText(value)}"`)
  const children = Object.entries(parameters).map(
    ([name, value]) => `<Parameter name="${xmlText(name)}" value="${xmlText(value)}"/>`,
  )
  return xml(`<Response><Connect><Stream${shown.join('')}>${children.join('')}</Stream></Connect></Response>`)
}

export function twimlAnswers(
  attributes: Readonly<Record<string, string>> = {},
): Pick<BridgeWebhook, 'facts' | 'answer' | 'refuse'> {
  return {
    facts: ({ fields }) => ({
      callId: fields['CallSid'] ?? null,
      from: fields['From'] ?? null,
      to: fields['To'] ?? null,
    }),
    answer: (target) => ({ contentType: CONTENT_TYPE, body: connectStream(target, attributes) }),
    refuse: (why) => ({
      contentType: CONTENT_TYPE,
      body: xml(
        why === 'busy' ? '<Response><Reject reason="busy"/></Response>' : '<Response><Reject/></Response>',
      ),
    }),
  }
}
