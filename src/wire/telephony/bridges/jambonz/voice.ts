/** jambonz's application webhook for an incoming call, and the verbs it is answered with. */
import type { BridgeWebhook, StreamTarget } from '../../bridge.ts'

const CONTENT_TYPE = 'application/json; charset=utf-8'

export interface ListenOptions {
  readonly sampleRateHz: number
  readonly outputRateHz: number
  /** Shown on the media socket by HTTP Basic. */
  readonly wsAuth: { readonly username: string; readonly password: string } | null
}

/** Without `streaming` and both rates the sound sent back is ignored, or plays at the wrong speed. */
export function listenVerbs({ url, parameters }: StreamTarget, options: ListenOptions): string {
  const { sampleRateHz, outputRateHz, wsAuth } = options
  const listen = {
    verb: 'listen',
    url,
    mixType: 'mono',
    sampleRate: sampleRateHz,
    passDtmf: true,
    bidirectionalAudio: { enabled: true, streaming: true, sampleRate: outputRateHz },
    metadata: parameters,
    ...(wsAuth ? { wsAuth } : {}),
  }
  return JSON.stringify([{ verb: 'answer' }, listen, { verb: 'hangup' }])
}

export function verbAnswers(options: ListenOptions): Pick<BridgeWebhook, 'facts' | 'answer' | 'refuse'> {
  return {
    facts: ({ fields }) => ({
      callId: fields['call_sid'] ?? fields['callSid'] ?? null,
      from: fields['from'] ?? null,
      to: fields['to'] ?? null,
    }),
    answer: (target) => ({ contentType: CONTENT_TYPE, body: listenVerbs(target, options) }),
    refuse: (why) => ({
      contentType: CONTENT_TYPE,
      body: JSON.stringify([
        why === 'busy'
          ? { verb: 'sip:decline', status: 486, reason: 'Busy Here' }
          : { verb: 'sip:decline', status: 503, reason: 'Service Unavailable' },
      ]),
    }),
  }
}
