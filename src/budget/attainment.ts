/** How many turns of each route kept their budget, and who broke the others (`trace/broken-by.ts` says who). Pure counting. */
import type { StageName } from '../errors.ts'

type Part = StageName | 'endpoint'

export interface TurnFact {
  /** The language model's route: what an operator thinks of as "the" route. */
  readonly route: string
  /** Null: nothing was heard, and nothing was owed. */
  readonly actualMs: number | null
  readonly brokenBy: Part | null
}

export interface Attainment {
  turns: number
  kept: number
  readonly brokenBy: Record<Part, number>
}

/** One for each pipeline snapshot; bounded by its routes. */
export class AttainmentBook {
  readonly #routes = new Map<string, Attainment>()

  add({ route, actualMs, brokenBy }: TurnFact): void {
    if (actualMs === null && brokenBy === null) return
    let one = this.#routes.get(route)
    if (!one) {
      one = { turns: 0, kept: 0, brokenBy: { endpoint: 0, stt: 0, llm: 0, tts: 0 } }
      this.#routes.set(route, one)
    }
    one.turns++
    if (brokenBy === null) one.kept++
    else one.brokenBy[brokenBy]++
  }

  read(): ReadonlyMap<string, Readonly<Attainment>> {
    return this.#routes
  }
}
