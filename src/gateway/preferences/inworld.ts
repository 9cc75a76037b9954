/**
 * Inworld's members, which stand under `extra_body` or, where an SDK has merged that into the body, at the top:
 * `models`, `ignore`, `sort`, `fallback.ttft_timeout`. (docs.inworld.ai/router, read on 25 Nov 2026.)
 */
import type { Draft } from './draft.ts'
import { refuse } from './error.ts'
import { MAX_TIMEOUT_MS, MIN_TTFT_TIMEOUT_MS } from './limits.ts'
import { sortsAt } from './sort-words.ts'
import { type Doc, docAt, durationAt, isSaid, own, providersAt } from './values.ts'
import { wishesAt } from './wish.ts'

const NESTED = [
  'models',
  'ignore',
  'sort',
  'fallback',
  'metadata',
  'web_search',
  'web_search_options',
  'compression',
]

export function readInworld(body: Doc, draft: Draft): void {
  const nested = docAt(own(body, 'extra_body'), 'extra_body')
  if (nested) {
    draft.spoken('inworld')
    draft.ignoreRest(nested, NESTED, 'extra_body')
    draft.behind(wishesAt(own(nested, 'models'), 'extra_body.models'), 'extra_body.models')
    refuseUndone(nested, ['web_search', 'web_search_options', 'compression'], 'extra_body.')
    readSelection(nested, 'extra_body.', draft)
  }
  // At the top `web_search_options` is OpenAI's own member.
  refuseUndone(body, ['web_search', 'compression'], '')
  readSelection(body, '', draft)
}

/** Inworld has it in messages: the one thing about routing that is not at the top. */
export function refuseCompression(messages: unknown): void {
  if (!Array.isArray(messages)) return
  const compressed = messages.findIndex((message) => isAsked(own(message, 'compression')))
  if (compressed >= 0) refuse(`messages[${compressed}].compression`, 'cannot be done here: nobody compresses')
}

function readSelection(doc: Doc, prefix: string, draft: Draft): void {
  const ignore = providersAt(own(doc, 'ignore'), `${prefix}ignore`)
  const sort = sortsAt(own(doc, 'sort'), `${prefix}sort`)
  const fallback = docAt(own(doc, 'fallback'), `${prefix}fallback`)
  draft.say('ignore', ignore, `${prefix}ignore`)
  draft.say('sort', sort, `${prefix}sort`)
  draft.ignoreRest(fallback, ['ttft_timeout', 'ttftTimeout'], `${prefix}fallback`)
  const path = `${prefix}fallback.ttft_timeout`
  const ms = durationAt(own(fallback, 'ttft_timeout', 'ttftTimeout'), path)
  if (ms !== undefined && (ms < MIN_TTFT_TIMEOUT_MS || ms > MAX_TIMEOUT_MS))
    refuse(path, `must be at least ${MIN_TTFT_TIMEOUT_MS}ms, and at most a day`)
  draft.say('firstTokenMs', ms, path)
  if (ignore || sort || fallback) draft.spoken('inworld')
}

function refuseUndone(doc: Doc, names: readonly string[], prefix: string): void {
  for (const name of names)
    if (isAsked(own(doc, name)))
      refuse(
        `${prefix}${name}`,
        `cannot be done here: nobody ${name === 'compression' ? 'compresses' : 'searches the web'}`,
      )
}

function isAsked(value: unknown): boolean {
  return isSaid(value) && value !== false
}
