/**
 * What requests say about their own routing: read, applied, and told again in the answer's shape. Pure.
 *
 *     const { preferences, rest } = readPreferences(body, headers, { api })
 *     const wishes = preferences.plan ? wishesOf(preferences.plan, { facts, key }) : wishesOfTheDefault
 *     const choices = choicesOf(wishes, resolve)
 *     const { order, refused, strategy } = applyPreferences(choices, preferences, { factsOf, needs: needsOf(rest.body), … })
 *
 * Then each of `order` is asked with `rest.body` and its `wish.params`; `wish` also has its own time, retries, and the failures
 * after which the next is asked. `PreferenceError` is the caller's mistake, with its place and a code of the table.
 */
export { answerHeaders, type HeaderFacts } from './answer-headers.ts'
export { type Applied, applyPreferences, type Known, type Strategy } from './apply.ts'
export { pricesOf } from './ceiling.ts'
export { type Choice, choicesOf, type Resolve } from './choices.ts'
export { PreferenceError } from './error.ts'
export type { Headers } from './headers.ts'
export { needsOf } from './needs.ts'
export { type OpenrouterMetadata, openrouterMetadata, type RoutingTold } from './openrouter-metadata.ts'
export { wishesOf } from './plan.ts'
export type { Preferences, Wish } from './preferences.ts'
export { type Read, readPreferences } from './read.ts'
export { type RouterMetadata, routerMetadata } from './router-metadata.ts'
