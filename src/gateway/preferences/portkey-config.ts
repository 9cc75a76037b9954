/**
 * A Portkey config that came with a request: a tree of single, fallback, loadbalance and conditional, with the semantics of
 * the importer (`config/import/portkey.ts`): what stands above is inherited, queries hold where its
 * conditions do. Unlike there a part that cannot be done is refused, for nobody reads a list of what was left out.
 */
import { type ClientKeys, CREDENTIAL_MEMBERS, refuseCredentials } from './credentials.ts'
import type { Draft } from './draft.ts'
import { refuse } from './error.ts'
import {
  MAX_CONFIG_CONDITIONS,
  MAX_CONFIG_LEVELS,
  MAX_CONFIG_TARGETS,
  MAX_PORTKEY_RETRIES,
} from './limits.ts'
import { paramsAt } from './params.ts'
import { queryAt } from './portkey-query.ts'
import type { Plan, Retry, Wish } from './preferences.ts'
import { kindsAt } from './status-kinds.ts'
import {
  type Doc,
  docAt,
  isSaid,
  listAt,
  millisecondsAt,
  nameAt,
  numberAt,
  own,
  present,
  wholeAt,
  wordAt,
} from './values.ts'
import { targetName, wishOf } from './wish.ts'

const ROOT = 'x-portkey-config'
const NODE = [
  'strategy',
  'targets',
  'provider',
  'override_params',
  'overrideParams',
  'retry',
  'request_timeout',
  'requestTimeout',
  'name',
  'weight',
]
const STRATEGY = ['mode', 'on_status_codes', 'onStatusCodes', 'conditions', 'default']
/** A check that is left out lets through what it should have stopped. */
const CHECKS = /(guardrails|Guardrails|_hooks|Hooks)$/
const MODES = ['single', 'fallback', 'loadbalance', 'conditional'] as const

interface Asked {
  readonly model: string | null
  readonly provider: string | null
  readonly keys: ClientKeys
}

interface Inherited {
  readonly provider: string | null
  readonly params: Doc
  readonly model: string | null
  readonly retry: Retry | null
  readonly timeoutMs: number | null
}

interface Count {
  targets: number
  conditions: number
}

export function configOf(config: Doc, asked: Asked, draft: Draft): Plan {
  const above = { provider: asked.provider, params: {}, model: asked.model, retry: null, timeoutMs: null }
  return new Config(asked.keys, draft).node(config, above, '', 1)
}

class Config {
  readonly #count: Count = { targets: 0, conditions: 0 }
  readonly #keys: ClientKeys
  readonly #draft: Draft

  constructor(keys: ClientKeys, draft: Draft) {
    this.#keys = keys
    this.#draft = draft
  }

  /** `at` is the way from the root, as Portkey writes it: `.targets[1]`. */
  node(node: Doc, above: Inherited, at: string, level: number): Plan {
    const path = `${ROOT}${at}`
    if (level > MAX_CONFIG_LEVELS) refuse(path, `is nested deeper than ${MAX_CONFIG_LEVELS} levels`)
    refuseCredentials(node, path, this.#keys)
    const check = Object.keys(node).find((name) => CHECKS.test(name) && isSaid(node[name]))
    if (check !== undefined) refuse(path, 'asks for guardrails or hooks, and there are none here')
    this.#draft.ignoreRest(node, [...NODE, ...CREDENTIAL_MEMBERS], path)
    const here = inherited(node, above, path)
    const targets = listAt(own(node, 'targets'), `${path}.targets`, MAX_CONFIG_TARGETS)
    if (!targets || targets.length === 0) return this.#leaf(here, at)
    return this.#branch(node, targets, here, at, level)
  }

  #branch(node: Doc, targets: readonly unknown[], here: Inherited, at: string, level: number): Plan {
    const path = `${ROOT}${at}.strategy`
    const strategy = docAt(own(node, 'strategy'), path)
    this.#draft.ignoreRest(strategy, STRATEGY, path)
    const mode = wordAt(own(strategy, 'mode'), `${path}.mode`, MODES) ?? 'single'
    const docs = targets.map((target, i) => {
      const place = `${ROOT}${at}.targets[${i}]`
      return present(docAt(target, place), place)
    })
    const below = (i: number) => this.node(docs[i]!, here, `${at}.targets[${i}]`, level + 1)
    switch (mode) {
      case 'single':
        return below(0)
      case 'fallback': {
        const nextOn = kindsAt(own(strategy, 'on_status_codes', 'onStatusCodes'), `${path}.on_status_codes`)
        return { type: 'first', of: docs.map((_, i) => below(i)), nextOn: nextOn ?? null }
      }
      case 'loadbalance': {
        const shares = docs.map((target, i) => ({
          weight: weightOf(target, `${ROOT}${at}.targets[${i}]`),
          plan: below(i),
        }))
        if (shares.every(({ weight }) => weight === 0))
          refuse(`${ROOT}${at}.targets`, 'have no weight above 0')
        return { type: 'split', shares, place: `config${at}` }
      }
      case 'conditional':
        return this.#conditional(strategy, docs, below, path)
      default: {
        const never: never = mode
        return never
      }
    }
  }

