/** A script as the responder runs it: everything checked and compiled once, immutable. */
export interface Line {
  /** May hold `{name}`, `{name|otherwise}`. */
  readonly text: string
  /** Silence of the model before this sentence. */
  readonly afterMs: number
}

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

export interface ScriptedCall {
  readonly tool: string
  /** Strings inside may hold `{name}`. */
  readonly with: { readonly [key: string]: Json }
}

export interface Rule {
  readonly name: string
  /** States it applies in; null: all. */
  readonly states: ReadonlySet<string> | null
  readonly patterns: readonly RegExp[]
  /** Normalised as `spoken` does, with a space either side. */
  readonly phrases: readonly string[]
  /** Tool names whose result this rule answers, `*` for any; null: it answers the caller. */
  readonly results: ReadonlySet<string> | null
  readonly afterMs: number
  readonly say: readonly Line[]
  readonly calls: readonly ScriptedCall[]
  readonly goto: string | null
}

export interface Script {
  readonly name: string
  readonly firstTokenMs: number
  readonly wordMs: number
  readonly start: string
  readonly greeting: readonly Line[] | null
  readonly rules: readonly Rule[]
  readonly fallback: readonly Line[]
}

/** Lower case, apostrophes kept, all other punctuation a space, one space between words and at both ends. */
export function spoken(text: string): string {
  const words = text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[\u2018\u2019]/g, "'")
    .replace(/[^\p{L}\p{N}\p{M}']+/gu, ' ')
  return ` ${words.trim()} `
}
