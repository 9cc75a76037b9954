/** How much a request may say about its own routing. Far beyond what any does, and little enough to be read in no time. */

/** Characters of a model's or provider's name. */
export const MAX_NAME_CHARS = 256
/** Models of one request, a pool included. A run makes at most 24 attempts. */
export const MAX_MODELS = 16
/** Names of `order`, `only`, `ignore`. */
export const MAX_NAMES = 64
/** Keys of one `sort`. */
export const MAX_SORTS = 8

/** Characters of a header that holds JSON: what HTTP servers take in all their headers. */
export const MAX_HEADER_CHARS = 16_384
/** Targets of a Portkey config, on all levels, and levels. */
export const MAX_CONFIG_TARGETS = 16
export const MAX_CONFIG_LEVELS = 6
/** Conditions of a Portkey config, on all levels, and levels of one's query. */
export const MAX_CONFIG_CONDITIONS = 16
export const MAX_QUERY_LEVELS = 8
/** Status codes of a list. */
export const MAX_STATUS_CODES = 64

/** Of `metadata`: entries on a level, levels, characters of a name, characters in all. Rules see no more (`route/limits.ts`). */
export const METADATA = { entries: 100, levels: 4, nameChars: 64, chars: 16_384 } as const
/** Of parameters that one model gets instead of the request's own: a JSON schema is the largest. */
export const PARAMS = { entries: 1000, levels: 16, nameChars: 256, chars: 65_536 } as const

/** Members that nobody looked at and are told; the rest is counted. */
export const MAX_IGNORED = 32

/** Inworld's own lower bound of `fallback.ttft_timeout`. */
export const MIN_TTFT_TIMEOUT_MS = 300
/** A day: no answer is waited for that long, and a number beyond is a mistake of unit. */
export const MAX_TIMEOUT_MS = 86_400_000
export const MAX_RETRIES = 10
/** Portkey's own upper bound. */
export const MAX_PORTKEY_RETRIES = 5
