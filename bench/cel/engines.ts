/** The three CEL engines behind one face: expression in, a function of the context out. Throws for whatever goes wrong. */
import { celEnv, celUint, isCelError, isCelList, isCelMap, isCelUint, parse, plan } from '@bufbuild/cel'
import { strings } from '@bufbuild/cel/ext'
import * as marcbachmann from '@marcbachmann/cel-js'
import * as celJs from 'cel-js'

/** A value of the conformance data or of a result, in one form: numbers of all kinds as numbers. */
export type Plain = null | boolean | number | string | readonly Plain[] | { readonly [tag: string]: Plain }

/** Of a test's own values: which kind of number, which kind of map. */
export interface Kinds {
  int(value: bigint): unknown
  uint(value: bigint): unknown
  map(entries: readonly (readonly [unknown, unknown])[]): unknown
}

export interface Engine {
  readonly name: string
  readonly kinds: Kinds
  compile(expression: string): (context: Readonly<Record<string, unknown>>) => unknown
}

const env = celEnv({ funcs: [...strings] })

export const ENGINES: readonly Engine[] = [
  {
    name: 'cel-js',
    kinds: {
      int: Number,
      uint: Number,
      map: (entries) => Object.fromEntries(entries as [string, unknown][]),
    },
    compile(expression) {
      const parsed = celJs.parse(expression)
      if (!parsed.isSuccess) throw new Error(parsed.errors.join('; '))
      return (context) => celJs.evaluate(parsed.cst, context)
    },
  },
  {
    name: '@marcbachmann/cel-js',
    kinds: {
      int: (value) => value,
      uint: (value) => marcbachmann.evaluate(`${value}u`),
      map: (entries) => new Map(entries),
    },
    compile(expression) {
      const parsed = marcbachmann.parse(expression)
      return (context) => parsed(context as Record<string, never>)
    },
  },
  {
    name: '@bufbuild/cel',
    kinds: { int: (value) => value, uint: celUint, map: (entries) => new Map(entries) },
    compile(expression) {
      const planned = plan(env, parse(expression))
      return (context) => {
        const value = planned(context as Readonly<Record<string, never>>)
        if (isCelError(value)) throw value
        return value
      }
    },
  },
]

/** A result in the one form; a shape nobody expects becomes its class's name. */
export function plain(value: unknown): Plain {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value
  if (typeof value === 'bigint') return Number(value)
  if (typeof value === 'number') return value
  if (typeof value !== 'object') return { odd: typeof value }
  if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString('hex') }
  if (isCelUint(value)) return Number(value.value)
  if (isCelList(value) || Array.isArray(value)) return [...(value as Iterable<unknown>)].map(plain)
  if (isCelMap(value) || value instanceof Map) {
    return mapOf([...(value as Iterable<readonly [unknown, unknown]>)])
  }
  const name = value.constructor?.name ?? 'Object'
  if (name === 'Object' && !('kind' in value)) return mapOf(Object.entries(value))
  if (name === 'UnsignedInt') return Number(value.valueOf())
  if (/Type$|^Object$/.test(name) && 'name' in value) {
    // One of them writes the type of null as null.
    return { type: value.name === 'null' ? 'null_type' : String(value.name) }
  }
  return { odd: name }
}

export function mapOf(entries: readonly (readonly [unknown, unknown])[]): Plain {
  const told = entries.map(([key, value]) => [JSON.stringify(plain(key)), plain(value)] as const)
  return { map: Object.fromEntries(told.toSorted(([a], [b]) => (a < b ? -1 : 1))) }
}
