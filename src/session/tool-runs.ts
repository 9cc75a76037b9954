/**
 * What the session asks of the server's tools: calls, each made once, and what the MCP servers offer that a client names. Each
 * outcome is reported once, and all of it ends with the session.
 */
import type { Clock } from '../clock.ts'
import { type ServerTools, ToolError } from '../stage/tools.ts'
import type { Effect } from './effects.ts'
import type { SessionEvent } from './events.ts'

export interface ToolRunsOptions {
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly report: (event: Extract<SessionEvent, { type: 'toolAnswered' | 'toolsListed' }>) => void
}

/** Listings of one session under way: a client that names servers in a flood does not pass it on to them. */
const MAX_LISTINGS = 8

export class ToolRuns {
  readonly #tools: ServerTools
  readonly #options: ToolRunsOptions
  /** By call id: a model that repeats one gets no second run. */
  readonly #made = new Set<string>()
  #listings = 0

  constructor(tools: ServerTools, options: ToolRunsOptions) {
    this.#tools = tools
    this.#options = options
  }

  do(effect: Extract<Effect, { do: 'callTool' | 'listTools' }>): void {
    void (effect.do === 'callTool' ? this.#call(effect) : this.#list(effect))
  }

  async #call(effect: Extract<Effect, { do: 'callTool' }>): Promise<void> {
    const { clock, signal, report } = this.#options
    const { callId } = effect.call
    if (this.#made.has(callId)) return
    this.#made.add(callId)
    const told = await this.#outcome(effect)
    if (!signal.aborted) report({ type: 'toolAnswered', at: clock.now(), callId, ...told })
  }

  async #list({ itemId, access }: Extract<Effect, { do: 'listTools' }>): Promise<void> {
    const { clock, signal, report } = this.#options
    const full = this.#listings >= MAX_LISTINGS
    this.#listings++
    const asked = full ? null : this.#tools.list?.(access, { signal, clock })
    const tools = (await asked?.catch(() => null)) ?? null
    this.#listings--
    if (!signal.aborted) report({ type: 'toolsListed', at: clock.now(), itemId, tools })
  }

  async #outcome({ call, access }: Extract<Effect, { do: 'callTool' }>) {
    const { clock, signal } = this.#options
    try {
      const output = await this.#tools.run(call, { signal, clock, ...(access ? { access } : {}) })
      return { output, error: null }
    } catch (error) {
      return { output: null, error: error instanceof ToolError ? error.message : 'The tool failed.' }
    }
  }
}
