/**
 * Calls that we place, and what becomes of calls: `POST /v1/calls`, `GET /v1/calls`, `DELETE /v1/calls/BRIDGE/ID`. With a key; a
 * bridge is for the key its calls act for, and calls only numbers that begin as the settings say.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type {} from '../../../access/plugin.ts'
import { openScope } from '../../../cancel.ts'
import { ERRORS, type ErrorCode, openaiError } from '../../../errors.ts'
import { CallControlError, type StreamTarget } from '../bridge.ts'
import { asFields, parametersOf } from '../bridges/message.ts'
import { callObject } from '../call/board.ts'
import type { Calls } from '../call/calls.ts'
import type { Line } from '../lines.ts'
import type { TelephonyDeps } from './streams.ts'
import { TOKEN_PARAMETER } from './tokens.ts'
import { streamUrl } from './webhook.ts'

export interface CallsApiDeps extends Omit<TelephonyDeps, 'inputRates'> {
  readonly calls: Calls
  readonly hasRoom: () => boolean
  readonly hasPipeline: (name: string) => boolean
}

/** An answer that is no call. */
class Refused extends Error {
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly param: string | null = null,
  ) {
    super(message)
  }
}

const NUMBER = /^\+[1-9]\d{3,14}$/
const DIAL_MS = 15_000

export function registerCallsApi(app: FastifyInstance, deps: CallsApiDeps): void {
  const keyOf = (request: FastifyRequest) => request.caller?.keyId ?? null
  const answering =
    (act: (request: FastifyRequest) => Promise<{ status: number; body?: object }>) =>
    async (request: FastifyRequest, reply: FastifyReply) => {
      try {
        const { status, body } = await act(request)
        return reply.code(status).send(body)
      } catch (error) {
        const refused = refusalOf(error)
        return reply
          .code(ERRORS[refused.code].status)
          .send(openaiError(refused.code, refused.message, refused.param))
      }
    }

  app.get(
    '/v1/calls',
    answering(async (request) => {
      const data = deps.calls.of(keyOf(request)).map(callObject)
      return { status: 200, body: { object: 'list', data } }
    }),
  )

  app.delete(
    '/v1/calls/:bridge/:callId',
    answering(async (request) => {
      const { bridge, callId } = request.params as { bridge: string; callId: string }
      const call = deps.calls.find(bridge, callId)
      if (call?.keyId !== keyOf(request))
        throw new Refused('not_found', 'There is no such call, or it belongs to another key.')
      call.close('hung_up')
      return { status: 204 }
    }),
  )

  app.post(
    '/v1/calls',
    answering(async (request) => {
      const asked = readDial(request.body)
      const line = lineFor(deps, asked.bridge, keyOf(request))
      const from = asked.from ?? line.setting.from
      if (!line.setting.dial.some((beginning) => asked.to.startsWith(beginning)))
        throw new Refused('dial_not_allowed', 'The settings do not let this bridge call that number.', 'to')
      if (from === null)
        throw new Refused('missing_required_parameter', "Missing required parameter: 'from'.", 'from')
      if (asked.pipeline !== null && !deps.hasPipeline(asked.pipeline))
        throw new Refused('invalid_value', `Unknown pipeline: '${asked.pipeline}'.`, 'pipeline')
      const callId = await dial(deps, line, { ...asked, from })
      const id = `${line.bridge.name}/${callId}`
      return {
        status: 201,
        body: { id, object: 'call', bridge: line.bridge.name, from, to: asked.to, state: 'dialing' },
      }
    }),
  )
}

interface Asked {
  readonly bridge: string | null
  readonly to: string
  readonly from: string | null
  readonly pipeline: string | null
  readonly parameters: Readonly<Record<string, string>>
}

function readDial(body: unknown): Asked {
  const fields = asFields(body)
  if (!fields) throw new Refused('invalid_value', 'Expected a JSON object.')
  const text = (name: string) => {
    const value = fields[name]
    if (value === undefined || value === null) return null
    if (typeof value === 'string') return value
    throw new Refused('invalid_type', `Invalid type for '${name}': expected a string.`, name)
  }
  const number = (name: string) => {
    const value = text(name)
    if (value === null || NUMBER.test(value)) return value
    throw new Refused('invalid_value', `Invalid '${name}': expected a number such as +4930123456.`, name)
  }
  const to = number('to')
  if (to === null) throw new Refused('missing_required_parameter', "Missing required parameter: 'to'.", 'to')
  return {
    bridge: text('bridge'),
    to,
    from: number('from'),
    pipeline: text('pipeline'),
    parameters: parametersOf(fields['parameters']),
  }
}

/** The bridge that was named, or the only one that can call for this key. */
function lineFor({ lines }: CallsApiDeps, name: string | null, keyId: string | null): Line {
  const own = [...lines.values()].filter(
    ({ key, bridge }) => (key?.id ?? null) === keyId && bridge.control?.dial,
  )
  const found = name === null ? own : own.filter(({ bridge }) => bridge.name === name)
  const [line] = found
  if (!line) throw new Refused('not_found', 'There is no bridge that can place calls for this key.', 'bridge')
  if (found.length > 1)
    throw new Refused('missing_required_parameter', "Missing required parameter: 'bridge'.", 'bridge')
  return line
}

async function dial(
  deps: CallsApiDeps,
  { bridge, setting }: Line,
  asked: Asked & { readonly from: string },
): Promise<string> {
  const { publicUrl, tokens, clock, hasRoom } = deps
  if (publicUrl === null) throw new Refused('public_url_missing', 'The server does not know its own address.')
  if (!hasRoom())
    throw new Refused('server_full', 'The server has as many sessions as it takes. Try again shortly.')
  const { to, from, pipeline } = asked
  const token = tokens.mint({ bridge: bridge.name, pipeline: pipeline ?? setting.pipeline })
  // Among the parameters, since a stream that its bridge signs shows no token.
  const chosen = pipeline === null ? {} : { pipeline }
  const own = { from, to, direction: 'outgoing', [TOKEN_PARAMETER]: token }
  const parameters: Record<string, string> = { ...asked.parameters, ...chosen, ...own }
  const target: StreamTarget = { url: streamUrl(publicUrl, bridge.name), parameters }
  const answerUrl = `${publicUrl.replace(/\/+$/, '')}/v1/telephony/${bridge.name}/voice?${new URLSearchParams(parameters)}`
  const scope = openScope()
  const timer = clock.setTimer(DIAL_MS, () => scope.cancel('deadline'))
  try {
    const { callId } = await bridge.control!.dial!({ to, from, target, answerUrl, signal: scope.signal })
    tokens.named(token, callId)
    return callId
  } finally {
    timer.cancel()
    scope.release()
  }
}

const WHY: Readonly<Record<CallControlError['kind'], string>> = {
  auth: 'The bridge does not take the credentials of the settings.',
  refused: 'The bridge refused the call.',
  rate: 'The bridge takes no more requests for now.',
  unreachable: 'The bridge cannot be reached.',
  gone: 'The bridge knows no such call.',
}

function refusalOf(error: unknown): Refused {
  if (error instanceof Refused) return error
  if (error instanceof CallControlError) return new Refused('call_failed', WHY[error.kind])
  return new Refused('call_failed', 'The bridge did not answer in time.')
}
