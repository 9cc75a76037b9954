/** The toolboxes of all pipelines. A reload makes new ones; the old ones are closed when no session can use them any more. */
import type { Pipeline } from '../config/pipeline.ts'
import { NO_TOOLS, type ServerTools } from '../stage/tools.ts'
import type { NamedServers } from './named-servers.ts'
import { Toolbox } from './toolbox.ts'

export class ToolShelf {
  readonly #note: (message: string) => void
  readonly #named: NamedServers | undefined
  readonly #boxes = new Map<string, Toolbox>()

  /** `named`: that clients may name; closed with the shelf. */
  constructor(note: (message: string) => void, named?: NamedServers) {
    this.#note = note
    this.#named = named
  }

  /** One for each set of tools: a pipeline that is loaded again unchanged keeps its connections. */
  of({ tools }: Pipeline): ServerTools {
    const named = this.#named
    if (tools.length === 0 && !named?.allowed.length) return NO_TOOLS
    const key = JSON.stringify(tools)
    let box = this.#boxes.get(key)
    if (!box) {
      box = new Toolbox({ tools, note: this.#note, ...(named ? { named } : {}) })
      this.#boxes.set(key, box)
      void box.prepare()
    }
    return box
  }

  async close(): Promise<void> {
    await Promise.all([...this.#boxes.values(), this.#named].map((one) => one?.close()))
    this.#boxes.clear()
  }
}
