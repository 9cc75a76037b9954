/** What an upgrade request says before the first event: model, metadata, user, and the key it came in with. */
import type { FastifyRequest } from 'fastify'
import type {} from '../../access/plugin.ts'
import type { SessionOrigin } from '../../session/session.ts'
import { Refusal } from './check.ts'
import { MAX_USER_CHARS, type Metadata, parseMetadata } from './provider-data.ts'

export interface UpgradeFacts {
  /** As the client wrote it. */
  readonly model: string | null
  readonly origin: SessionOrigin
}

const WIRE = 'realtime'
const HEADER = 'x-parley-metadata'
const MAX_HEADER_CHARS = 16_384

/** Throws `Refusal` for what no session can begin with. */
export function readUpgrade(request: FastifyRequest, hasPipeline: (name: string) => boolean): UpgradeFacts {
  const query = request.query as Readonly<Record<string, string | string[] | undefined>>
  const one = (name: string) => last(query[name])
  refuseLater(one('intent'), one('call_id'))
  const model = one('model') ?? null
  const caller = request.caller ?? null // No keys are configured, or the caller has no access plugin.
  return {
    model,
    origin: {
      wire: WIRE,
      // Clients play what they get; how far they came the clock says, until they say it better by a truncate.
      caps: { leadMs: null, ownsOutput: false, reportsPlayed: false },
      pipeline: pipelineOf(model, hasPipeline),
      key: caller && { id: caller.keyId, attributes: caller.attributes },
      metadata: parseMetadata({ ...headerMetadata(request), ...queryMetadata(query) }, 'metadata'),
      user: one('user')?.slice(0, MAX_USER_CHARS) ?? null,
    },
  }
}

function refuseLater(intent: string | undefined, callId: string | undefined): void {
  if (intent !== undefined)
    throw new Refusal('invalid_value', 'Transcription sessions are not supported yet.', 'intent')
  if (callId !== undefined)
    throw new Refusal('invalid_value', 'Connecting to a running call is not supported.', 'call_id')
}

/** A pipeline's name, bare or as `router/NAME`; any other model means the default pipeline. */
export function pipelineOf(model: string | null, hasPipeline: (name: string) => boolean): string | null {
  if (model === null) return null
  const name = model.replace(/^(?:router|inworld)\//, '')
  return hasPipeline(name) ? name : null
}

function queryMetadata(query: Readonly<Record<string, string | string[] | undefined>>): Metadata {
  const prefix = 'metadata.'
  const named = Object.keys(query).filter((key) => key.startsWith(prefix))
  return Object.fromEntries(named.map((key) => [key.slice(prefix.length), last(query[key])]))
}

function headerMetadata(request: FastifyRequest): Metadata {
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
