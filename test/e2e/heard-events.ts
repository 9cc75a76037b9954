/** Every event of a connection, kept, and waited upon by what it is. */

export interface WireEvent {
  readonly type: string
  // biome-ignore lint/suspicious/noExplicitAny: events are looked into as they come.
  readonly [member: string]: any
}

/** Then a test that waits is told what came instead, which its runner's own limit would not say. */
const PATIENCE_MS = 25_000

export class HeardEvents {
  readonly all: WireEvent[] = []
  #wake: (() => void)[] = []
  #over: Error | undefined

  readonly push = (event: unknown): void => {
    this.all.push(event as WireEvent)
    this.#stir()
  }

  /** No more will come: those who wait are told why. */
  end(reason: string): void {
    this.#over ??= new Error(reason)
    this.#stir()
  }

  /** How many there are: the place from which to look for what comes next. */
  get here(): number {
    return this.all.length
  }

  /** The first event of a type, from `from` on, that is as wanted. */
  async next(type: string, from = 0, wanted: (event: WireEvent) => boolean = () => true): Promise<WireEvent> {
    const late = setTimeout(() => this.end('nothing came'), PATIENCE_MS)
    try {
      return await this.#find(type, from, wanted)
    } finally {
      clearTimeout(late)
    }
  }

  async #find(type: string, from: number, wanted: (event: WireEvent) => boolean): Promise<WireEvent> {
    for (let at = from; ; ) {
      for (; at < this.all.length; at++) {
        const event = this.all[at]!
        if (event.type === type && wanted(event)) return event
      }
      if (this.#over)
        throw new Error(`${this.#over.message} while waiting for ${type}; had ${this.types(from)}`)
      await new Promise<void>((resolve) => this.#wake.push(resolve))
    }
  }

  of(type: string, from = 0): WireEvent[] {
    return this.all.slice(from).filter((event) => event.type === type)
  }

  /** Types in order, repetitions of deltas as one. */
  types(from = 0): string[] {
    const types = this.all.slice(from).map((event) => event.type)
    return types.filter((type, i) => !type.endsWith('.delta') || type !== types[i - 1])
  }

  /** Sound of a response so far: PCM16 at 24 kHz. */
  audio(responseId: string): Buffer {
    const deltas = this.of('response.output_audio.delta').filter((e) => e['response_id'] === responseId)
    return Buffer.concat(deltas.map((e) => Buffer.from(e['delta'], 'base64')))
  }

  #stir(): void {
    for (const wake of this.#wake.splice(0)) wake()
  }
}
