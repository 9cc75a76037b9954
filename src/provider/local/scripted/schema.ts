/** What a script file may say. The words are explained in `docs/scripted.md`. */
import { z } from 'zod'

const delayMs = z.int().min(0).max(60_000)
const text = z.string().max(20_000)
const sentence = z.union([text, z.strictObject({ text, afterMs: delayMs.optional() })])
const sentences = z.union([sentence, z.array(sentence).min(1).max(200)], {
  error: 'expected text, { text, afterMs } or a list of these (text with `{` or `: ` in it may need quotes)',
})
const oneOrMore = z.union([z.string().min(1), z.array(z.string().min(1)).min(1).max(100)])
const call = z.strictObject({
  tool: z.string().min(1).max(200),
  with: z.record(z.string(), z.json()).optional(),
})

const rule = z
  .strictObject({
    name: z.string().max(100).optional(),
    in: oneOrMore.optional(),
    hears: oneOrMore.optional(),
    words: oneOrMore.optional(),
    result: oneOrMore.optional(),
    afterMs: delayMs.optional(),
    say: sentences.optional(),
    call: z.union([call, z.array(call).min(1).max(16)]).optional(),
    goto: z.string().min(1).max(100).optional(),
  })
  .refine((r) => r.hears !== undefined || r.words !== undefined || r.result !== undefined, {
    message: 'a rule needs one of `hears`, `words` or `result`',
  })
  .refine((r) => r.say !== undefined || r.call !== undefined, { message: 'a rule needs `say` or `call`' })

export const scriptSchema = z.strictObject({
  name: z.string().max(100).optional(),
  firstTokenMs: delayMs.optional(),
  wordMs: delayMs.optional(),
  start: z.string().min(1).max(100).optional(),
  greeting: sentences.optional(),
  rules: z.array(rule).max(500),
  fallback: sentences,
})

export type ScriptFile = z.infer<typeof scriptSchema>
export type RuleFile = z.infer<typeof rule>
export type SentencesFile = z.infer<typeof sentences>
export type CallFile = z.infer<typeof call>
