/** An Inworld router: routes in order, the first CEL that is true wins; weighted variants; sticky by `user`. */
import { programOf, SyntaxFault } from '../../route/cel.ts'
import { CONTEXT_NAMES } from '../../route/shape.ts'
import { childrenOf, type Node } from '../../route/syntax.ts'
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
import { Providers, paramsOf, providerOfModel, targetOf, written } from './targets.ts'

type Path = readonly PropertyKey[]

export function importInworld(doc: unknown): Imported {
  if (!isDoc(doc)) throw new NotImportable('is no Inworld router')
  const notes = new Notes()
  const rules: Rule[] = []
  for (const [i, entry] of listOf(own(doc, 'routes')).entries()) {
    const path = ['routes', i]
    const inner = own(entry, 'route') ?? entry
    const at = own(entry, 'route') === undefined ? path : [...path, 'route']
    const condition = own(entry, 'condition')
    const cel = textOf(condition) ?? textOf(own(condition, 'cel_expression', 'celExpression'))
    if (cel === undefined) {
      notes.add(path, 'left out: it has no condition')
      continue
    }
    const when = inParley(cel, [...path, 'condition'], notes)
    if (when !== undefined) rules.push(ruleOf(inner, `route-${i + 1}`, when, at, notes))
    notes.rest(entry, ['route', 'condition', 'route_id', 'routeId', 'variants'], path)
  }
  const fallback = own(doc, 'defaultRoute', 'default_route')
  if (isDoc(fallback))
    rules.push(
      ruleOf(fallback, 'default', null, ['defaultRoute' in doc ? 'defaultRoute' : 'default_route'], notes),
    )
  notes.rest(doc, ['name', 'displayName', 'display_name', 'routes', 'defaultRoute', 'default_route'], [])
  const name = (textOf(own(doc, 'name')) ?? 'inworld').replace(/^routers\//, '')
  return importedOf(name, rules, { providers: new Providers(), notes, sticky: 'session.user' })
}

function ruleOf(route: unknown, otherwise: string, when: string | null, path: Path, notes: Notes): Rule {
  const name = textOf(own(route, 'route_id', 'routeId')) ?? otherwise
  notes.rest(route, ['route_id', 'routeId', 'variants', 'condition'], path)
  const entries = listOf(own(route, 'variants'))
  let sum = 0
  let sort: Rule['sort']
  const shares = entries.map((entry, i): Share => {
    const at = [...path, 'variants', i]
    const inner = own(entry, 'variant') ?? entry
    const below = own(entry, 'variant') === undefined ? at : [...at, 'variant']
    const weight = numberOf(own(entry, 'weight')) ?? (entries.length === 1 ? 100 : 0)
    sum += weight
    notes.rest(entry, ['variant', 'weight', ...VARIANT], at)
    const selection = own(inner, 'model_selection', 'modelSelection')
    const keys = listOf(own(selection, 'sort')).map((one) => textOf(own(one, 'metric')) ?? '')
    const sortPath = [...below, 'model_selection', 'sort']
    if (keys.some((key) => !SORTS.includes(key))) {
      notes.add(sortPath, 'sorting by intelligence, math or coding has no counterpart')
    }
    if (keys.length > 0) sort = keys.filter((key) => SORTS.includes(key))
    return {
      id: textOf(own(inner, 'variant_id', 'variantId')) ?? `variant-${i + 1}`,
      weight,
      list: modelsOf(inner, below, notes),
    }
  })
  if (entries.length > 1 && sum !== 100)
    notes.add([...path, 'variants'], `weights sum to ${sum}; Inworld wants 100, here they are relative`)
  return { name, when, shares, path, ...(sort ? { sort } : {}) }
}

const SORTS = ['latency', 'price', 'throughput']
const VARIANT = [
  'variant_id',
  'variantId',
  'model_id',
  'modelId',
  'model_selection',
  'modelSelection',
  'text_generation_config',
  'textGenerationConfig',
]

function modelsOf(variant: unknown, path: Path, notes: Notes): readonly Written[] {
  notes.rest(variant, [...VARIANT, 'weight'], path)
  const config = own(variant, 'text_generation_config', 'textGenerationConfig')
  const params = paramsOf(config, [...path, 'text_generation_config'], notes, [])
  const selection = own(variant, 'model_selection', 'modelSelection')
  const at = [...path, 'model_selection']
  notes.rest(selection, ['models', 'sort', 'ignore', 'provider'], at)
  const one = textOf(own(variant, 'model_id', 'modelId'))
  const ignored = textsOf(own(selection, 'ignore'))
  const targets = [...(one === undefined ? [] : [one]), ...textsOf(own(selection, 'models'))].flatMap(
    (model) => {
      const provider = model.includes('/') ? '' : (providerOfModel(model) ?? '')
      const target = provider === '' ? model : `${provider}/${model}`
      const [host = '', ...rest] = target.split('/')
      const id = targetOf(host, rest.join('/'))
      if (id === undefined) notes.add(path, 'a model whose provider is not named is left out')
      return id === undefined || ignored.includes(host) || ignored.includes(id) ? [] : [id]
    },
  )
  const order = textsOf(own(own(selection, 'provider'), 'order'))
  const rank = (id: string) => {
    const place = order.indexOf(id.slice(0, id.indexOf('/')))
    return place < 0 ? order.length : place
  }
  const strict =
    own(own(selection, 'provider'), 'allow_fallbacks', 'allowFallbacks') === false && order.length > 0
  return targets
    .filter((id) => !strict || rank(id) < order.length)
    .sort((a, b) => rank(a) - rank(b))
    .map((id) => written(id, params))
}

/** Inworld sees metadata as bare names and the messages as `messages`. Undefined, with a note, when it does not read. */
function inParley(cel: string, path: Path, notes: Notes): string | undefined {
  try {
    if (cel.length > 2000) throw new SyntaxFault('is longer than 2,000 characters', 0)
    const names = new Map<number, string>()
    collect(programOf(cel).root, new Set(), names)
    let text = cel
    for (const [offset, name] of [...names].sort(([a], [b]) => b - a)) {
      if (!text.startsWith(name, offset)) continue
      // A name that Parley has too is still the caller's metadata there.
      const here = name === 'messages' ? 'request.messages' : name === 'metadata' ? name : `metadata.${name}`
      if ((CONTEXT_NAMES as readonly string[]).includes(name) && name !== 'metadata') {
        notes.add(path, `a name that Parley has of its own is read as metadata.${name}, as Inworld does`)
      }
      text = text.slice(0, offset) + here + text.slice(offset + name.length)
    }
    return text
  } catch (error) {
    notes.add(
      path,
      `left out with its route: the condition does not read${error instanceof SyntaxFault ? '' : ', it is nested too deeply'}`,
    )
    return undefined
  }
}

function collect(node: Node, local: ReadonlySet<string>, names: Map<number, string>): void {
  if (node.kind === 'name') {
    if (!local.has(node.name)) names.set(node.offset, node.name)
    return
  }
  if (node.kind !== 'fold') {
    for (const child of childrenOf(node)) collect(child, local, names)
    return
  }
  collect(node.range, local, names)
  const inside = new Set([...local, node.item, node.total])
  for (const part of [node.start, node.goOn, node.step, node.result]) collect(part, inside, names)
}
