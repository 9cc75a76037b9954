/**
 * A Portkey config: a tree of single, fallback, loadbalance and conditional. Each node becomes rules, first match wins, each
 * with weighted lists; a fallback joins its children's lists, a load balancer shares them out, whatever lies below.
 */
import { Notes } from './notes.ts'
import { celOf } from './portkey-query.ts'
import { importedOf, type Rule } from './rules.ts'
import { type Imported, isDoc, listOf, NotImportable, numberOf, own, type Share, textOf } from './shapes.ts'
import { Providers, paramsOf, providerOfModel, targetOf, written } from './targets.ts'

type Path = readonly PropertyKey[]
interface Branch {
  readonly name: string
  readonly when: string | null
  readonly shares: readonly Share[]
}
interface Tools {
  readonly notes: Notes
  readonly providers: Providers
}

const MAX_DEPTH = 12
const MAX_BRANCHES = 64
const MAX_SHARES = 16
const INHERITED = ['provider', 'api_key', 'virtual_key', 'custom_host', 'override_params'] as const
const KNOWN = ['name', 'weight', 'targets', 'strategy', ...INHERITED]

export function importPortkey(doc: unknown): Imported {
  if (!isDoc(doc)) throw new NotImportable('is no Portkey config')
  const tools = { notes: new Notes(), providers: new Providers() }
  const branches = branchesOf(doc, {}, [], 0, tools)
  const rules = branches.map(
    (branch, i): Rule => ({
      ...branch,
      name: branch.when === null && i > 0 ? 'default' : branch.name,
      path: [],
    }),
  )
  return importedOf(textOf(own(doc, 'name')) ?? 'portkey', rules, { ...tools, sticky: 'session.id' })
}

function branchesOf(
  node: unknown,
  above: Readonly<Record<string, unknown>>,
  path: Path,
  depth: number,
  tools: Tools,
): readonly Branch[] {
  const { notes } = tools
  if (!isDoc(node) || depth > MAX_DEPTH) {
    notes.add(path, isDoc(node) ? 'nested too deeply' : 'no target')
    return []
  }
  notes.rest(node, KNOWN, path)
  const here: Record<string, unknown> = { ...above }
  for (const name of INHERITED) {
    if (Object.hasOwn(node, name))
      here[name] =
        name === 'override_params' && isDoc(here[name]) && isDoc(node[name])
          ? { ...here[name], ...node[name] }
          : node[name]
  }
  const targets = own(node, 'targets')
  if (!Array.isArray(targets)) return leaf(node, here, path, tools)
  const strategy = own(node, 'strategy')
  const mode = textOf(own(strategy, 'mode')) ?? 'single'
  notes.rest(strategy, ['mode', 'conditions', 'default'], [...path, 'strategy'])
  const below = (i: number) => branchesOf(targets[i], here, [...path, 'targets', i], depth + 1, tools)
  const indices = [...targets.keys()].slice(0, MAX_BRANCHES)
  switch (mode) {
    case 'single':
      return below(0)
    case 'fallback':
      return product(indices.map(below), joined, [...path, 'targets'], notes)
    case 'loadbalance': {
      // Portkey takes a missing weight for 1.
      const weights = indices.map((i) => numberOf(own(targets[i], 'weight')) ?? 1)
      return product(indices.map(below), (a, b) => [...a, ...b], [...path, 'targets'], notes, weights)
    }
    case 'conditional':
      return conditional(targets, strategy, below, path, notes)
    default:
      notes.add([...path, 'strategy', 'mode'], 'a mode that is not known')
      return []
  }
}

