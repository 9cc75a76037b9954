/** HTTP status codes, by which clients say when to go on, as the kinds of failure that adapters tell. */
import type { ProviderErrorKind } from '../../errors.ts'
import { MAX_STATUS_CODES } from './limits.ts'
import { listAt, present, wholeAt } from './values.ts'

const CODE = { min: 100, max: 599 }

/** Undefined: none said. Codes of success, and those that no failure here has, name no kind. */
export function kindsAt(value: unknown, path: string): readonly ProviderErrorKind[] | undefined {
  const codes = listAt(value, path, MAX_STATUS_CODES)?.map((code, i) =>
    present(wholeAt(code, `${path}[${i}]`, CODE), `${path}[${i}]`),
  )
  return codes && [...new Set(codes.flatMap((code) => kindOf(code) ?? []))]
}

function kindOf(code: number): ProviderErrorKind | undefined {
  switch (code) {
    case 401:
    case 403:
      return 'auth'
    case 402:
      return 'quota'
    case 429:
      return 'rate'
    case 408:
    case 504:
    case 524:
      return 'timeout'
    default:
      if (code >= 500) return 'transient'
      return code >= 400 ? 'bad_request' : undefined
  }
}

/** The status under which OpenRouter's clients know a failure. */
export function statusOf(kind: ProviderErrorKind): number {
  switch (kind) {
    case 'auth':
      return 401
    case 'quota':
      return 402
    case 'rate':
      return 429
    case 'bad_request':
      return 400
    case 'timeout':
      return 504
    case 'transient':
    case 'expired':
      return 502
    case 'cancelled':
      return 499
    default: {
      const never: never = kind
      return never
    }
  }
}
