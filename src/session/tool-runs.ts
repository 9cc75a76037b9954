/** The calls of the server's tools that are under way: each made once, its outcome reported once, all ended with the session. */
import type { Clock } from '../clock.ts'
import type { ToolCall } from '../dialect/neutral.ts'
import { type ServerTools, ToolError } from '../stage/tools.ts'
import type { SessionEvent } from './events.ts'

export interface ToolRunsOptions {
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly report: (event: Extract<SessionEvent, { type: 'toolAnswered' }>) => void
}

export class ToolRuns {
  readonly #tools: ServerTools
  readonly #options: ToolRunsOptions
  /** By call id: a model that repeats one gets no second run. */
  readonly #made = new Set<string>()

  constructor(tools: ServerTools, options: ToolRunsOptions) {
    this.#tools = tools
    this.#options = options
  }

  async call(call: ToolCall): Promise<void> {
    const { clock, signal, report } = this.#options
    const { callId } = call
    if (this.#made.has(callId)) return
    this.#made.add(callId)
    const told = await this.#outcome(call)
    if (!signal.aborted) report({ type: 'toolAnswered', at: clock.now(), callId, ...told })
  }

  async #outcome(call: ToolCall): Promise<{ readonly output: string | null; readonly error: string | null }> {
    const { clock, signal } = this.#options
    try {
      return { output: await this.#tools.run(call, { signal, clock }), error: null }
    } catch (error) {
      return { output: null, error: error instanceof ToolError ? error.message : 'The tool failed.' }
    }
  }
}
