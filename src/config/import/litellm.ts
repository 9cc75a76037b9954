/**
 * A LiteLLM `config.yaml`: model groups become routes on the model that was asked for, their deployments the targets, drawn by
 * weight, rpm or tpm as its shuffle does; the group's fallbacks follow.
 */
import type { Instead } from './later.ts'
import { Notes } from './notes.ts'
import { importedOf, type Rule } from './rules.ts'
import {
  type Imported,
  isDoc,
  listOf,
  NotImportable,
  numberOf,
  own,
  type Share,
  textOf,
  textsOf,
  type Written,
} from './shapes.ts'
import { idOf, Providers, paramsOf, providerOfModel, targetOf, written } from './targets.ts'

type Path = readonly PropertyKey[]
interface Deployment {
  readonly target: Written
  readonly params: unknown
  readonly order: number
}

const SORT: Readonly<Record<string, string>> = {
  'latency-based-routing': 'latency',
  'cost-based-routing': 'price',
  'least-busy': 'least-busy',
}
const ROUTER = [
  'routing_strategy',
  'fallbacks',
  'context_window_fallbacks',
  'content_policy_fallbacks',
  'default_fallbacks',
  'model_group_alias',
]
const PARAMS = ['model', 'api_base', 'api_key', 'weight', 'rpm', 'tpm', 'order']

/** Enough to be told that a list is too long, and not so many that a hostile file multiplies them. */
const MORE_THAN_FIT = 17

const INSTEAD = [
  ['context_overflow', 'context_window_fallbacks'],
  ['content_refusal', 'content_policy_fallbacks'],
] as const

export function importLitellm(doc: unknown): Imported {
  const models = own(doc, 'model_list')
  if (!Array.isArray(models)) throw new NotImportable('is no LiteLLM configuration: it has no model_list')
  const notes = new Notes()
  const providers = new Providers()
  const groups = new Map<string, Deployment[]>()
  const places = new Map<string, Path>()
  for (const [i, entry] of models.entries()) {
    const path = ['model_list', i]
    const name = textOf(own(entry, 'model_name'))
    notes.rest(entry, ['model_name', 'litellm_params'], path)
    const deployment =
      name === undefined
        ? undefined
        : deploymentOf(own(entry, 'litellm_params'), [...path, 'litellm_params'], notes, providers)
    if (name === undefined || deployment === undefined) {
      notes.add(path, 'left out: it names no model that can be a target')
      continue
    }
    if (name.includes('*')) {
      notes.add([...path, 'model_name'], 'left out: a pattern of model names')
      continue
    }
    const group = groups.get(name)
    if (group) group.push(deployment)
    else groups.set(name, [deployment])
    if (!places.has(name)) places.set(name, path)
  }
  for (const group of groups.values()) group.sort((a, b) => a.order - b.order)
  for (const part of isDoc(doc) ? Object.keys(doc) : []) {
    if (!['model_list', 'router_settings', 'litellm_settings'].includes(part))
      notes.add([part], 'has no counterpart')
  }
  const settings = settingsOf(doc, notes)
  const names = [...groups.keys()]
  const aliases = aliasesOf(settings.aliases, groups, notes)
  const rules = names.map((name): Rule => {
    const fallbacks = (settings.fallbacks.get(name) ?? settings.defaults)
      .filter((one) => one !== name)
      .slice(0, MORE_THAN_FIT)
    const behind = fallbacks.flatMap((one) => {
      const group = groups.get(aliases.get(one) ?? one)
      if (!group) notes.add(settings.path, 'a fallback names a group that is not there, or was left out')
      return (group ?? []).slice(0, MORE_THAN_FIT).map(({ target }) => target)
    })
    const instead = Object.fromEntries(
      settings.instead
        .filter((one) => one.name === name)
        .map(({ kind, groups: lists }) => {
          const list = lists
            .slice(0, MORE_THAN_FIT)
            .flatMap((one) => groups.get(aliases.get(one) ?? one) ?? [])
            .map(({ target }) => target)
          return [kind, list]
        }),
    ) as Instead
    const asked = [name, ...[...aliases].filter(([, to]) => to === name).map(([from]) => from)]
    const when =
      asked.length === 1
        ? `request.model == ${JSON.stringify(name)}`
        : `request.model in ${JSON.stringify(asked)}`
    const path = places.get(name) ?? []
    const sort = settings.sort === undefined ? {} : { sort: [settings.sort] }
    const deployments = groups.get(name) ?? []
    return { name, when, path, shares: sharesOf(deployments, behind, settings.shuffles), instead, ...sort }
  })
  if (names.length > 1)
    notes.add(['model_list'], 'LiteLLM refuses a model that is in no group; here the first group answers it')
  const [first] = rules
  const all = first ? [...rules.slice(1), { ...first, when: null }] : []
  return importedOf('litellm', all, { providers, notes, sticky: 'session.id' })
}

