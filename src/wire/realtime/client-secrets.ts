/**
 * `POST /v1/realtime/client_secrets`, and the two endpoints it replaced: a backend's key in, a browser's secret out,
 * with the session that the browser's will begin as. The old two speak the beta's flat session.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { ClientSecrets } from '../../access/client-secrets.ts'
import type {} from '../../access/plugin.ts'
import { ERRORS, openaiError } from '../../errors.ts'
import { namingRefusal } from '../../session/mcp.ts'
import type { SessionSettings } from '../../session/settings.ts'
import { betaSession } from './beta/session.ts'
import { asInteger, asObject, asOneOf, invalidValue, type Json, Refusal } from './check.ts'
import { newSessionId } from './ids.ts'
import { headerMetadata, mintedModel } from './origin.ts'
import { pipelineOf } from './pipeline-name.ts'
import { sessionObject } from './session-object.ts'
import { parseSessionUpdate, type SessionKind } from './session-update.ts'
import { beginWith } from './start.ts'

export interface MintDeps {
  readonly secrets: ClientSecrets
  readonly hasPipeline: (name: string) => boolean
  readonly defaultPipeline: () => string
  /** What a session of a pipeline begins with; null: of the default one. Undefined: there is no such pipeline. */
  readonly settingsOf: (pipeline: string | null) => SessionSettings | undefined
}

/** What a browser needs to load a page and ask for the microphone; OpenAI's default and bounds. */
const DEFAULT_SECONDS = 600
const MIN_SECONDS = 10
const MAX_SECONDS = 7200
/** A secret's session is held in memory for as long. */
const MAX_SESSION_CHARS = 256 * 1024

interface Asked {
  readonly session: Json
  readonly kind: SessionKind
  /** `{ anchor, seconds }`, and where it stood. */
  readonly lifetime: unknown
  readonly path: string
}

interface Issued {
  readonly value: string
  readonly expiresAt: number
  /** GA's session object. */
  readonly session: object
  readonly settings: SessionSettings
}

export function registerClientSecrets(app: FastifyInstance, deps: MintDeps): void {
  app.post('/v1/realtime/client_secrets', (request, reply) =>
    answer(reply, async () => {
      const body = asObject(request.body ?? {}, 'body')
      const session = body['session'] == null ? {} : asObject(body['session'], 'session')
      const asked = {
        session,
        kind: 'realtime',
        lifetime: body['expires_after'],
        path: 'expires_after',
      } as const
      const { value, expiresAt, session: shown } = await mint(request, asked, deps)
      return { value, expires_at: expiresAt, session: shown }
    }),
  )
  for (const [url, kind] of [
    ['/v1/realtime/sessions', 'realtime'],
    ['/v1/realtime/transcription_sessions', 'transcription'],
  ] as const) {
    app.post(url, (request, reply) =>
      answer(reply, async () => {
        const { client_secret: secret, ...session } = asObject(request.body ?? {}, 'body')
        const given = secret == null ? {} : asObject(secret, 'client_secret')
        // The SDK's types call it `expires_at` for transcriptions, the API's text `expires_after` for both.
        const name = given['expires_after'] == null ? 'expires_at' : 'expires_after'
        const asked = { session, kind, lifetime: given[name], path: `client_secret.${name}` }
        const { value, expiresAt, session: shown, settings } = await mint(request, asked, deps)
        return { ...betaSession(shown as Json, settings), client_secret: { value, expires_at: expiresAt } }
      }),
    )
  }
}

/** Throws `Refusal`. */
async function mint(request: FastifyRequest, asked: Asked, deps: MintDeps): Promise<Issued> {
  const seconds = readSeconds(asked.lifetime, asked.path)
  const session = withMetadata(request, { type: asked.kind, ...asked.session })
  const update = parseSessionUpdate(session, asked.kind)
  const kind = update.kind ?? asked.kind
  const model = mintedModel(session)
  const named = update.echo.parley?.pipeline
  if (named !== undefined && !deps.hasPipeline(named))
    throw new Refusal(
      'invalid_value',
      `Unknown pipeline: '${named}'.`,
      'session.providerData.parley.pipeline',
    )
  const pipeline = deps.settingsOf(named ?? pipelineOf(model, deps.hasPipeline))
  if (!pipeline) throw new Refusal('no_pipeline', 'There is no pipeline to answer with.')
  const settings = beginWith({ kind, update, pins: null })(pipeline)
  const naming = namingRefusal(settings.tools, pipeline.mcpServers ?? [], 'session.tools')
  if (naming) throw new Refusal(naming.code, naming.message, naming.param)
  if (JSON.stringify(session).length > MAX_SESSION_CHARS)
    throw new Refusal(
      'string_above_max_length',
      `Invalid 'session': at most ${MAX_SESSION_CHARS} characters.`,
      'session',
    )
  const minted = await deps.secrets.mint(request.caller, { ...session, type: kind }, seconds)
  if (!minted) throw new Refusal('client_secrets_full', 'This key has as many client secrets as it may.')
  // The session has no end before it begins; OpenAI shows 0.
  const facts = { id: newSessionId(), model: model ?? deps.defaultPipeline(), expiresAt: 0 }
  return { ...minted, session: sessionObject(facts, settings, update.echo), settings }
}

function readSeconds(value: unknown, path: string): number {
  if (value == null) return DEFAULT_SECONDS
  const given = asObject(value, path)
  if (given['anchor'] != null) asOneOf(given['anchor'], `${path}.anchor`, ['created_at'])
  if (given['seconds'] == null) return DEFAULT_SECONDS
  return asInteger(given['seconds'], `${path}.seconds`, MIN_SECONDS, MAX_SECONDS)
}

/** The `x-parley-metadata` header counts here as on a socket; the body's own values win. */
function withMetadata(request: FastifyRequest, session: Json): Json {
  if (session['type'] === 'translation')
    throw invalidValue('session.type', 'translation', ['realtime', 'transcription'])
  const fromHeader = headerMetadata(request)
  if (Object.keys(fromHeader).length === 0) return session
  const data =
    session['providerData'] == null ? {} : asObject(session['providerData'], 'session.providerData')
  const parley = data['parley'] == null ? {} : asObject(data['parley'], 'session.providerData.parley')
  const own = parley['metadata'] ?? data['metadata']
  const metadata = {
    ...fromHeader,
    ...(own == null ? {} : asObject(own, 'session.providerData.parley.metadata')),
  }
  return { ...session, providerData: { parley: { ...parley, metadata } } }
}

async function answer(reply: FastifyReply, make: () => Promise<object>): Promise<FastifyReply> {
  try {
    // A secret is nobody's to keep.
    return reply.header('cache-control', 'no-store').send(await make())
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const { code, message, param } = error
    return reply.code(ERRORS[code].status).send(openaiError(code, message, param))
  }
}
