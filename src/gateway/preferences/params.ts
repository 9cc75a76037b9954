/** Parameters that one model gets instead of the request's own: Portkey's `override_params`, LiteLLM's fallback objects. */
import { refuseCredentials } from './credentials.ts'
import { refuse } from './error.ts'
import { isExtension } from './extensions.ts'
import { PARAMS } from './limits.ts'
import { boundedAt, type Doc, isSaid } from './values.ts'

/** What belongs to the whole request: one answer in one form, to one conversation. */
const OF_THE_REQUEST = ['messages', 'input', 'system', 'stream', 'stream_options', 'n', 'metadata', 'user']

/** Everything of `value` but `model`. */
export function paramsAt(value: unknown, path: string): Doc {
  const doc = boundedAt(value, path, PARAMS)
  if (!doc) return {}
  refuseCredentials(doc, path)
  const params = Object.entries(doc).filter(([name, one]) => name !== 'model' && isSaid(one))
  for (const [name] of params) {
    const own = OF_THE_REQUEST.includes(name)
    if (own || isExtension(name))
      refuse(
        `${path}.${name}`,
        own ? 'is the same for all models of a request' : 'routes, and cannot be set for one model',
      )
  }
  return Object.fromEntries(params)
}
