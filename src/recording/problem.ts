/** A file that cannot be replayed, and why. */
export class RecordingProblem extends Error {
  override readonly name = 'RecordingProblem'
  constructor(
    message: string,
    /** Counted from one; null: the file as a whole. */
    readonly line: number | null = null,
  ) {
    super(line === null ? message : `line ${line}: ${message}`)
  }
}
