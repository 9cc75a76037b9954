/**
 * The catalogue: models by provider and id, and by the name they have everywhere. Sources are laid over each other once; look-ups
 * are of maps. Pure.
 *
 *     built-in ◄ refreshed ◄ the operator's     each row says where it is from, and when it was read
 */
import type { CatalogEntry } from './entry.ts'
import { bareName, canonicalProvider, rankOf, withoutDate } from './names.ts'
import { entryOf, lay, type Row } from './rows.ts'

export interface CatalogSources {
  readonly builtIn?: Iterable<Row>
  readonly refreshed?: Iterable<Row>
  /** Correct a price member by member; the others replace it whole. */
  readonly operator?: Iterable<Row>
}

export class Catalog {
  readonly #byProvider = new Map<string, Map<string, Row>>()
  readonly #aliases = new Map<string, Row>()
  /** Of the few rows that somebody asked for: most servers use a handful. */
  readonly #entries = new Map<Row, CatalogEntry>()
  #names: Map<string, Row[]> | undefined

  constructor({ builtIn = [], refreshed = [], operator = [] }: CatalogSources) {
    for (const row of builtIn) this.#put(row, 'whole')
    for (const row of refreshed) this.#put(row, 'whole')
    for (const row of operator) this.#put(row, 'by member')
    for (const models of this.#byProvider.values()) {
      for (const row of models.values()) {
        for (const alias of row.fields.aliases ?? []) this.#aliases.set(`${row.provider}/${alias}`, row)
      }
    }
  }

  #put(row: Row, price: 'whole' | 'by member'): void {
    const { provider, id } = row
    let models = this.#byProvider.get(provider)
    if (!models) this.#byProvider.set(provider, (models = new Map()))
    models.set(id, lay(models.get(id), row, price))
  }

  #entry(row: Row): CatalogEntry {
    let entry = this.#entries.get(row)
    if (!entry) this.#entries.set(row, (entry = entryOf(row)))
    return entry
  }

  /**
   * Of a provider by any of its names. A dated snapshot that is not listed is its model; nothing else is guessed, for a
   * likeness of names could be somebody else's price.
   */
  find(provider: string, model: string): CatalogEntry | undefined {
    const row = this.#row(canonicalProvider(provider), model)
    return row && this.#entry(row)
  }

  #row(provider: string, model: string): Row | undefined {
    const models = this.#byProvider.get(provider)
    if (!models) return undefined
    const exact = models.get(model) ?? this.#aliases.get(`${provider}/${model}`)
    if (exact) return exact
    const undated = withoutDate(model)
    if (undated === model) return undefined
    return models.get(undated) ?? this.#aliases.get(`${provider}/${undated}`)
  }

  /** As `find`, of `provider/model`. */
  target(target: string): CatalogEntry | undefined {
    const slash = target.indexOf('/')
    return slash < 0 ? undefined : this.find(target.slice(0, slash), target.slice(slash + 1))
  }

  /**
   * All providers of a model by its bare name, such as `gpt-4o-mini` or `claude-sonnet-4.5`: its maker first, then the cheaper. With its
   * author before it (`meta-llama/llama-3.3-70b-instruct`): the author's own offer, and those that name the author too.
   */
  byName(name: string): readonly CatalogEntry[] {
    this.#names ??= this.#index()
    const rows = this.#names.get(bareName(name)) ?? []
    const slash = name.lastIndexOf('/')
    const author = slash < 0 ? null : canonicalProvider(name.slice(0, slash))
    return rows
      .filter(({ provider, id }) => author === null || provider === author || authorOf(id) === author)
      .map((row) => this.#entry(row))
  }

  /** Of a provider by any of its names. */
  models(provider: string): readonly CatalogEntry[] {
    const rows = this.#byProvider.get(canonicalProvider(provider))?.values() ?? []
    return [...rows].map((row) => this.#entry(row))
  }

  get providers(): readonly string[] {
    return [...this.#byProvider.keys()].sort()
  }

  *all(): Generator<CatalogEntry> {
    for (const provider of this.providers) yield* this.models(provider)
  }

  #index(): Map<string, Row[]> {
    const names = new Map<string, Row[]>()
    for (const models of this.#byProvider.values()) {
      for (const row of models.values()) {
        const ids = [row.id, ...(row.fields.aliases ?? [])]
        for (const name of new Set(ids.map((id) => bareName(id, row.provider)))) {
          const known = names.get(name)
          if (known) known.push(row)
          else names.set(name, [row])
        }
      }
    }
    for (const rows of names.values()) if (rows.length > 1) rows.sort(makerFirst)
    return names
  }
}

/** `meta` of `meta-llama/llama-3.3-70b-instruct`. */
function authorOf(id: string): string | undefined {
  const slash = id.lastIndexOf('/')
  return slash < 0 ? undefined : canonicalProvider(id.slice(0, slash))
}

function makerFirst(a: Row, b: Row): number {
  // Of one provider the shortest id is the one that follows the model's newest snapshot.
  return (
    rankOf(a.provider) - rankOf(b.provider) ||
    (a.fields.cost?.input ?? Number.MAX_VALUE) - (b.fields.cost?.input ?? Number.MAX_VALUE) ||
    a.id.length - b.id.length ||
    (a.provider < b.provider ? -1 : 1)
  )
}