  #conditional(
    strategy: Doc | undefined,
    docs: readonly Doc[],
    below: (i: number) => Plan,
    path: string,
  ): Plan {
    // A target that several conditions name is read once.
    const read = new Map<number, Plan>()
    const named = (name: unknown, place: string): Plan => {
      const index = docs.findIndex((target) => typeof name === 'string' && own(target, 'name') === name)
      if (index < 0) refuse(place, 'names no target')
      const plan = read.get(index) ?? below(index)
      read.set(index, plan)
      return plan
    }
    const list = listAt(own(strategy, 'conditions'), `${path}.conditions`, MAX_CONFIG_CONDITIONS) ?? []
    this.#count.conditions += list.length
    if (this.#count.conditions > MAX_CONFIG_CONDITIONS)
      refuse(ROOT, `has more than ${MAX_CONFIG_CONDITIONS} conditions`)
    const cases = list.map((one, i) => {
      const at = `${path}.conditions[${i}]`
      return { query: queryAt(own(one, 'query'), `${at}.query`), plan: named(own(one, 'then'), `${at}.then`) }
    })
    const fallback = own(strategy, 'default')
    const otherwise = isSaid(fallback) ? named(fallback, `${path}.default`) : null
    return { type: 'switch', cases, otherwise, place: path }
  }

  #leaf(here: Inherited, at: string): Plan {
    const path = `${ROOT}${at}`
    if (++this.#count.targets > MAX_CONFIG_TARGETS)
      refuse(ROOT, `has more than ${MAX_CONFIG_TARGETS} targets`)
    if (here.model === null) refuse(path, 'names no model: neither its override_params nor the request does')
    const wish = wishOf(targetName(here.provider, here.model), `config${at}`)
    return { type: 'model', wish: { ...wish, ...pick(here) } }
  }
}

function pick({ params, retry, timeoutMs }: Inherited): Pick<Wish, 'params' | 'retry' | 'timeoutMs'> {
  return { params, retry, timeoutMs }
}

function inherited(node: Doc, above: Inherited, path: string): Inherited {
  const override = own(node, 'override_params', 'overrideParams')
  const params = paramsAt(override, `${path}.override_params`)
  return {
    provider: nameAt(own(node, 'provider'), `${path}.provider`) ?? above.provider,
    params: { ...above.params, ...params },
    model: nameAt(own(override, 'model'), `${path}.override_params.model`) ?? above.model,
    retry: retryAt(own(node, 'retry'), `${path}.retry`) ?? above.retry,
    timeoutMs:
      millisecondsAt(own(node, 'request_timeout', 'requestTimeout'), `${path}.request_timeout`) ??
      above.timeoutMs,
  }
}

/** `use_retry_after_headers` is how retries are timed here anyway. */
function retryAt(value: unknown, path: string): Retry | undefined {
  const doc = docAt(value, path)
  if (!doc) return undefined
  const [attempts, codes] = [own(doc, 'attempts'), own(doc, 'on_status_codes', 'onStatusCodes')]
  return {
    attempts: wholeAt(attempts, `${path}.attempts`, { min: 0, max: MAX_PORTKEY_RETRIES }) ?? 0,
    on: kindsAt(codes, `${path}.on_status_codes`) ?? null,
  }
}

/** Portkey takes a missing weight for 1. */
function weightOf(target: Doc, path: string): number {
  return numberAt(own(target, 'weight'), `${path}.weight`, { min: 0, max: 1_000_000 }) ?? 1
}
