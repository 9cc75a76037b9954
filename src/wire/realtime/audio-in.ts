/** The hot path of what comes in: base64 audio, fifty times a second a session, without a schema. */
import { Refusal } from './check.ts'

/** OpenAI's documented limit of one append. */
export const MAX_APPEND_BYTES = 15 * 1024 * 1024

/**
 * Decodes strictly: whole groups of four, nothing foreign between them. Node's decoder drops what it does not
 * know, so the length tells; it also reads the URL-safe alphabet, which we let pass.
 */
export function decodeAudio(text: unknown, path: string): Uint8Array {
  if (typeof text !== 'string') {
    if (text === undefined)
      throw new Refusal('missing_required_parameter', `Missing required parameter: '${path}'.`, path)
    throw new Refusal('invalid_type', `Invalid type for '${path}': expected a base64-encoded string.`, path)
  }
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  const expected = (text.length >> 2) * 3 - padding
  if (expected > MAX_APPEND_BYTES) {
    const message = `Invalid '${path}': ${expected} bytes of audio in one event; at most ${MAX_APPEND_BYTES} (15 MiB) are accepted.`
    throw new Refusal('invalid_value', message, path)
  }
  const bytes = (text.length & 3) === 0 ? Buffer.from(text, 'base64') : undefined
  if (bytes?.length === expected) return bytes
  throw new Refusal('invalid_value', `Invalid '${path}': expected base64-encoded audio bytes.`, path)
}
