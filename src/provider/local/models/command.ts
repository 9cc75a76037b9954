/** Runs a package manager to its end, keeping the last of what it said for the error message. */
import { spawn } from 'node:child_process'

/** Characters of output kept. */
const TAIL = 2_000

export class CommandFailed extends Error {
  override readonly name = 'CommandFailed'
  constructor(
    readonly command: string,
    /** Undefined when it could not be started or was killed. */
    readonly exitCode: number | undefined,
    readonly output: string,
  ) {
    super(`${command} failed${exitCode === undefined ? '' : ` with exit code ${exitCode}`}`)
  }
}

export interface CommandOptions {
  readonly cwd?: string
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal | undefined
}

/** Resolves with its standard output's tail at exit code 0. Throws `CommandFailed`, or the signal's reason. */
export function runCommand(
  command: readonly [string, ...string[]],
  options: CommandOptions = {},
): Promise<string> {
  const [program, ...args] = command
  return new Promise((resolve, reject) => {
    options.signal?.throwIfAborted()
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...options.env },
      // `npm` is a .cmd file on Windows, which only a shell starts; our arguments need no quoting there.
      shell: process.platform === 'win32' && !program.endsWith('.exe'),
      ...(options.cwd && { cwd: options.cwd }),
    })
    let out = ''
    let all = ''
    child.stdout.on('data', (text: Buffer) => {
      out = (out + text).slice(-TAIL)
      all = (all + text).slice(-TAIL)
    })
    child.stderr.on('data', (text: Buffer) => {
      all = (all + text).slice(-TAIL)
    })
    const stop = () => void child.kill()
    options.signal?.addEventListener('abort', stop, { once: true })
    const name = command.slice(0, 3).join(' ')
    child.once('error', () => finish(() => reject(new CommandFailed(name, undefined, all))))
    child.once('close', (code) =>
      finish(() => (code === 0 ? resolve(out) : reject(new CommandFailed(name, code ?? undefined, all)))),
    )
    function finish(settle: () => void): void {
      options.signal?.removeEventListener('abort', stop)
      if (options.signal?.aborted) reject(options.signal.reason)
      else settle()
    }
  })
}
