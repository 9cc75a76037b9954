/** Routes from conditions and shares: named, bounded, each condition tried by Parley's own compiler. */
import { compileCondition } from '../../route/condition.ts'
import { type Instead, insteadOf, sortedList } from './later.ts'
import type { Notes } from './notes.ts'
import { type Imported, NotImportable, type Share, type WrittenRoute } from './shapes.ts'
import { distinct, free, nameOf, type Providers } from './targets.ts'

const MAX_ROUTES = 64
const MAX_VARIANTS = 16
const MAX_TARGETS = 16

export interface Rule {
  readonly name: string
  /** null: always. */
  readonly when: string | null
  readonly shares: readonly Share[]
  readonly sort?: readonly string[]
  readonly instead?: Instead
  readonly path: readonly PropertyKey[]
}

/**
 * The document as a pipeline. Rules that cannot be are noted and left out. Parley needs a last route without a condition:
 * where the source has none, the first rule's targets stand there, and that is noted too.
 */
export function importedOf(
  name: string,
  rules: readonly Rule[],
  {
    providers,
    notes,
    sticky,
  }: { readonly providers: Providers; readonly notes: Notes; readonly sticky: string },
): Imported {
  const taken = new Set<string>()
  const routes: WrittenRoute[] = []
  const fit = rules.filter((rule) => fits(rule, notes))
  const first = fit[0]
  if (!first) throw new NotImportable('holds no route with a target that can be carried over')
  const last = fit.findIndex(({ when }) => when === null)
  const all = last >= 0 ? fit.slice(0, last + 1) : [...fit, { ...first, name: 'default', when: null }]
  if (last < 0) {
    notes.add(
      [],
      'nothing is said for requests that match no condition (the source refuses them): the first route answers',
    )
  }
  if (all.length > MAX_ROUTES) notes.add([], `more than ${MAX_ROUTES} routes: those in between are left out`)
  const kept = all.length > MAX_ROUTES ? [...all.slice(0, MAX_ROUTES - 1), all.at(-1) as Rule] : all
  for (const rule of kept) {
    const named = free(nameOf(rule.name, 'route'), taken)
    taken.add(named)
    routes.push(routeOf(named, rule, notes, sticky))
  }
  return {
    pipeline: { name: nameOf(name, 'imported'), llm: { routes } },
    providers: providers.all,
    notCarried: notes.all,
  }
}

function routeOf(name: string, rule: Rule, notes: Notes, sticky: string): WrittenRoute {
  const when = rule.when === null ? {} : { when: rule.when }
  const instead = insteadOf(rule.instead ?? {})
  const useOf = (share: Share) => {
    const list = distinct(share.list)
    if (list.length > MAX_TARGETS)
      notes.add(rule.path, `more than ${MAX_TARGETS} targets: the rest is left out`)
    return sortedList(list.slice(0, MAX_TARGETS), rule.sort ?? [])
  }
  const shares = rule.shares.filter(({ list }) => list.length > 0)
  const [only] = shares
  if (only && shares.length === 1) return { name, ...when, use: useOf(only), ...instead }
  const ids = new Set<string>()
  const variants = shares.slice(0, MAX_VARIANTS).map((share) => {
    const id = free(nameOf(share.id, 'variant'), ids)
    ids.add(id)
    return { id, weight: share.weight, use: useOf(share) }
  })
  if (shares.length > MAX_VARIANTS)
    notes.add(rule.path, `more than ${MAX_VARIANTS} variants: the rest is left out`)
  return { name, ...when, sticky, variants, ...instead }
}

function fits(rule: Rule, notes: Notes): boolean {
  const useful = rule.shares.filter(({ list }) => list.length > 0)
  if (!useful.some(({ weight }) => weight > 0)) {
    notes.add(rule.path, 'no target of it can be carried over')
    return false
  }
  if (rule.when === null) return true
  const compiled = compileCondition(rule.when, { stage: 'llm', targets: null })
  if (compiled.ok) return true
  const why = compiled.faults[0]?.message ?? 'cannot be compiled'
  notes.add(rule.path, `left out, its condition does not hold here: ${why.replace(/"[^"]*"/g, '"…"')}`)
  return false
}
