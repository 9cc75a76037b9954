/** The toolboxes of all pipelines. A reload makes new ones; the old ones are closed when no session can use them any more. */
import type { Pipeline } from '../config/pipeline.ts'
import { NO_TOOLS, type ServerTools } from '../stage/tools.ts'
import { Toolbox } from './toolbox.ts'

export class ToolShelf {
  readonly #note: (message: string) => void
  readonly #boxes = new Map<string, Toolbox>()

  constructor(note: (message: string) => void) {
    this.#note = note
  }

  /** One for each set of tools: a pipeline that is loaded again unchanged keeps its connections. */
  of({ tools }: Pipeline): ServerTools {
    if (tools.length === 0) return NO_TOOLS
    const key = JSON.stringify(tools)
    let box = this.#boxes.get(key)
    if (!box) {
      box = new Toolbox({ tools, note: this.#note })
      this.#boxes.set(key, box)
      void box.prepare()
    }
    return box
  }

  async close(): Promise<void> {
    await Promise.all([...this.#boxes.values()].map((box) => box.close()))
    this.#boxes.clear()
  }
}