function deploymentOf(
  params: unknown,
  path: Path,
  notes: Notes,
  providers: Providers,
): Deployment | undefined {
  const model = textOf(own(params, 'model'))
  if (model === undefined) return undefined
  const slash = model.indexOf('/')
  const provider = slash > 0 ? model.slice(0, slash) : (providerOfModel(model) ?? 'openai')
  const endpoint = { url: own(params, 'api_base'), key: own(params, 'api_key') }
  const id = targetOf(providers.at(provider, endpoint, path, notes), model.slice(slash + 1))
  if (id === undefined) return undefined
  return {
    target: written(id, paramsOf(params, path, notes, PARAMS)),
    params,
    order: numberOf(own(params, 'order')) ?? Number.MAX_SAFE_INTEGER,
  }
}

/** LiteLLM draws among those of the lowest order, by the first of weight, rpm and tpm that its first deployment has. */
function sharesOf(
  deployments: readonly Deployment[],
  behind: readonly Written[],
  shuffles: boolean,
): Share[] {
  const list = deployments.slice(0, MORE_THAN_FIT).map(({ target }) => target)
  const drawn = shuffles ? deployments.filter(({ order }) => order === deployments[0]?.order) : []
  if (drawn.length < 2) return [{ id: 'all', weight: 1, list: [...list, ...behind] }]
  const by = ['weight', 'rpm', 'tpm'].find((one) => numberOf(own(drawn[0]?.params, one)) !== undefined)
  return drawn.slice(0, MORE_THAN_FIT).map(({ target, params }) => ({
    id: idOf(target).replaceAll('/', '-'),
    weight: by === undefined ? 1 : (numberOf(own(params, by)) ?? 0),
    list: [target, ...list.filter((one) => one !== target), ...behind],
  }))
}

function settingsOf(doc: unknown, notes: Notes) {
  const fallbacks = new Map<string, readonly string[]>()
  const instead: {
    kind: keyof Instead
    name: string
    groups: readonly string[]
  }[] = []
  let defaults: readonly string[] = []
  let strategy: string | undefined
  let aliases: unknown
  let path: Path = ['router_settings', 'fallbacks']
  for (const part of ['litellm_settings', 'router_settings']) {
    const settings = own(doc, part)
    notes.rest(settings, ROUTER, [part])
    for (const one of listOf(own(settings, 'fallbacks'))) {
      path = [part, 'fallbacks']
      for (const [name, list] of Object.entries(isDoc(one) ? one : {})) {
        if (textsOf(list).length < listOf(list).length)
          notes.add(path, 'a fallback that is no name is left out')
        if (name === '*') defaults = textsOf(list)
        else fallbacks.set(name, textsOf(list))
      }
    }
    const otherwise = textsOf(own(settings, 'default_fallbacks'))
    if (otherwise.length > 0) defaults = otherwise
    for (const [kind, member] of INSTEAD) {
      for (const one of listOf(own(settings, member))) {
        for (const [name, list] of Object.entries(isDoc(one) ? one : {})) {
          instead.push({ kind, name, groups: textsOf(list) })
        }
      }
    }
    strategy = textOf(own(settings, 'routing_strategy')) ?? strategy
    aliases = own(settings, 'model_group_alias') ?? aliases
  }
  const strategyPath = ['router_settings', 'routing_strategy']
  const sort = strategy !== undefined && Object.hasOwn(SORT, strategy) ? SORT[strategy] : undefined
  const shuffles = strategy === undefined || strategy === 'simple-shuffle'
  if (!shuffles && sort === undefined)
    notes.add(strategyPath, 'has no counterpart: deployments are tried in the order written')
  return { fallbacks, instead, defaults, aliases, sort, shuffles, path }
}

function aliasesOf(value: unknown, groups: ReadonlyMap<string, unknown>, notes: Notes): Map<string, string> {
  const aliases = new Map<string, string>()
  for (const [from, entry] of Object.entries(isDoc(value) ? value : {})) {
    const to = textOf(entry) ?? textOf(own(entry, 'model'))
    if (to !== undefined && groups.has(to) && !groups.has(from)) aliases.set(from, to)
    else notes.add(['router_settings', 'model_group_alias', from], 'names no group, or has the name of one')
  }
  return aliases
}
