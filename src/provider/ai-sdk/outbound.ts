/**
 * The `fetch` that packages are given: the connections of this provider, the same limits as everywhere, and nothing but POST, so that no
 * package can fetch an address that a client wrote into its message.
 */
import { ReadableStream } from 'node:stream/web'
import { type Dispatcher, fetch, Headers, type RequestInit, Response } from 'undici'
import { StreamFault } from '../../dialect/faults.ts'

/** Of one line of a stream. */
const LINE_BYTES = 1_000_000
/** Of a refusal. */
const ERROR_BYTES = 65_536
const CREDENTIAL = /auth|key|token|secret/i
const CREDENTIALS_KEPT = 64
/** Shorter ones are no secrets, and taking them out would tear words. */
const SECRET_CHARACTERS = 8

export interface Outbound {
  readonly fetch: (input: string | URL, init?: RequestInit) => Promise<Response>
  /** Those that went out in headers, wherever the package had them from. */
  readonly secrets: () => readonly string[]
}

export function outbound(dispatcher: Dispatcher): Outbound {
  const secrets = new Set<string>()
  return {
    secrets: () => [...secrets],
    async fetch(input, init = {}) {
      if (init.method?.toUpperCase() !== 'POST') throw new StreamFault('transient', 'only POST is sent')
      const headers = new Headers(init.headers)
      for (const [name, value] of headers) if (CREDENTIAL.test(name)) remember(secrets, value)
      headers.set('accept-encoding', 'identity')
      const answer = await fetch(input, { ...init, headers, dispatcher, redirect: 'error' })
      const encoding = answer.headers.get('content-encoding')
      if (encoding === null || encoding === 'identity') return bounded(answer)
      await answer.body?.cancel()
      throw new StreamFault(
        'transient',
        'the server answered with a compressed body, which was not asked for',
      )
    },
  }
}

function remember(secrets: Set<string>, value: string): void {
  const secret = value.replace(/^(bearer|basic|key)\s+/i, '')
  if (secret.length >= SECRET_CHARACTERS && secrets.size < CREDENTIALS_KEPT) secrets.add(secret)
}

function bounded(answer: Response): Response {
  const { status, statusText, headers, body } = answer
  if (!body) return answer
  if (/^text\/html\b/i.test(headers.get('content-type') ?? '') && answer.ok) {
    void body.cancel()
    throw new StreamFault('transient', 'the server answered with something that is no event stream')
  }
  const within = answer.ok ? lineLimit() : totalLimit()
  const reader = body.getReader()
  const limited = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await reader.read()
      if (done) return controller.close()
      if (within(value)) return controller.enqueue(value)
      await reader.cancel()
      controller.error(new StreamFault('transient', 'the answer is longer than is taken'))
    },
    cancel: (reason) => reader.cancel(reason),
  })
  return new Response(limited, { status, statusText, headers })
}

function lineLimit(): (bytes: Uint8Array) => boolean {
  let open = 0
  return (bytes) => {
    const last = bytes.lastIndexOf(LINE_FEED)
    open = last < 0 ? open + bytes.length : bytes.length - last
    return open <= LINE_BYTES
  }
}

function totalLimit(): (bytes: Uint8Array) => boolean {
  let total = 0
  return (bytes) => (total += bytes.length) <= ERROR_BYTES
}

const LINE_FEED = 10
