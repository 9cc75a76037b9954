/**
 * A gateway under measurement: a process on a core of its own that knows nothing of the benchmark. What it costs is read from
 * outside, so that all are weighed alike, with all their threads.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { canPin } from '../harness/process.ts'
import type { Target } from './load.ts'

export interface ContenderSpec {
  readonly name: string
  /** Arguments of `node`. */
  args(port: number): readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly model: string
  readonly headers: Readonly<Record<string, string>>
}

const CORE = 0
const START_MS = 60_000
const STOP_MS = 15_000
/** `/proc` counts in ticks of 10 ms. */
const TICK_MS = 10

const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1))

export class Contender {
  readonly name: string
  readonly target: Target
  readonly #child: ChildProcess

  private constructor(spec: ContenderSpec, child: ChildProcess, port: number) {
    this.name = spec.name
    this.#child = child
    this.target = { port, model: spec.model, headers: spec.headers }
  }

  /** Resolves when it listens. Rejects with what it said when it does not come up. */
  static async start(spec: ContenderSpec, nodeArgs: readonly string[] = []): Promise<Contender> {
    const port = await freePort()
    const node = [process.execPath, ...nodeArgs, ...spec.args(port)]
    const [command, ...args] = canPin ? ['taskset', '-c', String(CORE), ...node] : node
    const child = spawn(command!, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NODE_ENV: 'production', ...spec.env },
    })
    running.add(child)
    let said = ''
    for (const out of [child.stdout, child.stderr]) {
      out.on('data', (piece: Buffer) => {
        said = (said + piece.toString()).slice(-2000)
      })
    }
    child.once('exit', () => running.delete(child))
    const until = performance.now() + START_MS
    while (!(await listens(port))) {
      if (child.exitCode !== null || performance.now() > until) {
        child.kill('SIGKILL')
        throw new Error(`${spec.name} does not listen: ${said}`)
      }
      await wait(50)
    }
    return new Contender(spec, child, port)
  }

  /** User and system time of all its threads, milliseconds; NaN where there is no `/proc`. */
  cpuMs(): number {
    // What follows the command's closing parenthesis begins with the third field.
    const fields = this.#proc('stat').split(') ')[1]?.split(' ') ?? []
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS
  }

  /** The most memory it ever had, bytes; NaN where there is no `/proc`. */
  peakBytes(): number {
    return Number(/VmHWM:\s+(\d+) kB/.exec(this.#proc('status'))?.[1]) * 1024
  }

  #proc(file: 'stat' | 'status'): string {
    try {
      return readFileSync(`/proc/${this.#child.pid}/${file}`, 'latin1')
    } catch {
      return ''
    }
  }

  /** Asks it to end, and makes it. Resolves when it has gone. */
  async stop(): Promise<void> {
    if (!running.has(this.#child)) return
    const gone = new Promise<void>((resolve) => this.#child.once('exit', () => resolve()))
    this.#child.kill('SIGTERM')
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS)
    await gone
    clearTimeout(timer)
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' })
    const end = (answer: boolean) => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('connect', () => end(true))
    socket.once('error', () => end(false))
  })
}
