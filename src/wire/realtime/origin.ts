/** What an upgrade request says before the first event: model, metadata, user, and the key it came in with. */
import type { FastifyRequest } from 'fastify'
import type {} from '../../access/plugin.ts'
import type { SessionOrigin } from '../../session/session.ts'
import { asOneOf, type Json, Refusal } from './check.ts'
import { pipelineOf } from './pipeline-name.ts'
import { MAX_USER_CHARS, type Metadata, parseMetadata } from './provider-data.ts'
import { parseSessionUpdate, type SessionKind } from './session-update.ts'
import { beginWith, type Start } from './start.ts'

export interface UpgradeFacts {
  /** As the client wrote it. */
  readonly model: string | null
  readonly origin: SessionOrigin
  readonly start: Start
}

const WIRE = 'realtime'
const HEADER = 'x-parley-metadata'
const MAX_HEADER_CHARS = 16_384

/** Throws `Refusal` for what no session can begin with. */
export function readUpgrade(request: FastifyRequest, hasPipeline: (name: string) => boolean): UpgradeFacts {
  const query = request.query as Readonly<Record<string, string | string[] | undefined>>
  const one = (name: string) => last(query[name])
  if (one('call_id') !== undefined)
    throw new Refusal('invalid_value', 'Connecting to a running call is not supported.', 'call_id')
  const secret = request.grant ?? null
  const start = secret ? startOf(secret.session) : plainStart(one('intent'))
  if (start.kind === 'realtime' && one('intent') !== undefined)
    throw new Refusal('invalid_value', 'This client secret is not for a transcription session.', 'intent')
  const minted = start.update?.echo.parley
  const model = secret ? mintedModel(secret.session) : (one('model') ?? null)
  const caller = request.caller ?? null // No keys are configured, or the caller has no access plugin.
  return {
    model,
    start,
    origin: {
      wire: WIRE,
      // Clients play what they get; how far they came the clock says, until they say it better by a truncate.
      caps: { leadMs: null, ownsOutput: false, reportsPlayed: false, asksApproval: true },
      pipeline: minted?.pipeline ?? pipelineOf(model, hasPipeline),
      key: caller && { id: caller.keyId, attributes: caller.attributes },
      metadata: parseMetadata({ ...headerMetadata(request), ...queryMetadata(query) }, 'metadata'),
      user: minted?.user ?? one('user')?.slice(0, MAX_USER_CHARS) ?? null,
      ...(minted?.metadata ? { minted: minted.metadata } : {}),
      ...(start.update || start.kind !== 'realtime' ? { begin: beginWith(start) } : {}),
    },
  }
}

function plainStart(intent: string | undefined): Start {
  const kind: SessionKind = intent === undefined ? 'realtime' : asOneOf(intent, 'intent', ['transcription'])
  return { kind, update: null, pins: null }
}

/** Of a session that was checked when its secret was minted. */
function startOf(session: Json): Start {
  const update = parseSessionUpdate(session, 'realtime')
  return { kind: update.kind ?? 'realtime', update, pins: { user: update.echo.parley?.user ?? null } }
}

/** Of a transcription session its recogniser's name, which may be a pipeline's. */
export function mintedModel(session: Json): string | null {
  const input = (session['audio'] as { input?: { transcription?: { model?: unknown } } } | undefined)?.input
  const model = session['type'] === 'transcription' ? input?.transcription?.model : session['model']
  return typeof model === 'string' ? model : null
}

function queryMetadata(query: Readonly<Record<string, string | string[] | undefined>>): Metadata {
  const prefix = 'metadata.'
  const named = Object.keys(query).filter((key) => key.startsWith(prefix))
  return Object.fromEntries(named.map((key) => [key.slice(prefix.length), last(query[key])]))
}

export function headerMetadata(request: FastifyRequest): Metadata {
  const header = last(request.headers[HEADER])
  if (header === undefined) return {}
  try {
    if (header.length <= MAX_HEADER_CHARS) return parseMetadata(JSON.parse(header), HEADER)
  } catch (error) {
    if (error instanceof Refusal) throw error
  }
  throw new Refusal('invalid_value', `Invalid '${HEADER}': expected a small JSON object.`, HEADER)
}

function last(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.at(-1) : value
}
