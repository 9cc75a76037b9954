/**
 * `POST /v1/realtime/calls`: an SDP offer in, an answer out, and a session that lives as long as the call.
 *
 *     offer ─► session opened ─► answer (201, Location) ─► data channel opens ─► Connection runs
 *     body: the offer itself (application/sdp), or a form with `sdp` and `session` (JSON)
 */
import { randomBytes } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { loadOpus } from '../../../audio/opus.ts'
import { ERRORS, type ErrorCode, openaiError } from '../../../errors.ts'
import { Ticker } from '../../../playout/ticker.ts'
import { type SessionOrigin, SessionRefused } from '../../../session/session.ts'
import { asObject, Refusal } from '../check.ts'
import { Connection, type ConnectionDeps } from '../connection.ts'
import { readUpgrade } from '../origin.ts'
import { pipelineOf } from '../pipeline-name.ts'
import { parseSessionUpdate } from '../session-update.ts'
import { CallMedia } from './media.ts'
import { MAX_MESSAGE_BYTES, Peer, type PeerNetwork, PING } from './peer.ts'
import { MAX_SDP_BYTES, offerProblem } from './sdp.ts'

export interface CallsDeps extends ConnectionDeps {
  /** The name shown as the model when the client names none. */
  readonly defaultPipeline: () => string
  readonly network: PeerNetwork
}

/** How far the session may run ahead of what is played: what an interruption has to take back. */
const LEAD_MS = 180
/** An offer, and a session's instructions and tools. */
const MAX_BODY_BYTES = MAX_SDP_BYTES + 1024 * 1024

interface Call {
  readonly keyId: string | null
  hangUp(): void
}

interface Offer {
  readonly sdp: string
  /** As the client sent it, checked. */
  readonly session: Readonly<Record<string, unknown>> | null
}

export function registerCalls(app: FastifyInstance, deps: CallsDeps): void {
  const calls = new Map<string, Call>()
  const ticker = new Ticker(deps.clock)
  const whole = { parseAs: 'buffer', bodyLimit: MAX_BODY_BYTES } as const
  for (const type of ['application/sdp', 'multipart/form-data'])
    app.addContentTypeParser(type, whole, (_, body, done) => done(null, body))
  app.post('/v1/realtime/calls', { bodyLimit: MAX_BODY_BYTES }, async (request, reply) => {
    try {
      const offer = await readOffer(request)
      const { id, sdp } = await answer(request, offer, deps, ticker, calls)
      reply.header('location', `/v1/realtime/calls/${id}`)
      reply.header('access-control-expose-headers', 'location')
      return reply.code(201).type('application/sdp').send(sdp)
    } catch (error) {
      return refuse(reply, error)
    }
  })
  app.post<{ Params: { id: string } }>('/v1/realtime/calls/:id/hangup', async (request, reply) => {
    const call = calls.get(request.params.id)
    // Somebody else's call is none.
    if (!call || call.keyId !== (request.caller?.keyId ?? null))
      return reply.code(404).send(openaiError('not_found', 'There is no such call.'))
    call.hangUp()
    return reply.code(200).send()
  })
  app.addHook('onClose', async () => {
    for (const call of calls.values()) call.hangUp()
  })
}

