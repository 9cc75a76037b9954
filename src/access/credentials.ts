/** Where a request may carry its key. */
import type { IncomingHttpHeaders } from 'node:http'

/** As the `openai` SDK and its like do in browsers, which cannot set headers on a WebSocket. */
const SUBPROTOCOL = 'openai-insecure-api-key.'

/** The secret as sent, or null. `Authorization` wins over `api-key`, that over the subprotocol. */
export function presentedSecret(headers: IncomingHttpHeaders): string | null {
  const bearer = /^bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1]
  if (bearer !== undefined) return bearer
  for (const name of ['api-key', 'x-api-key']) {
    const plain = headers[name]
    if (typeof plain === 'string' && plain !== '') return plain
  }
  for (const protocol of (headers['sec-websocket-protocol'] ?? '').split(',')) {
    const name = protocol.trim()
    if (name.startsWith(SUBPROTOCOL) && name.length > SUBPROTOCOL.length)
      return name.slice(SUBPROTOCOL.length)
  }
  return null
}
