/** A command's surroundings in memory: what it wrote, and a way to ask it to end. */
import type { Clock } from '../../src/clock.ts'
import { VirtualClock } from '../../src/clock.ts'
import type { CommandContext } from '../../src/command/context.ts'
import { makePaint, type Terminal } from '../../src/command/terminal.ts'

export class MemoryContext implements CommandContext {
  out = ''
  err = ''
  readonly clock: Clock
  readonly env: Record<string, string | undefined>
  readonly terminal: Terminal
  readonly #stops = new Set<() => void>()

  constructor(options: { clock?: Clock; env?: Record<string, string | undefined> } = {}) {
    this.clock = options.clock ?? new VirtualClock()
    this.env = options.env ?? {}
    this.terminal = {
      interactive: false,
      columns: 100,
      paint: makePaint('plain'),
      write: (text) => void (this.out += text),
      line: (text = '') => void (this.out += `${text}\n`),
      complain: (text) => void (this.err += `${text}\n`),
    }
  }

  readonly watchStop = (onStop: () => void) => {
    this.#stops.add(onStop)
    return () => void this.#stops.delete(onStop)
  }

  /** As Ctrl+C does. */
  interrupt(): void {
    for (const onStop of [...this.#stops]) onStop()
  }

  get watchers(): number {
    return this.#stops.size
  }
}
