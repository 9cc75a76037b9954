/** What a person did or can mend: shown as one clear message, never with a stack trace. */
export class UserError extends Error {
  override readonly name = 'UserError'
  /** `hint` is shown under the message: what to type or change next. */
  constructor(
    message: string,
    readonly hint?: string,
  ) {
    super(message)
  }
}

/** The exit codes of every command. */
export const EXIT = { ok: 0, failed: 1, usage: 2 } as const

/** The system's own code of an error (`ENOENT`, `EADDRINUSE` …), looked for down its causes; undefined if it has none. */
export function systemCode(error: unknown): string | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    if ('code' in at && typeof at.code === 'string') return at.code
    // Node tries each address of a host name and reports the attempts together.
    const first = at instanceof AggregateError ? systemCode(at.errors[0]) : undefined
    if (first) return first
  }
  return undefined
}
