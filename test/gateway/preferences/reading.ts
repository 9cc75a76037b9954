/** Reads a request as an endpoint would, for the tests of preferences. */
import { PreferenceError } from '../../../src/gateway/preferences/error.ts'
import type { Headers } from '../../../src/gateway/preferences/headers.ts'
import { wishesOf } from '../../../src/gateway/preferences/plan.ts'
import type { Preferences } from '../../../src/gateway/preferences/preferences.ts'
import { type ReadOptions, readPreferences } from '../../../src/gateway/preferences/read.ts'
import type { RoutingFacts } from '../../../src/route/context.ts'
import { FACTS } from '../../route/facts.ts'

export function read(body: object, headers: Headers = {}, options: ReadOptions = {}): Preferences {
  return readPreferences({ model: 'openai/gpt-4o', ...body }, headers, options).preferences
}

/** `param: message` of what is refused. */
export function refusal(body: unknown, headers: Headers = {}, options: ReadOptions = {}): string {
  try {
    readPreferences(body, headers, options)
  } catch (error) {
    if (error instanceof PreferenceError) return `${error.param}: ${error.message}`
    throw error
  }
  return 'not refused'
}

export function factsOf(preferences: Preferences, facts: Partial<RoutingFacts> = {}, key = 'anna') {
  const metadata = preferences.metadata
  return { facts: { ...FACTS, key: null, minted: {}, metadata, ...facts }, key }
}

/** The names in the order in which they would be tried. */
export function tried(preferences: Preferences, facts: Partial<RoutingFacts> = {}, key = 'anna'): string[] {
  const { plan } = preferences
  return plan ? wishesOf(plan, factsOf(preferences, facts, key)).map(({ name }) => name) : []
}

export function config(value: unknown): Headers {
  return { 'x-portkey-config': JSON.stringify(value) }
}
