/**
 * LiteLLM's `fallbacks`, `num_retries`, `timeout` and their kin, in the body and as `x-litellm-` headers, which outrank the
 * body as they do there. Times are seconds. Anthropic's `fallbacks: [{ model }]` is one of the forms.
 */
import type { Draft } from './draft.ts'
import { refuse } from './error.ts'
import { type Headers, headerOf } from './headers.ts'
import { MAX_MODELS, MAX_NAMES, MAX_RETRIES } from './limits.ts'
import { paramsAt } from './params.ts'
import type { Wish } from './preferences.ts'
import {
  type Doc,
  docAt,
  flagAt,
  isSaid,
  listAt,
  nameAt,
  numeric,
  own,
  present,
  secondsAt,
  wholeAt,
} from './values.ts'
import { wishAt, wishesAt, wishOf } from './wish.ts'

const INSTEAD = [
  ['context_overflow', 'context_window_fallbacks'],
  ['content_refusal', 'content_policy_fallbacks'],
] as const

export function readLitellm(body: Doc, headers: Headers, model: string | null, draft: Draft): void {
  if (flagAt(own(body, 'mock_testing_fallbacks'), 'mock_testing_fallbacks'))
    refuse('mock_testing_fallbacks', 'cannot be done here: no failure is played')
  flagAt(own(body, 'drop_params'), 'drop_params')
  const none = flagAt(own(body, 'disable_fallbacks'), 'disable_fallbacks')
  const fallbacks = fallbacksAt(own(body, 'fallbacks'), 'fallbacks', model)
  if (none) {
    draft.say('allowFallbacks', false, 'disable_fallbacks')
    if (fallbacks && fallbacks.length > 0) refuse('fallbacks', 'cannot go with disable_fallbacks')
  } else draft.behind(fallbacks, 'fallbacks')
  for (const [declined, member] of INSTEAD) {
    const wishes = fallbacksAt(own(body, member), member, model)
    if (wishes) draft.instead[declined] = wishes
  }
  readRetries(body, headers, draft)
  readTimes(body, headers, draft)
  const spoken = [...BODY].some((name) => isSaid(own(body, name)))
  if (spoken || Object.keys(headers).some((name) => name.startsWith('x-litellm-'))) draft.spoken('litellm')
}

/** Members that LiteLLM alone has; `fallbacks` is Anthropic's and OpenRouter's, too. */
const BODY = [
  'num_retries',
  'stream_timeout',
  'context_window_fallbacks',
  'content_policy_fallbacks',
  'disable_fallbacks',
  'mock_testing_fallbacks',
  'drop_params',
]

function readRetries(body: Doc, headers: Headers, draft: Draft): void {
  const header = headerOf(headers, 'x-litellm-num-retries')
  const path = header === undefined ? 'num_retries' : 'x-litellm-num-retries'
  const attempts = wholeAt(numeric(header ?? own(body, 'num_retries')), path, { min: 0, max: MAX_RETRIES })
  draft.say('retry', attempts === undefined ? undefined : { attempts, on: null }, path)
}

function readTimes(body: Doc, headers: Headers, draft: Draft): void {
  const total = headerOf(headers, 'x-litellm-timeout')
  if (total !== undefined) draft.say('timeoutMs', secondsAt(total, 'x-litellm-timeout'), 'x-litellm-timeout')
  else
    for (const name of ['timeout', 'request_timeout'])
      draft.say('timeoutMs', secondsAt(own(body, name), name), name)
  const first = headerOf(headers, 'x-litellm-stream-timeout')
  const path = first === undefined ? 'stream_timeout' : 'x-litellm-stream-timeout'
  draft.say('firstTokenMs', secondsAt(first ?? own(body, 'stream_timeout'), path), path)
}

/** Names; objects with a `model`, whose other members are that model's parameters; or maps from the model to its fallbacks. */
function fallbacksAt(value: unknown, path: string, model: string | null): readonly Wish[] | undefined {
  return listAt(value, path, MAX_MODELS)
    ?.flatMap((one, i) => fallbackAt(one, `${path}[${i}]`, model))
    .map((wish, i) => (i < MAX_MODELS ? wish : refuse(path, `names more than ${MAX_MODELS} models`)))
}

function fallbackAt(value: unknown, path: string, model: string | null): readonly Wish[] {
  if (typeof value === 'string') return [present(wishAt(value, path), path)]
  const doc = present(docAt(value, path), path)
  const name = own(doc, 'model')
  if (typeof name === 'string') {
    const wish = wishOf(present(nameAt(name, `${path}.model`), `${path}.model`), path)
    return [{ ...wish, params: paramsAt(doc, path) }]
  }
  const entries = Object.entries(doc)
  if (entries.length === 0 || entries.length > MAX_NAMES) return refuse(path, 'names no model')
  return entries.flatMap(([of, list]) => {
    const wishes = present(wishesAt(list, `${path}.*`), `${path}.*`)
    return of === model || of === '*' ? wishes : []
  })
}
