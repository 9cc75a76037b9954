/** What a session may do with a recogniser's stream, in any order, for property tests. */
import fc from 'fast-check'

/** One word in each 300 ms; answers come within the time in which 99 % of them do. */
export const STEP_MS = 300
export const WORDS = Array.from({ length: 200 }, (_, i) => ({
  text: `w${i}`,
  startMs: i * STEP_MS + 40,
  endMs: i * STEP_MS + 260,
  endsTurn: 0.9,
}))
export type Act =
  | { readonly do: 'hear'; readonly steps: number }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'preview' | 'finalize' | 'discard' }

const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('hear' as const), steps: fc.integer({ min: 1, max: 5 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 700 }) }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('preview', 'finalize', 'discard') }) },
)

export const acts = fc.array(act, { maxLength: 25 })
