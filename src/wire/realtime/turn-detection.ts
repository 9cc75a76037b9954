/**
 * Turn detection on the wire. Members left out of a new object take the pipeline's values.
 */
import type { Eagerness } from '../../listen/patience.ts'
import type { TurnDetection } from '../../session/settings.ts'
import { asBoolean, asInteger, asNumber, asObject, asOneOf } from './check.ts'

export type { Eagerness }

/** What the client asked for; absent members are the pipeline's. */
export interface TurnDetectionRequest {
  readonly type: 'server_vad' | 'semantic_vad'
  readonly eagerness: Eagerness
  readonly threshold?: number
  readonly prefixPaddingMs?: number
  readonly silenceDurationMs?: number
  readonly createResponse?: boolean
  readonly interruptResponse?: boolean
  readonly idleTimeoutMs: number | null
}

const EAGERNESS: readonly Eagerness[] = ['low', 'medium', 'high', 'auto']

/** Where a pipeline itself listens by hand but the client asks for detection: OpenAI's documented values. */
export const FALLBACK: TurnDetection = {
  type: 'server_vad',
  threshold: 0.5,
  prefixPaddingMs: 300,
  silenceDurationMs: 500,
  eagerness: 'auto',
  idleTimeoutMs: null,
  createResponse: true,
  interruptResponse: true,
}

export function parseTurnDetection(value: unknown, path: string): TurnDetectionRequest | null {
  if (value === null) return null
  const given = asObject(value, path)
  const optional = <T>(name: string, read: (value: unknown, path: string) => T): T | undefined =>
    given[name] == null ? undefined : read(given[name], `${path}.${name}`)
  const type = optional('type', (v, p) => asOneOf(v, p, ['server_vad', 'semantic_vad'])) ?? 'server_vad'
  const createResponse = optional('create_response', asBoolean)
  const interruptResponse = optional('interrupt_response', asBoolean)
  const shared = {
    ...(createResponse === undefined ? {} : { createResponse }),
    ...(interruptResponse === undefined ? {} : { interruptResponse }),
  }
  if (type === 'semantic_vad') {
    const eagerness = optional('eagerness', (v, p) => asOneOf(v, p, EAGERNESS)) ?? 'auto'
    return { type, eagerness, idleTimeoutMs: null, ...shared }
  }
  const threshold = optional('threshold', (v, p) => asNumber(v, p, 0, 1))
  const prefixPaddingMs = optional('prefix_padding_ms', (v, p) => asInteger(v, p, 0, 10_000))
  const silenceDurationMs = optional('silence_duration_ms', (v, p) => asInteger(v, p, 0, 60_000))
  return {
    type,
    eagerness: 'auto',
    idleTimeoutMs: optional('idle_timeout_ms', (v, p) => asInteger(v, p, 5_000, 30_000)) ?? null,
    ...(threshold === undefined ? {} : { threshold }),
    ...(prefixPaddingMs === undefined ? {} : { prefixPaddingMs }),
    ...(silenceDurationMs === undefined ? {} : { silenceDurationMs }),
    ...shared,
  }
}

/** The session's setting for a request, where `pipeline` is what the session began with. */
export function resolveTurnDetection(
  request: TurnDetectionRequest | null,
  pipeline: TurnDetection | null,
): TurnDetection | null {
  if (request === null) return null
  const base = pipeline ?? FALLBACK
  return {
    type: request.type,
    threshold: request.threshold ?? base.threshold,
    prefixPaddingMs: request.prefixPaddingMs ?? base.prefixPaddingMs,
    silenceDurationMs: request.silenceDurationMs ?? base.silenceDurationMs,
    eagerness: request.eagerness,
    idleTimeoutMs: request.idleTimeoutMs,
    createResponse: request.createResponse ?? base.createResponse,
    interruptResponse: request.interruptResponse ?? base.interruptResponse,
  }
}

/** Every member, since clients act on the echo: the Agents SDK cancels by hand unless it reads `interrupt_response: true`. */
export function wireTurnDetection(setting: TurnDetection | null): unknown {
  if (setting === null) return null
  const shared = { create_response: setting.createResponse, interrupt_response: setting.interruptResponse }
  if (setting.type === 'semantic_vad')
    return { type: 'semantic_vad', eagerness: setting.eagerness ?? 'auto', ...shared }
  return {
    type: 'server_vad',
    threshold: setting.threshold,
    prefix_padding_ms: setting.prefixPaddingMs,
    silence_duration_ms: setting.silenceDurationMs,
    idle_timeout_ms: setting.idleTimeoutMs ?? null,
    ...shared,
  }
}
