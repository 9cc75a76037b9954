/**
 * Asterisk's REST interface (ARI): a channel is originated into the dialplan, whose `Dial(WebSocket/…)` connects it to us, and
 * deleted. https://docs.asterisk.org/Latest_API/API_Documentation/Asterisk_REST_Interface/Channels_REST_API, read
 * 2026-11-25. `redirect` is for channels in a Stasis application alone, and a channel of the dialplan is in none: no transfers.
 */
import { z } from 'zod'
import { type CallControl, CallControlError } from '../../bridge.ts'
import { asFields } from '../message.ts'
import { BASE_URL_OPTION, basic, callIdOf, json, orGone, pathOf, type RestPlace, restOf } from '../rest.ts'

export const ASTERISK_CONTROL_OPTIONS = {
  /** `http://127.0.0.1:8088/ari`. */
  ...BASE_URL_OPTION,
  ariUser: z.string().min(1).max(200).optional(),
  ariPassword: z.string().min(1).max(1000).optional(),
  endpoint: z
    .string()
    .max(200)
    .regex(
      /^[A-Za-z0-9]+\/[^\s{}]*\{to\}[^\s{}]*$/,
      'wants a channel with {to} in it, such as PJSIP/{to}@trunk',
    )
    .optional(),
  context: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,80}$/)
    .optional(),
  extension: z
    .string()
    .regex(/^[A-Za-z0-9_*#+-]{1,80}$/)
    .optional(),
}

export interface AsteriskCredentials extends RestPlace {
  readonly baseUrl: string
  readonly ariUser: string
  readonly ariPassword: () => string
  /** How a number is dialled and where its channel goes then; left out: no calls out. */
  readonly out?: { readonly endpoint: string; readonly context: string; readonly extension: string }
}

export function asteriskControl({ ariUser, ariPassword, out, ...place }: AsteriskCredentials): CallControl {
  const rest = restOf({
    ...place,
    name: 'Asterisk',
    standardUrl: place.baseUrl,
    authorization: () => basic(ariUser, ariPassword()),
  })
  return {
    ...(out && {
      async dial({ to, from, target, signal }) {
        // What stands in a channel's name must not begin another of its parts.
        if (!/^\+?[0-9A-Za-z._-]+$/.test(to))
          throw new CallControlError('refused', 'Asterisk is given numbers')
        const query = new URLSearchParams({
          endpoint: out.endpoint.replace('{to}', to),
          context: out.context,
          extension: out.extension,
          priority: '1',
          callerId: from,
        })
        const body = json({ variables: variablesOf(target.parameters) })
        const made = await rest({ method: 'POST', path: `/channels?${query}`, body, signal })
        return callIdOf('Asterisk', asFields(made)?.['id'])
      },
    }),
    hangUp: (callId, signal) =>
      orGone(rest({ method: 'DELETE', path: `${pathOf('channels', callId)}?reason=normal`, signal })),
  }
}

/** For the dialplan: `${PARLEY_NAME}`. */
function variablesOf(parameters: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, value]) => [
      `PARLEY_${name.toUpperCase().replace(/[^A-Z0-9_]/g, '_')}`,
      value,
    ]),
  )
}
