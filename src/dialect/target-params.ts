/** A target's own parameters on a request. Pure. */
import type { ModelRequest } from './neutral.ts'

/** They stand above the conversation's; those with a neutral name are neutral for every provider. */
export function withTargetParams(request: ModelRequest, params: ModelRequest['params'] = {}): ModelRequest {
  const { temperature, maxTokens, ...rest } = params
  return {
    ...request,
    ...(typeof temperature === 'number' ? { temperature } : {}),
    ...(typeof maxTokens === 'number' ? { maxTokens } : {}),
    ...(Object.keys(rest).length > 0 ? { params: rest } : {}),
  }
}
