/** What an import gives, and careful looks into a document that anybody may have written. */

/** A target as a pipeline file has it. */
export type Written = string | { readonly target: string; readonly params: Readonly<Record<string, unknown>> }

/** `list` is what is tried, in this order; `weight` is relative to its neighbours. */
export interface Share {
  readonly id: string
  readonly weight: number
  readonly list: readonly Written[]
}

export interface WrittenRoute {
  readonly name: string
  readonly when?: string
  readonly use?: unknown
  readonly sticky?: string
  readonly onContextOverflow?: readonly Written[]
  readonly onContentRefusal?: readonly Written[]
  readonly variants?: readonly { readonly id: string; readonly weight: number; readonly use: unknown }[]
}

export interface WrittenProvider {
  readonly type?: string
  readonly baseUrl?: string
  /** Always a reference such as `${OPENAI_API_KEY}`. */
  readonly apiKey?: string
}

export interface NotCarried {
  readonly path: readonly PropertyKey[]
  /** Names members, never their values. */
  readonly why: string
}

export interface Imported {
  readonly pipeline: { readonly name: string; readonly llm: { readonly routes: readonly WrittenRoute[] } }
  readonly providers: Readonly<Record<string, WrittenProvider>>
  readonly notCarried: readonly NotCarried[]
}

/** The document is not of the kind it was taken for, or nothing of it can be used. */
export class NotImportable extends Error {
  override readonly name = 'NotImportable'
}

export type Doc = Readonly<Record<string, unknown>>

export function isDoc(value: unknown): value is Doc {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** An own member only: `constructor` and `__proto__` are names like any other. */
export function own(doc: unknown, ...names: readonly string[]): unknown {
  if (!isDoc(doc)) return undefined
  for (const name of names) if (Object.hasOwn(doc, name)) return doc[name]
  return undefined
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

export function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

export function textsOf(value: unknown): string[] {
  return listOf(value).filter((one): one is string => typeof one === 'string' && one !== '')
}
