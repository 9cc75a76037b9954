/** Between a caller and a session: in memory, or over a socket as any Realtime client has it. */
import type { TurnRecord } from '../../src/trace/record.ts'

/** What a caller does. Audio is PCM16 at 24 kHz. */
export interface Line {
  audio(bytes: Uint8Array): void
  truncate(itemId: string, playedMs: number): void
  /** Gives the result, and asks for what follows. */
  answerTool(callId: string, output: string): void
  hangUp(): Promise<void>
}

/** What a caller is told. */
export interface LineEvents {
  created(response: string): void
  audio(response: string, item: string, bytes: Uint8Array): void
  /** What was sent and not played is void. */
  cleared(): void
  /** The caller is heard to speak, which ends what plays; `truncates`: the client says how much it was. */
  interrupted(truncates: 'truncates' | 'no'): void
  toolCalled(response: string, callId: string, name: string): void
  done(response: string, status: string): void
  record(record: TurnRecord): void
  /** What the caller's client sent was refused. */
  refused(why: string): void
  /** Something failed that is no response's. */
  fault(code: string): void
}

/** Opens a line of a lane; a caller may be put through to it. */
export type OpenLine = (lane: number, events: LineEvents) => Promise<Line>
