/**
 * What a session begins with: its kind, and what a client secret was minted with. A transcription session is one whose
 * every turn ends at its words: nothing is created in answer, and what was recognised is always shown.
 */
import type { SessionOrigin } from '../../session/session.ts'
import type { SessionSettings } from '../../session/settings.ts'
import { resolvePatch, type SessionKind, type SessionUpdate, type WireEcho } from './session-update.ts'

/** What a client secret holds fast; members that are null were left to the client. */
export interface Pins {
  readonly user: string | null
}

export interface Start {
  readonly kind: SessionKind
  /** Of a client secret; null: the pipeline's own settings. */
  readonly update: SessionUpdate | null
  /** null: the session was opened with a key, or none. */
  readonly pins: Pins | null
}

export const PLAIN: Start = { kind: 'realtime', update: null, pins: null }

export function beginWith({ kind, update }: Start): NonNullable<SessionOrigin['begin']> {
  return (pipeline) => {
    const settings = { ...pipeline, ...(update ? resolvePatch(update, pipeline) : {}) }
    if (kind === 'realtime') return settings
    const words = { kind, showTranscription: true, tools: [], maxRevisions: 0 } as const
    return { ...settings, ...words, ...forWords(settings) }
  }
}

/** A patch for a session that runs by `settings`. */
export function patchFor(
  settings: SessionSettings,
  patch: Partial<SessionSettings>,
): Partial<SessionSettings> {
  return settings.kind === 'transcription' ? { ...patch, ...forWords(patch) } : patch
}

function forWords({ turnDetection, showTranscription }: Partial<SessionSettings>): Partial<SessionSettings> {
  return {
    ...(turnDetection ? { turnDetection: { ...turnDetection, createResponse: false } } : {}),
    ...(showTranscription === undefined ? {} : { showTranscription: true }),
  }
}

/** What of a secret's session its holder is shown: not where it is routed, which is between the backend and us. */
export function shownToHolder(echo: WireEcho): WireEcho {
  if (!echo.parley) return echo
  const { pipeline: _p, metadata: _m, user: _u, ...parley } = echo.parley
  const { parley: _, ...rest } = echo
  return Object.keys(parley).length > 0 ? { ...rest, parley } : rest
}