async function answer(
  request: FastifyRequest,
  offer: Offer,
  deps: CallsDeps,
  ticker: Ticker,
  calls: Map<string, Call>,
): Promise<{ readonly id: string; readonly sdp: string }> {
  const facts = readUpgrade(request, deps.hasPipeline)
  const said = offer.session?.['model']
  const model = facts.model ?? (typeof said === 'string' ? said : null)
  const { begin } = facts.origin
  const origin: SessionOrigin = {
    ...facts.origin,
    wire: 'webrtc',
    pipeline: facts.origin.pipeline ?? pipelineOf(model, deps.hasPipeline),
    ...(begin ? { begin: asAgreed(begin) } : {}),
    caps: { leadMs: LEAD_MS, ownsOutput: true, reportsPlayed: false, asksApproval: true },
  }
  await loadOpus()
  const session = deps.host.open(origin)
  const id = `rtc_${randomBytes(12).toString('hex')}`
  let peer: Peer | undefined
  let connection: Connection | undefined
  const media = new CallMedia({ clock: deps.clock, ticker, send: (packet) => peer?.send(packet) })
  try {
    const made = await Peer.answer(offer.sdp, deps.network, deps.clock, {
      opened(channel) {
        const start = {
          session,
          origin,
          start: facts.start,
          shape: 'ga',
          model: model ?? deps.defaultPipeline(),
          media,
        } as const
        connection = new Connection(channel, start, deps)
        void connection.run()
        if (offer.session) connection.message(sessionUpdate(offer.session), false)
      },
      message: (frame, isBinary) =>
        frame === PING ? connection?.signOfLife() : connection?.message(frame, isBinary),
      tooLarge: (bytes) => connection?.tooLarge(bytes, MAX_MESSAGE_BYTES),
      packet: (packet) => media.packet(packet),
      gone() {
        calls.delete(id)
        if (connection) return connection.closed()
        media.close()
        session.close('client').catch(() => {})
      },
    })
    peer = made.peer
    calls.set(id, { keyId: origin.key?.id ?? null, hangUp: () => made.peer.close() })
    return { id, sdp: made.sdp }
  } catch (error) {
    media.close()
    session.close('error').catch(() => {})
    deps.note('an offer was not answered', { error: error instanceof Error ? error.message : 'unknown' })
    throw new Refusal('invalid_value', 'The offer cannot be answered.', 'sdp')
  }
}

/** The codec was agreed on in the offer: what a client secret says of formats is not for calls. */
function asAgreed(begin: NonNullable<SessionOrigin['begin']>): NonNullable<SessionOrigin['begin']> {
  return (pipeline) => {
    const { inputFormat, outputFormat } = pipeline
    return { ...begin(pipeline), inputFormat, outputFormat }
  }
}

function sessionUpdate(session: Readonly<Record<string, unknown>>): Buffer {
  return Buffer.from(JSON.stringify({ type: 'session.update', session }))
}

/** Throws `Refusal`. */
async function readOffer(request: FastifyRequest): Promise<Offer> {
  const type = request.headers['content-type'] ?? ''
  const body = request.body
  if (!Buffer.isBuffer(body)) throw new Refusal('invalid_value', 'The body is empty.', 'sdp')
  if (!type.startsWith('multipart/')) return { sdp: checked(body.toString()), session: null }
  let form: FormData
  try {
    form = await new Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData()
  } catch {
    throw new Refusal('invalid_value', 'The form cannot be read.', null)
  }
  const [sdp, session] = await Promise.all([part(form, 'sdp'), part(form, 'session')])
  if (sdp === null)
    throw new Refusal('missing_required_parameter', "Missing required parameter: 'sdp'.", 'sdp')
  return { sdp: checked(sdp), session: session === null ? null : checkedSession(session) }
}

async function part(form: FormData, name: string): Promise<string | null> {
  const value = form.get(name)
  return value === null || typeof value === 'string' ? value : value.text()
}

function checked(sdp: string): string {
  const problem =
    sdp.length > MAX_SDP_BYTES ? `The offer is larger than ${MAX_SDP_BYTES} bytes.` : offerProblem(sdp)
  if (problem !== null) throw new Refusal('invalid_value', problem, 'sdp')
  return sdp
}

/** Refused here, while there is an HTTP answer to say it in. */
function checkedSession(text: string): Readonly<Record<string, unknown>> {
  let session: unknown
  try {
    session = JSON.parse(text)
  } catch {
    throw new Refusal('invalid_json', "Invalid 'session': not JSON.", 'session')
  }
  parseSessionUpdate(session, 'realtime')
  return asObject(session, 'session')
}

function refuse(reply: FastifyReply, error: unknown): FastifyReply {
  if (error instanceof SessionRefused)
    return told(reply.header('retry-after', '5'), error.code, error.message, null)
  if (error instanceof Refusal) return told(reply, error.code, error.message, error.param)
  throw error
}

function told(reply: FastifyReply, code: ErrorCode, message: string, param: string | null): FastifyReply {
  return reply.code(ERRORS[code].status).send(openaiError(code, message, param))
}
