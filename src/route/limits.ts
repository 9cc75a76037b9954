/** What a condition may cost. None is near what a sensible rule needs; all together keep the worst one under a few ms. */

/** Characters of a condition. The pipeline schema allows as many. */
export const MAX_CONDITION_CHARS = 2000
/** Brackets, calls and operators within one another. */
export const MAX_DEPTH = 32
/** Names, values and operators in all. */
export const MAX_NODES = 400
/** Entries of a list that is written down in a condition. */
export const MAX_LIST = 100
/** Steps a condition may take at worst: loops (`exists`, `map`, …) multiply, regular expressions weigh by their length. */
export const MAX_STEPS = 10_000

/** Entries of any list or map of the context that a rule sees, the first ones; of `request.messages` the newest. */
export const SEEN_ENTRIES = 100
/** Characters of any text that a rule sees. A spoken turn is far shorter; a regular expression reads every one. */
export const SEEN_CHARS = 4096
/** Values within one list of `metadata`, lists within it included. */
export const SEEN_VALUES = 1000
/** Levels of `metadata`. */
export const SEEN_LEVELS = 4

/** Characters of a regular expression, */
export const MAX_PATTERN_CHARS = 200
/** and steps of the program it becomes: RE2 takes time in proportion to the text times these. */
export const MAX_PATTERN_STEPS = 128
