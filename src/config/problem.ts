/** What is wrong with a configuration file and where: the one thing every loader throws. */

export interface Position {
  readonly file: string
  /** From 1; 1:1 when the whole file is meant. */
  readonly line: number
  readonly column: number
}

export interface Problem extends Position {
  /** `error` stops the load; `warning` is shown and the load goes on. */
  readonly severity: 'error' | 'warning'
  /** Holds names of members and environment variables, never their values. */
  readonly message: string
}

/** `file:line:column: message`, as editors and terminals link it. */
export function formatProblem(problem: Problem): string {
  const kind = problem.severity === 'warning' ? 'warning: ' : ''
  return `${problem.file}:${problem.line}:${problem.column}: ${kind}${problem.message}`
}

/** Thrown by `loadSettings` and `loadPipelines` when at least one problem is an error. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  constructor(readonly problems: readonly Problem[]) {
    super(problems.map(formatProblem).join('\n'))
  }
}

export function hasErrors(problems: readonly Problem[]): boolean {
  return problems.some((problem) => problem.severity === 'error')
}

/** By file, line and column; stable, so that problems of one place keep their order. */
export function inOrder(problems: readonly Problem[]): Problem[] {
  return [...problems].sort((a, b) => compare(a.file, b.file) || a.line - b.line || a.column - b.column)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
