/**
 * Infobip's Calls API, as far as it is sure: `POST /calls/1/calls/{callId}/hangup` stands in its official Java client (com.infobip.api,
 * CallsApi; read 2026-11-25). Placing a call and connecting it to a WebSocket takes several requests and events between
 * them; that, and transfers, are left out.
 */
import { z } from 'zod'
import type { CallControl } from '../../bridge.ts'
import { asFields } from '../message.ts'
import { BASE_URL_OPTION, json, orGone, pathOf, type RestPlace, restOf } from '../rest.ts'

export const INFOBIP_CONTROL_OPTIONS = {
  ...BASE_URL_OPTION,
  apiKey: z.string().min(1).max(1000).optional(),
}

export interface InfobipCredentials extends RestPlace {
  /** Each account has its own: `https://xxxxx.api.infobip.com`. */
  readonly baseUrl: string
  readonly apiKey: () => string
}

export function infobipControl({ apiKey, ...place }: InfobipCredentials): CallControl {
  const rest = restOf({
    ...place,
    name: 'Infobip',
    standardUrl: place.baseUrl,
    authorization: () => `App ${apiKey()}`,
    codeOf: ({ requestError }) => asFields(asFields(requestError)?.['serviceException'])?.['messageId'],
  })
  return {
    hangUp: (callId, signal) =>
      orGone(
        rest({
          method: 'POST',
          path: pathOf('calls', '1', 'calls', callId, 'hangup'),
          body: json({}),
          signal,
        }),
      ),
  }
}
