/**
 * The processes of a benchmark. Server and load generator are processes of their own, each pinned to a core where
 * `taskset` exists, so that making the load costs the measured process nothing. The benchmark calls their functions
 * over Node's own channel: one request, one reply.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** Functions of another process; parameters and results are structured clones. */
export type Api = { readonly [method: string]: (params: never) => Promise<unknown> }

interface Request {
  readonly id: number
  readonly method: string
  readonly params: unknown
}

type Reply = { readonly id: number } & ({ readonly result: unknown } | { readonly error: string })

export interface ProcessOptions {
  /** Null: wherever the system puts it. */
  readonly core: number | null
  readonly nodeArgs?: readonly string[]
}

export const canPin: boolean = spawnSync('taskset', ['--version']).status === 0

/** Starts `bench/harness/NAME.ts`. It ends with this process at the latest. */
export function startProcess<A extends Api>(
  name: string,
  { core, nodeArgs = [] }: ProcessOptions,
): Remote<A> {
  const script = fileURLToPath(new URL(`./${name}.ts`, import.meta.url))
  const node = [
    process.execPath,
    '--disable-warning=ExperimentalWarning',
    // As `bin/parley.js` sets it.
    '--no-allocation-site-pretenuring',
    ...nodeArgs,
    '--import',
    import.meta.resolve('tsx'),
    script,
  ]
  const [command, ...args] = core !== null && canPin ? ['taskset', '-c', String(core), ...node] : node
  const child = spawn(command!, args, {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    serialization: 'advanced',
  })
  return new Remote<A>(name, child)
}

export class Remote<A extends Api> {
  readonly #name: string
  readonly #child: ChildProcess
  readonly #pending = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  readonly #ended: Promise<void>
  #calls = 0

  constructor(name: string, child: ChildProcess) {
    this.#name = name
    this.#child = child
    child.on('message', (reply: Reply) => {
      const waiter = this.#pending.get(reply.id)
      this.#pending.delete(reply.id)
      if ('error' in reply) waiter?.reject(new Error(`${this.#name}: ${reply.error}`))
      else waiter?.resolve(reply.result)
    })
    this.#ended = new Promise((resolve) =>
      child.once('exit', (code, signal) => {
        for (const { reject } of this.#pending.values())
          reject(new Error(`${this.#name} ended (${signal ?? code})`))
        this.#pending.clear()
        resolve()
      }),
    )
  }

  call<M extends keyof A & string>(
    method: M,
    params: Parameters<A[M]>[0],
  ): Promise<Awaited<ReturnType<A[M]>>> {
    const id = this.#calls++
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve: resolve as (value: unknown) => void, reject })
      this.#child.send({ id, method, params } satisfies Request, (error) => {
        if (error) reject(error)
      })
    })
  }

  /** Ends the process. Resolves when it has gone. */
  async stop(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect()
    await this.#ended
  }
}

/** Answers the parent's calls with these functions; ends the process when the parent has gone. */
export function serveParent(api: Api): void {
  process.on('message', (request: Request) => {
    const call = api[request.method] as ((params: unknown) => Promise<unknown>) | undefined
    const answer = call ? call(request.params) : Promise.reject(new Error(`no method ${request.method}`))
    answer.then(
      (result) => process.send?.({ id: request.id, result } satisfies Reply),
      (error: unknown) => {
        const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
        process.send?.({ id: request.id, error: text } satisfies Reply)
      },
    )
  })
  process.on('disconnect', () => process.exit(0))
}
