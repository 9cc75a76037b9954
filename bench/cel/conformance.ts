/**
 * The official conformance data, as far as it says what an expression is worth: tests that expect a value, without
 * protobuf messages, enums and type environments, which no routing rule has.
 */
import type { Value } from '@bufbuild/cel-spec/cel/expr/value_pb.js'
import { getConformanceSuite, type IncrementalTestSuite } from '@bufbuild/cel-spec/testdata/tests.js'
import { type Engine, type Kinds, mapOf, type Plain, plain } from './engines.ts'

interface Case {
  readonly section: string
  readonly expression: string
  readonly expected: Plain
  bindings(kinds: Kinds): Record<string, unknown>
}

/** Their subject is protobuf. */
const LEFT_OUT = new Set(['proto2', 'proto2_ext', 'proto3', 'enums', 'wrappers', 'type_deductions'])
const NOT_OURS = /TestAllTypes|google\.protobuf|proto[23]|cel\.expr/

export function valueCases(): Case[] {
  return [...casesOf(getConformanceSuite(), '')]
}

/** Passed cases by section. */
export function passed(engine: Engine, cases: readonly Case[]): Map<string, number> {
  const bySection = new Map<string, number>()
  for (const one of cases) {
    if (passes(engine, one)) bySection.set(one.section, (bySection.get(one.section) ?? 0) + 1)
  }
  return bySection
}

function passes(engine: Engine, { expression, bindings, expected }: Case): boolean {
  try {
    return equal(plain(engine.compile(expression)(bindings(engine.kinds))), expected)
  } catch {
    return false
  }
}

function* casesOf({ suites, tests }: IncrementalTestSuite, section: string): Generator<Case> {
  for (const suite of suites) {
    if (section !== '' || !LEFT_OUT.has(suite.name))
      yield* casesOf(suite, section === '' ? suite.name : section)
  }
  for (const { original } of tests) {
    const { expr, bindings, resultMatcher, container, checkOnly } = original
    if (container !== '' || checkOnly || NOT_OURS.test(expr)) continue
    if (resultMatcher.case !== 'value' && resultMatcher.case !== undefined) continue
    const entries = Object.entries(bindings)
    const values = entries.map(([, { kind }]) => (kind.case === 'value' ? kind.value : undefined))
    const expected = resultMatcher.case === 'value' ? plainValue(resultMatcher.value) : true
    if (expected === undefined || values.some((value) => !value || plainValue(value) === undefined)) continue
    yield {
      section,
      expression: expr,
      expected,
      bindings: (kinds) =>
        Object.fromEntries(entries.map(([name], i) => [name, boundValue(values[i]!, kinds)])),
    }
  }
}

/** Undefined for protobuf. */
function plainValue({ kind }: Value): Plain | undefined {
  switch (kind.case) {
    case 'nullValue':
      return null
    case 'boolValue':
    case 'stringValue':
    case 'doubleValue':
      return kind.value
    case 'int64Value':
    case 'uint64Value':
      return Number(kind.value)
    case 'bytesValue':
      return { bytes: Buffer.from(kind.value).toString('hex') }
    case 'typeValue':
      return { type: kind.value }
    case 'listValue': {
      const items = kind.value.values.map(plainValue)
      return items.some((item) => item === undefined) ? undefined : (items as Plain[])
    }
    case 'mapValue': {
      const entries = kind.value.entries.map(
        ({ key, value }) => [key && plainKey(key), value && plainValue(value)] as const,
      )
      return entries.some((pair) => pair.includes(undefined)) ? undefined : mapOf(entries)
    }
    default:
      return undefined
  }
}

function plainKey(key: Value): Plain | undefined {
  return plainValue(key)
}

function boundValue({ kind }: Value, kinds: Kinds): unknown {
  switch (kind.case) {
    case 'nullValue':
      return null
    case 'int64Value':
      return kinds.int(kind.value)
    case 'uint64Value':
      return kinds.uint(kind.value)
    case 'listValue':
      return kind.value.values.map((value) => boundValue(value, kinds))
    case 'mapValue':
      return kinds.map(
        kind.value.entries.map(({ key, value }) => [
          key && boundValue(key, kinds),
          value && boundValue(value, kinds),
        ]),
      )
    default:
      return kind.value
  }
}

function equal(a: Plain, b: Plain): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null)
    return Object.is(a, b) || a === b
  const [ours, theirs] = [Object.entries(a), Object.entries(b)]
  return (
    Array.isArray(a) === Array.isArray(b) &&
    ours.length === theirs.length &&
    ours.every(
      ([key, value]) => Object.hasOwn(b, key) && equal(value, (b as Readonly<Record<string, Plain>>)[key]!),
    )
  )
}