function conditional(
  targets: readonly unknown[],
  strategy: unknown,
  below: (i: number) => readonly Branch[],
  path: Path,
  notes: Notes,
): readonly Branch[] {
  const named = (name: unknown) =>
    targets.findIndex((target) => textOf(own(target, 'name')) === name && name !== undefined)
  const branches: Branch[] = []
  for (const [i, condition] of listOf(own(strategy, 'conditions')).slice(0, MAX_BRANCHES).entries()) {
    const at = [...path, 'strategy', 'conditions', i]
    const when = celOf(own(condition, 'query'))
    const index = named(own(condition, 'then'))
    if (when === undefined || index < 0) {
      notes.add(
        at,
        when === undefined
          ? 'left out: its query cannot be said as a condition here'
          : 'left out: there is no target of that name',
      )
      continue
    }
    branches.push(
      ...below(index).map((branch) => ({
        ...branch,
        name: textOf(own(condition, 'then')) ?? branch.name,
        when: both(when, branch.when),
      })),
    )
  }
  const index = named(own(strategy, 'default'))
  if (index >= 0) branches.push(...below(index))
  return branches
}

function both(a: string | null, b: string | null): string | null {
  return a === null || b === null ? (a ?? b) : `${a} && ${b}`
}

type Join = (a: readonly Share[], b: readonly Share[]) => readonly Share[]

/** Every combination of the children's branches, in the order in which the first match is the right one. */
function product(
  children: readonly (readonly Branch[])[],
  join: Join,
  path: Path,
  notes: Notes,
  weights?: readonly number[],
): readonly Branch[] {
  let all: readonly Branch[] | undefined
  for (const [i, branches] of children.entries()) {
    if (branches.length === 0) continue
    const scaled = weights
      ? branches.map((branch) => ({ ...branch, shares: scale(branch.shares, weights[i] ?? 1) }))
      : branches
    const combined: readonly Branch[] = all
      ? all.flatMap((a) =>
          scaled.map((b) => ({ name: a.name, when: both(a.when, b.when), shares: join(a.shares, b.shares) })),
        )
      : scaled
    if (combined.length > MAX_BRANCHES) {
      notes.add(path, `makes more than ${MAX_BRANCHES} routes: the rest is left out`)
      return all ?? combined.slice(0, MAX_BRANCHES)
    }
    all = combined.map((branch) => {
      if (branch.shares.length > MAX_SHARES)
        notes.add(path, `makes more than ${MAX_SHARES} variants: the rest is left out`)
      return { ...branch, shares: branch.shares.slice(0, MAX_SHARES) }
    })
  }
  return all ?? []
}

/** So that a child's shares sum to its weight. */
function scale(shares: readonly Share[], weight: number): readonly Share[] {
  const sum = shares.reduce((total, share) => total + share.weight, 0)
  return shares.map((share) => ({ ...share, weight: sum > 0 ? (share.weight / sum) * weight : 0 }))
}

const joined: Join = (a, b) => {
  const sum = b.reduce((total, share) => total + share.weight, 0)
  return a.flatMap((first) =>
    b.map((next) => ({
      id: b.length === 1 ? first.id : a.length === 1 ? next.id : `${first.id}.${next.id}`,
      weight: sum > 0 ? (first.weight * next.weight) / sum : 0,
      list: [...first.list, ...next.list],
    })),
  )
}

function leaf(
  node: unknown,
  here: Readonly<Record<string, unknown>>,
  path: Path,
  { notes, providers }: Tools,
): readonly Branch[] {
  const params = own(here, 'override_params')
  const model = textOf(own(params, 'model'))
  if (model === undefined) {
    notes.add(path, 'left out: it names no model (override_params.model); Portkey takes the request’s')
    return []
  }
  const provider = textOf(own(here, 'provider'))?.replace(/^@/, '') ?? providerOfModel(model)
  if (provider === undefined) {
    notes.add(path, 'left out: which provider it is cannot be told')
    return []
  }
  const place = providers.at(
    provider,
    { url: own(here, 'custom_host'), key: own(here, 'api_key') ?? own(here, 'virtual_key') },
    path,
    notes,
  )
  const target = targetOf(place, model)
  if (target === undefined) {
    notes.add(path, 'left out: the model’s name is none')
    return []
  }
  const name = textOf(own(node, 'name')) ?? target.replace(/\//g, '-')
  const list = [written(target, paramsOf(params, [...path, 'override_params'], notes, ['model']))]
  return [{ name, when: null, shares: [{ id: name, weight: 1, list }] }]
}
