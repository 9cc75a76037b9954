/**
 * `POST /v1/telephony/NAME/voice`: a bridge asks what to do with an incoming call, and is told to connect its sound to us. Some
 * ask by GET. The stream it is pointed at proves itself by a one-time token among its parameters.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { ERRORS, openaiError } from '../../../errors.ts'
import type { Proof, StreamTarget, WebhookRequest } from '../bridge.ts'
import { parametersOf } from '../bridges/message.ts'
import type { Line } from '../lines.ts'
import { shownToken } from './admission.ts'
import { TELEPHONY, type TelephonyDeps, upgradeOf } from './streams.ts'
import { TOKEN_PARAMETER } from './tokens.ts'

export interface WebhookDeps extends Omit<TelephonyDeps, 'calls' | 'inputRates'> {
  /** Whether another call would find room. */
  readonly hasRoom: () => boolean
}

const BODY_BYTES = 64 * 1024
const MESSAGES = {
  not_found: 'This telephone bridge has no webhook here.',
  bridge_not_proved: 'The request is not signed by the bridge, nor does it show the token.',
  public_url_missing: 'The server does not know its own address.',
} as const

export async function registerWebhooks(app: FastifyInstance, deps: WebhookDeps): Promise<void> {
  await app.register(async (scope) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: BODY_BYTES }, (_request, body, done) =>
      done(null, body),
    )
    for (const url of ['/v1/telephony/:bridge/voice', '/v1/telephony/:bridge/voice/:token']) {
      scope.route({ method: ['GET', 'POST'], url, handler: (request, reply) => answer(request, reply, deps) })
    }
    const url = `${TELEPHONY}/:bridge/transfer`
    scope.route({ method: ['GET', 'POST'], url, handler: (request, reply) => transfer(request, reply, deps) })
  })
}

/** Where the bridge is told once to send its call somewhere. */
export function transferAddress(publicUrl: string, bridge: string, token: string): string {
  return `${publicUrl.replace(/\/+$/, '')}${TELEPHONY}/${bridge}/transfer?${TOKEN_PARAMETER}=${token}`
}

/** The token alone says where to: nobody else can name a number. */
function transfer(
  request: FastifyRequest,
  reply: FastifyReply,
  { lines, tokens, note }: WebhookDeps,
): FastifyReply {
  const { bridge: name } = request.params as { bridge: string }
  const document = lines.get(name)?.bridge.webhook?.transfer
  const token = (request.query as Readonly<Record<string, unknown>>)[TOKEN_PARAMETER]
  const facts = document && typeof token === 'string' ? tokens.take(token) : undefined
  if (!document || facts?.bridge !== name || facts.transferTo === undefined) {
    note('a telephone webhook was refused', { bridge: name })
    return reply
      .code(ERRORS.bridge_not_proved.status)
      .send(openaiError('bridge_not_proved', MESSAGES.bridge_not_proved))
  }
  const { contentType, body } = document(facts.transferTo)
  return reply.header('content-type', contentType).send(body)
}

function answer(request: FastifyRequest, reply: FastifyReply, deps: WebhookDeps): FastifyReply {
  const refuse = (code: keyof typeof MESSAGES) =>
    reply.code(ERRORS[code].status).send(openaiError(code, MESSAGES[code]))
  const { bridge: name, token } = request.params as { bridge: string; token?: string }
  const line = deps.lines.get(name)
  const webhook = line?.bridge.webhook
  if (!line || !webhook) return refuse('not_found')
  const asked = webhookRequest(request, deps)
  const shown = webhook.bearer === 'own' ? { ...asked, headers: {} } : asked
  if (
    !mayAsk(line, webhook.prove(asked), shownToken(line.setting, shown, token)) &&
    !ours(asked, name, deps)
  ) {
    deps.note('a telephone webhook was refused', { bridge: name })
    return refuse('bridge_not_proved')
  }
  if (deps.publicUrl === null) return refuse('public_url_missing')
  const { contentType, body } = deps.hasRoom()
    ? webhook.answer(targetOf(line, asked, { ...deps, publicUrl: deps.publicUrl }))
    : webhook.refuse('busy')
  return reply.header('content-type', contentType).send(body)
}

/** A call that we placed asks with the token we gave it. */
function ours({ query }: WebhookRequest, bridge: string, { tokens }: WebhookDeps): boolean {
  const token = query[TOKEN_PARAMETER]
  const facts = token === undefined ? undefined : tokens.take(token)
  return facts?.bridge === bridge && facts.transferTo === undefined
}

function mayAsk({ open, setting }: Line, signed: Proof, shown: Proof): boolean {
  if (signed === 'wrong' || shown === 'wrong') return false
  if (signed === 'proved' || shown === 'proved') return true
  // A bridge whose secret is configured signs always: without it, it is somebody else.
  return open && setting.token === null && setting.authToken === null
}

/** Where the bridge shall stream to, with what it knows of the call and what its address says. */
export function targetOf(
  { bridge, setting }: Pick<Line, 'bridge' | 'setting'>,
  asked: WebhookRequest,
  { publicUrl, tokens }: Pick<WebhookDeps, 'tokens'> & { readonly publicUrl: string },
): StreamTarget {
  const facts = bridge.webhook?.facts(asked)
  const { token: _token, [TOKEN_PARAMETER]: _once, ...given } = asked.query
  const pipeline = given['pipeline'] ?? null
  return {
    url: streamUrl(publicUrl, bridge.name),
    parameters: {
      ...parametersOf(given),
      ...(facts?.callId ? { callId: facts.callId } : {}),
      ...(facts?.from ? { from: facts.from } : {}),
      ...(facts?.to ? { to: facts.to } : {}),
      [TOKEN_PARAMETER]: tokens.mint({ bridge: bridge.name, pipeline: pipeline ?? setting.pipeline }),
    },
  }
}

export function streamUrl(publicUrl: string, bridge: string): string {
  return `${publicUrl.replace(/^http/, 'ws').replace(/\/+$/, '')}/v1/telephony/${bridge}`
}

function webhookRequest(request: FastifyRequest, deps: WebhookDeps): WebhookRequest {
  const rawBody = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
  return {
    ...upgradeOf(request, deps),
    rawBody,
    fields: fieldsOf(rawBody, request.headers['content-type']),
  }
}

/** Forms are signed field by field, so all of a form is kept, and of JSON the texts. */
function fieldsOf(body: Buffer, contentType = ''): Readonly<Record<string, string>> {
  const text = body.toString('utf8')
  const fields: Record<string, string> = Object.create(null)
  if (contentType.startsWith('application/x-www-form-urlencoded')) {
    for (const [name, value] of new URLSearchParams(text)) fields[name] = value
  } else if (contentType.startsWith('application/json')) {
    try {
      for (const [name, value] of Object.entries(JSON.parse(text) as object)) {
        if (typeof value === 'string') fields[name] = value
      }
    } catch {
      // A webhook that sends none has no facts to give.
    }
  }
  return fields
}
