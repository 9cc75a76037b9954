/** What every command is given, so that tests can give something else. */
import type { Clock } from '../clock.ts'
import type { Terminal } from './terminal.ts'

export interface CommandContext {
  readonly terminal: Terminal
  readonly clock: Clock
  readonly env: Readonly<Record<string, string | undefined>>
  /** Calls `onStop` each time the process is asked to end, until the function it returns is called. */
  readonly watchStop: (onStop: () => void) => () => void
}

/** What a command's action answers with: one of `EXIT`. */
export type ExitCode = number
