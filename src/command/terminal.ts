/**
 * Where a command writes. Colours, bars and line rewriting only where a person looks on; a pipe or a log file
 * gets the same words as plain lines.
 */
export interface Paint {
  readonly bold: (text: string) => string
  readonly dim: (text: string) => string
  readonly red: (text: string) => string
  readonly green: (text: string) => string
  readonly yellow: (text: string) => string
  readonly blue: (text: string) => string
  readonly cyan: (text: string) => string
  readonly magenta: (text: string) => string
}

export interface Terminal {
  /** A person looks on: standard output is a terminal. */
  readonly interactive: boolean
  /** Characters a line holds. */
  readonly columns: number
  readonly paint: Paint
  /** To standard output, as it is. */
  write(text: string): void
  /** To standard output, with a line end. */
  line(text?: string): void
  /** To standard error, with a line end. */
  complain(text: string): void
}

const codes = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, blue: 34, magenta: 35, cyan: 36 } as const

/** `coloured` paints with ANSI codes; `plain` gives every text back unchanged. */
export function makePaint(mode: 'coloured' | 'plain'): Paint {
  const one = (code: number) => (text: string) =>
    mode === 'plain' || text === '' ? text : `\u001b[${code}m${text}\u001b[${code < 10 ? 22 : 39}m`
  return {
    bold: one(codes.bold),
    dim: one(codes.dim),
    red: one(codes.red),
    green: one(codes.green),
    yellow: one(codes.yellow),
    blue: one(codes.blue),
    cyan: one(codes.cyan),
    magenta: one(codes.magenta),
  }
}

/** A pipe has no width; this is what its lines are laid out for. */
const PIPE_COLUMNS = 100

interface Output {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

/** The process's own terminal. `NO_COLOR` (any value) and `TERM=dumb` turn colours off on a terminal too. */
export function processTerminal(
  out: Output = process.stdout,
  err: Output = process.stderr,
  env: NodeJS.ProcessEnv = process.env,
): Terminal {
  const interactive = out.isTTY === true && env['TERM'] !== 'dumb'
  return {
    interactive,
    get columns() {
      return Math.max(60, Math.min(out.columns ?? PIPE_COLUMNS, 120))
    },
    paint: makePaint(interactive && env['NO_COLOR'] === undefined ? 'coloured' : 'plain'),
    write: (text) => void out.write(text),
    line: (text = '') => void out.write(`${text}\n`),
    complain: (text) => void err.write(`${text}\n`),
  }
}
