/** Vercel's `providerOptions.gateway`, as in `@ai-sdk/gateway` 3.0. What is the client's own account there has no counterpart. */

import { refuseCredentials } from './credentials.ts'
import type { Draft } from './draft.ts'
import { refuse } from './error.ts'
import { MAX_NAMES } from './limits.ts'
import { sortsAt } from './sort-words.ts'
import { type Doc, docAt, flagAt, isSaid, namesAt, own, providersAt } from './values.ts'
import { wishesAt } from './wish.ts'

const PATH = 'providerOptions.gateway'
const KNOWN = [
  'order',
  'only',
  'models',
  'sort',
  'has',
  'user',
  'tags',
  'byok',
  'zeroDataRetention',
  'disallowPromptTraining',
  'headquarters',
  'providerTimeouts',
  'serviceTier',
]

/** What a target must have, in the words of adapters. */
const HAS: Readonly<Record<string, string>> = {
  'tool-use': 'tools',
  'structured-output': 'json',
  vision: 'vision',
  reasoning: 'reasoning',
}

export function readVercel(body: Doc, draft: Draft): void {
  const options = docAt(own(body, 'providerOptions'), 'providerOptions')
  const gateway = docAt(own(options, 'gateway'), PATH)
  // Options of a provider's own belong to an SDK that is not between here and there.
  draft.ignoreRest(options, ['gateway'], 'providerOptions')
  if (!gateway) return
  draft.spoken('vercel')
  refuseCredentials(gateway, PATH)
  draft.ignoreRest(gateway, KNOWN, PATH)
  for (const name of ['zeroDataRetention', 'disallowPromptTraining'])
    if (flagAt(own(gateway, name), `${PATH}.${name}`))
      refuse(
        `${PATH}.${name}`,
        'cannot be kept here: it is not known of any target; name those that may be used in only',
      )
  for (const name of ['headquarters', 'providerTimeouts', 'serviceTier'])
    if (isSaid(own(gateway, name))) refuse(`${PATH}.${name}`, 'cannot be kept here')
  for (const name of ['order', 'only'] as const) {
    const path = `${PATH}.${name}`
    draft.say(name, providersAt(own(gateway, name), path), path)
  }
  draft.behind(wishesAt(own(gateway, 'models'), `${PATH}.models`), `${PATH}.models`)
  draft.say('sort', sortsAt(own(gateway, 'sort'), `${PATH}.sort`), `${PATH}.sort`)
  const has = namesAt(own(gateway, 'has'), `${PATH}.has`, MAX_NAMES)
  draft.say(
    'capabilities',
    has?.map((name, i) =>
      Object.hasOwn(HAS, name) ? HAS[name]! : refuse(`${PATH}.has[${i}]`, 'is not known of any target here'),
    ),
    `${PATH}.has`,
  )
}
