/** The session as a wire sees it: bytes and client events in, one queue of outputs out. */
import type { Pipeline } from '../config/pipeline.ts'
import type { ServerTools } from '../stage/tools.ts'
import type { ClientEvent } from './client.ts'
import type { SessionOutput } from './output.ts'
import type { SessionSettings } from './settings.ts'

/** `idle`: the caller let every idle prompt go by. */
export type CloseReason = 'client' | 'expired' | 'drain' | 'limit' | 'idle' | 'error'

/** What a wire can do; the session asks these and never the wire's name. */
export interface WireCaps {
  /** How far ahead of playback the wire wants audio; null: unpaced. */
  readonly leadMs: number | null
  /** The far side can be told to drop what it holds: a paused answer falls silent at once and resumes where it was heard. */
  readonly ownsOutput: boolean
  /** The far side reports what it played (marks, `played`, truncate). */
  readonly reportsPlayed: boolean
  /** Whether the far side can ask for the sound of earlier items; left out: it is kept for that. */
  readonly retrieval?: 'kept' | 'never'
  /** Somebody at the far side can agree to a call of a tool; left out: nobody can be asked. */
  readonly asksApproval?: true
}

export interface Session {
  readonly id: string
  readonly settings: SessionSettings
  /** Why it was closed, by whoever was first. */
  readonly closedFor?: CloseReason | undefined
  /** One reader: the wire. Ends when the session closed. Taking an item from it is what "sent" means. */
  readonly outputs: AsyncIterable<SessionOutput>
  /** The caller's audio in `settings.inputFormat`; any length, bytes may split a sample. Never blocks. */
  audio(bytes: Uint8Array): void
  send(event: ClientEvent): void
  /** Ends everything under the session; resolves when nothing is left running. Idempotent. */
  close(reason: CloseReason): Promise<void>
}

/** Trusted and untrusted facts a session begins with. */
export interface SessionOrigin {
  readonly wire: string
  readonly caps: WireCaps
  readonly pipeline: string | null
  /** What the client asked for as `model`, whatever became of it; left out: nothing. */
  readonly model?: string
  readonly key: { readonly id: string; readonly attributes: Readonly<Record<string, string>> } | null
  readonly metadata: Readonly<Record<string, unknown>>
  readonly user: string | null
  /** Metadata that a backend minted into a client secret: trusted above `metadata`. */
  readonly minted?: Readonly<Record<string, unknown>>
  /**
   * What the session begins with, of the pipeline's own settings; left out: just those. Trusted: `clientMay` is not asked,
   * so a pure function of its argument, and never a client's word unchecked.
   */
  readonly begin?: (pipeline: SessionSettings) => SessionSettings
  /**
   * Tools that the wire runs in this session, by what its pipeline allows; left out: none. Of one name the pipeline's own
   * counts. Trusted as `begin` is.
   */
  readonly tools?: (pipeline: Pipeline) => ServerTools
}

/** Thrown by `open` when the server is full or draining; `code` is of the table in `errors.ts`. */
export class SessionRefused extends Error {
  override readonly name = 'SessionRefused'
  constructor(
    readonly code: 'server_full' | 'key_sessions_full' | 'draining' | 'no_pipeline',
    message: string,
  ) {
    super(message)
  }
}

export interface SessionHost {
  open(origin: SessionOrigin): Session
}
