/** Brings embedded models one after the other and shows how far each has come: a bar for a person, lines for a log. */
import { Presets, SingleBar } from 'cli-progress'
import { formatBytes } from './format.ts'
import type { ModelShelf, ShelfModel, ShelfProgress } from './shelf.ts'
import type { Terminal } from './terminal.ts'

export interface Brought {
  readonly model: ShelfModel
  /** null: it is there. Else why it is not, in words for a person. */
  readonly missing: string | null
}

/** One after the other, since they share the line. Throws only the signal's reason. */
export async function bringModels(
  models: readonly ShelfModel[],
  shelf: ModelShelf,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<Brought[]> {
  const brought: Brought[] = []
  for (const model of models) {
    const progress = terminal.interactive ? new Bar(model, terminal) : new Lines(model, terminal)
    try {
      await shelf.ensure(model.name, { onProgress: (now) => progress.at(now), signal })
      progress.done()
      brought.push({ model, missing: null })
    } catch (error) {
      progress.stop()
      signal.throwIfAborted()
      const missing = error instanceof Error ? error.message : String(error)
      terminal.line(`  ${terminal.paint.yellow('✕')} ${model.name}: ${missing}`)
      brought.push({ model, missing })
    }
  }
  return brought
}

interface Progress {
  at(now: ShelfProgress): void
  done(): void
  stop(): void
}

class Bar implements Progress {
  readonly #bar: SingleBar
  readonly #model: ShelfModel
  readonly #terminal: Terminal
  #started = false

  constructor(model: ShelfModel, terminal: Terminal) {
    this.#model = model
    this.#terminal = terminal
    const format = `  {name} ${terminal.paint.cyan('{bar}')} {percentage} %  {sizes}  {phase}`
    this.#bar = new SingleBar({ format, hideCursor: true, clearOnComplete: true, barsize: 28 }, Presets.rect)
  }

  at({ phase, bytes, totalBytes }: ShelfProgress): void {
    const sizes = `${formatBytes(bytes)} of ${formatBytes(totalBytes)}`
    const payload = { name: this.#model.name.padEnd(16), phase, sizes }
    if (this.#started) {
      this.#bar.setTotal(totalBytes)
      return this.#bar.update(Math.min(bytes, totalBytes), payload)
    }
    this.#started = true
    this.#bar.start(totalBytes, bytes, payload)
  }

  done(): void {
    this.stop()
    this.#terminal.line(arrived(this.#model, this.#terminal))
  }

  stop(): void {
    if (this.#started) this.#bar.stop()
  }
}

/** A log wants few lines: the beginning, each quarter of a long download, the end. */
const LONG_BYTES = 20_000_000

class Lines implements Progress {
  readonly #model: ShelfModel
  readonly #terminal: Terminal
  #phase = ''
  #quarter = 0

  constructor(model: ShelfModel, terminal: Terminal) {
    this.#model = model
    this.#terminal = terminal
  }

  at({ phase, bytes, totalBytes }: ShelfProgress): void {
    const { name } = this.#model
    if (phase !== this.#phase) {
      this.#phase = phase
      this.#quarter = 0
      this.#terminal.line(`  ${name}: ${phase}, ${formatBytes(totalBytes)}`)
    }
    const quarter = Math.floor((4 * bytes) / Math.max(1, totalBytes))
    if (totalBytes < LONG_BYTES || quarter <= this.#quarter || quarter > 3) return
    this.#quarter = quarter
    this.#terminal.line(`  ${name}: ${phase}, ${quarter * 25} %`)
  }

  done(): void {
    this.#terminal.line(arrived(this.#model, this.#terminal))
  }

  stop(): void {}
}

function arrived(model: ShelfModel, { paint }: Terminal): string {
  return `  ${paint.green('✓')} ${model.name}  ${paint.dim(`${model.title}, ${model.licence}: ${model.purpose}`)}`
}
