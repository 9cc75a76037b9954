/** The arguments of a call in a history as an object, for providers that want one. Pure. */
import { isRecord } from './openai-error.ts'

/** An object in any case: what the model wrote wrongly is shown to it as it was. */
export function argumentsObject(text: string): Record<string, unknown> {
  if (text.trim() === '') return {}
  try {
    const parsed: unknown = JSON.parse(text)
    if (isRecord(parsed)) return parsed
  } catch {}
  return { invalid_arguments: text }
}
