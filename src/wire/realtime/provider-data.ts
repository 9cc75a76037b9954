/**
 * What a client says to Parley beyond OpenAI's API: `session.providerData.parley`, and the same facts from the
 * URL and the `x-parley-metadata` header. Untrusted: the key's own attributes stand above it.
 */
import { asBoolean, asInteger, asObject, asOneOf, asOpaque, asString, type Json, Refusal } from './check.ts'

export type Metadata = Readonly<Record<string, unknown>>

/** Absent members stay as they are. */
export interface ParleyRequest {
  readonly pipeline?: string
  readonly metadata?: Metadata
  readonly user?: string
  /** Sends `parley.turn` with the record of each turn. */
  readonly turnEvents?: boolean
  /** `early`: words the recogniser agrees on are shown while the caller still speaks. */
  readonly transcriptDeltas?: 'early' | 'committed'
  /** Paces the audio of answers: at most this far ahead of playback; null: unpaced. */
  readonly leadMs?: number | null
}

export const MAX_USER_CHARS = 256
const MAX_METADATA_KEYS = 64
const MAX_KEY_CHARS = 64
const MAX_METADATA_CHARS = 16_384
const MAX_LEAD_MS = 60_000

export function parseProviderData(value: unknown): ParleyRequest {
  if (value === undefined || value === null) return {}
  const given = asObject(value, 'session.providerData')
  const path = 'session.providerData.parley'
  const parley = given['parley'] == null ? {} : asObject(given['parley'], path)
  const metadata = parley['metadata'] ?? given['metadata']
  return {
    ...(parley['pipeline'] == null
      ? {}
      : { pipeline: asString(parley['pipeline'], `${path}.pipeline`, 256) }),
    ...(metadata == null ? {} : { metadata: parseMetadata(metadata, `${path}.metadata`) }),
    ...(parley['user'] == null ? {} : { user: asString(parley['user'], `${path}.user`, MAX_USER_CHARS) }),
    ...(parley['turnEvents'] == null
      ? {}
      : { turnEvents: asBoolean(parley['turnEvents'], `${path}.turnEvents`) }),
    ...(parley['transcriptDeltas'] == null
      ? {}
      : {
          transcriptDeltas: asOneOf(parley['transcriptDeltas'], `${path}.transcriptDeltas`, [
            'early',
            'committed',
          ]),
        }),
    ...parsePacing(parley['pacing'], `${path}.pacing`),
  }
}

function parsePacing(value: unknown, path: string): { leadMs?: number | null } {
  if (value === undefined) return {}
  if (value === null) return { leadMs: null }
  const leadMs = asObject(value, path)['leadMs']
  if (leadMs === undefined) return {}
  return { leadMs: leadMs === null ? null : asInteger(leadMs, `${path}.leadMs`, 0, MAX_LEAD_MS) }
}

/** Any JSON values by name, bounded in number, depth and size. */
export function parseMetadata(value: unknown, path: string): Metadata {
  const metadata: Json = asObject(value, path)
  const keys = Object.keys(metadata)
  const tooMany = keys.length > MAX_METADATA_KEYS || keys.some((key) => key.length > MAX_KEY_CHARS)
  asOpaque(metadata, path)
  if (tooMany || JSON.stringify(metadata).length > MAX_METADATA_CHARS) {
    const text = `Invalid '${path}': at most ${MAX_METADATA_KEYS} members with names of ${MAX_KEY_CHARS} characters, together at most ${MAX_METADATA_CHARS} characters.`
    throw new Refusal('invalid_value', text, path)
  }
  return metadata
}
