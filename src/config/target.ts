/** A target is `provider/model` plus parameters; the first slash parts them, the model may hold more. */

export interface Target {
  /** `provider/model` as written. */
  readonly id: string
  readonly provider: string
  readonly model: string
  /** Passed to the provider as they are. */
  readonly params: Readonly<Record<string, unknown>>
}

/** Undefined when `text` is no `provider/model`. */
export function parseTarget(
  text: string,
  params: Readonly<Record<string, unknown>> = {},
): Target | undefined {
  const slash = text.indexOf('/')
  if (slash <= 0 || slash === text.length - 1 || /\s/.test(text)) return undefined
  return { id: text, provider: text.slice(0, slash), model: text.slice(slash + 1), params }
}
