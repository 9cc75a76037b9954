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
  readonly #byProvider = new Map<string, Map<string, CatalogEntry>>()
  readonly #aliases = new Map<string, CatalogEntry>()
  #names: Map<string, CatalogEntry[]> | undefined

  constructor({ builtIn = [], refreshed = [], operator = [] }: CatalogSources) {
    const rows = new Map<string, Row>()
    const put = (row: Row, price: 'whole' | 'by member') => {
      const key = `${row.provider}/${row.id}`
      rows.set(key, lay(rows.get(key), row, price))
    }
    for (const row of builtIn) put(row, 'whole')
    for (const row of refreshed) put(row, 'whole')
    for (const row of operator) put(row, 'by member')
    for (const row of rows.values()) this.#add(entryOf(row))
  }

  #add(entry: CatalogEntry): void {
    const { provider, id, aliases } = entry
    const models = this.#byProvider.get(provider) ?? new Map<string, CatalogEntry>()
    this.#byProvider.set(provider, models.set(id, entry))
    for (const alias of aliases) this.#aliases.set(`${provider}/${alias}`, entry)
  }

  /**
   * Of a provider by any of its names. A dated snapshot that is not listed is its model; nothing else is guessed, for a
   * likeness of names could be somebody else's price.
   */
  find(provider: string, model: string): CatalogEntry | undefined {
    const name = canonicalProvider(provider)
    const models = this.#byProvider.get(name)
    if (!models) return undefined
    const exact = models.get(model) ?? this.#aliases.get(`${name}/${model}`)
    if (exact) return exact
    const undated = withoutDate(model)
    if (undated === model) return undefined
    return models.get(undated) ?? this.#aliases.get(`${name}/${undated}`)
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
    const entries = this.#names.get(bareName(name)) ?? []
    const slash = name.lastIndexOf('/')
    if (slash < 0) return entries
    const author = canonicalProvider(name.slice(0, slash))
    return entries.filter(({ provider, id }) => provider === author || authorOf(id) === author)
  }

  /** Of a provider by any of its names, in the order of ids. */
  models(provider: string): readonly CatalogEntry[] {
    return [...(this.#byProvider.get(canonicalProvider(provider))?.values() ?? [])]
  }

  get providers(): readonly string[] {
    return [...this.#byProvider.keys()].sort()
  }

  *all(): Generator<CatalogEntry> {
    for (const provider of this.providers) yield* this.#byProvider.get(provider)!.values()
  }

  #index(): Map<string, CatalogEntry[]> {
    const names = new Map<string, CatalogEntry[]>()
    for (const entry of this.all()) {
      const { provider, id, aliases } = entry
      for (const name of new Set([id, ...aliases].map((one) => bareName(one, provider)))) {
        const known = names.get(name)
        if (known) known.push(entry)
        else names.set(name, [entry])
      }
    }
    for (const entries of names.values()) if (entries.length > 1) entries.sort(makerFirst)
    return names
  }
}

/** `meta` of `meta-llama/llama-3.3-70b-instruct`. */
function authorOf(id: string): string | undefined {
  const slash = id.lastIndexOf('/')
  return slash < 0 ? undefined : canonicalProvider(id.slice(0, slash))
}

function makerFirst(a: CatalogEntry, b: CatalogEntry): number {
  // Of one provider the shortest id is the one that follows the model's newest snapshot.
  return (
    rankOf(a.provider) - rankOf(b.provider) ||
    (a.cost?.input ?? Number.MAX_VALUE) - (b.cost?.input ?? Number.MAX_VALUE) ||
    a.id.length - b.id.length ||
    (a.provider < b.provider ? -1 : 1)
  )
}
