/**
 * Stands between an adapter and its provider: it passes on what is said, both ways, and writes it down without keys.
 *
 *     adapter ─► 127.0.0.1 ─► recorder ─► the provider          a line of JSON for each message, and when it came
 */
import { Agent, type Dispatcher } from 'undici'
import { openScope, type Scope } from '../../cancel.ts'
import { type Clock, realClock } from '../../clock.ts'
import { type Connect, connectWs, type Socket, UpgradeRefused } from '../../provider/socket.ts'
import {
  type HttpDoubleAnswer,
  type HttpDoubleRequest,
  type HttpDoubleServer,
  listenerOf,
} from '../carrier/http.ts'
import {
  type DoubleAnswer,
  type DoublePeer,
  type DoubleRequest,
  type DoubleTalk,
  type LateServer,
  serveDouble,
} from '../carrier/sockets.ts'
import type { ProviderEntry } from '../double.ts'
import { ORIGIN, type RecordedEvent, type RecordingHead, type Said } from './log.ts'
import { Secrets } from './secrets.ts'

export interface RecorderOptions {
  /** The provider's entry as the settings have it, its key included. `baseUrl` must be there: the provider's own, or another. */
  readonly entry: ProviderEntry & { readonly baseUrl: string }
  /** Told a line at a time, with its end of line. */
  readonly write: (line: string) => void
  readonly clock?: Clock
  readonly connect?: Connect
  readonly dispatcher?: Dispatcher
}

/** Of the hop from the adapter to us. */
const OUR_HOP =
  /^(host|connection|upgrade|sec-websocket-(key|version|extensions)|content-length|accept-encoding|transfer-encoding)$/
/** Of an answer: what adapters read. */
const KEPT = /^(content-type|retry-after|x-ratelimit-.*|.*request-id)$/

/** A provider that is being recorded. */
export interface Recorder {
  /** In the place of the provider's own entry. */
  readonly settings: ProviderEntry
  /** `http://127.0.0.1:PORT`. */
  readonly url: string
  /** Breaks what is open, and listens no more. */
  close(): Promise<void>
}

/** Listens on a free port of 127.0.0.1. Rejects with `TypeError` where `baseUrl` is no address, or with the system's error. */
export async function recordProvider(options: RecorderOptions): Promise<Recorder> {
  const { entry, clock = realClock, connect = connectWs } = options
  const dispatcher = options.dispatcher ?? new Agent()
  const base = new URL(entry.baseUrl)
  const upstream = `${base.protocol}//${base.host}`
  const secrets = new Secrets()
  secrets.learn(entry.apiKey)
  const began = clock.now()
  let exchanges = 0
  const line = (value: object) => options.write(`${JSON.stringify(value)}\n`)
  const { apiKey: _, ...open } = entry
  line({ recording: 1, entry: open } satisfies RecordingHead)

  const begin = ({ url, headers }: DoubleRequest): Notes => {
    secrets.learnFrom(headers, url)
    const n = exchanges++
    const note = (event: RecordedEvent) => line({ n, at: Math.round(clock.now() - began), ...event })
    return { note, origins: origins(upstream, url), secrets }
  }
  const server: LateServer = async (request) => {
    const notes = begin(request)
    const { pathname, search } = request.url
    notes.note({ socket: secrets.strip(pathname + search, 'client'), headers: names(request.headers) })
    try {
      const url = upstream.replace(/^http/, 'ws') + pathname + search
      const socket = await connect({ url, headers: passed(request.headers), signal: openScope().signal })
      return (peer) => talk({ peer, socket, ...notes })
    } catch (error) {
      return refused(error, notes)
    }
  }
  const http: HttpDoubleServer = (request, answer) => {
    const scope = openScope()
    void pass({ request, answer, dispatcher, upstream, scope, ...begin(request) })
    return () => scope.cancel('done')
  }
  const served = await serveDouble(server, undefined, listenerOf(http))
  const url = served.url.replace('ws:', 'http:')
  return {
    url,
    settings: { ...entry, baseUrl: url + base.pathname.replace(/\/$/, '') },
    async close() {
      await served.close()
      if (!options.dispatcher) await dispatcher.destroy()
    },
  }
}

interface Notes {
  readonly note: (event: RecordedEvent) => void
  readonly secrets: Secrets
  readonly origins: Origins
}

interface Origins {
  /** The provider's origin becomes ours, so that what it names is recorded too. */
  ours(text: string): string
  /** In the recording it is nobody's. */
  nobodys(text: string): string
}

function origins(upstream: string, { host }: URL): Origins {
  const theirs = upstream.replace(/^\w+:\/\//, '')
  const replaced = (text: string, by: (scheme: string) => string) =>
    text
      .replaceAll(`wss://${theirs}`, by('ws'))
      .replaceAll(`ws://${theirs}`, by('ws'))
      .replaceAll(`https://${theirs}`, by('http'))
      .replaceAll(`http://${theirs}`, by('http'))
  return {
    ours: (text) => replaced(text, (scheme) => `${scheme}://${host}`),
    nobodys: (text) => replaced(text, (scheme) => `${scheme}://${ORIGIN}`),
  }
}

function talk({
  peer,
  socket,
  note,
  secrets,
  origins,
}: Notes & { peer: DoublePeer; socket: Socket }): DoubleTalk {
  const said = (message: string | Uint8Array): Said =>
    typeof message === 'string'
      ? secrets.strip(origins.nobodys(message), 'provider')
      : { base64: Buffer.from(message).toString('base64') }
  const end: { by?: 'client' } = {}
  void (async () => {
    for await (const message of socket.messages) {
      note({ provider: said(message) })
      peer.send(typeof message === 'string' ? origins.ours(message) : message)
    }
    const { code, reason } = await socket.closed
    if (end.by) return
    note({ ended: code, reason })
    if (code === 1006) peer.drop()
    else peer.close(code === 1005 ? 1000 : code, reason)
  })()
  return {
    text(text) {
      note({ client: secrets.strip(text, 'client') })
      socket.sendText(text)
    },
    binary(bytes) {
      note({ client: { bytes: bytes.length } })
      socket.sendBinary(bytes)
    },
    gone({ code, reason }) {
      end.by = 'client'
      if (code === 1006) socket.terminate()
      else socket.close(code === 1005 ? undefined : code, reason)
    },
  }
}

function refused(error: unknown, { note, secrets }: Notes): DoubleAnswer {
  if (!(error instanceof UpgradeRefused)) {
    note({ ended: 'broken' })
    return { status: 502 }
  }
  const { status, body } = error
  const headers = kept(error.headers)
  note({ status, headers })
  note({ provider: secrets.strip(body, 'provider') })
  return { status, headers, body }
}

interface Exchange extends Notes {
  readonly request: HttpDoubleRequest
  readonly answer: HttpDoubleAnswer
  readonly dispatcher: Dispatcher
  readonly upstream: string
  readonly scope: Scope
}

async function pass({ request, answer, dispatcher, upstream, scope, ...notes }: Exchange): Promise<void> {
  const { note, secrets, origins } = notes
  const { method, url, bytes, body } = request
  const path = `${url.pathname}${url.search}`
  const sent: Said = isText(request.headers) ? secrets.strip(body, 'client') : { bytes: bytes.length }
  note({
    request: `${method} ${secrets.strip(path, 'client')}`,
    headers: names(request.headers),
    body: sent,
  })
  try {
    const response = await dispatcher.request({
      origin: upstream.replace(/^ws/, 'http'),
      path,
      method: method as Dispatcher.HttpMethod,
      headers: passed(request.headers),
      ...(bytes.length > 0 && { body: bytes }),
      signal: scope.signal,
    })
    const headers = kept(response.headers)
    note({ status: response.statusCode, headers })
    answer.head(response.statusCode, headers)
    const text = isText(headers)
    for await (const piece of response.body as AsyncIterable<Buffer>) {
      const whole = text ? piece.toString('utf8') : ''
      // A character may stand on the edge of two pieces.
      const asText = text && Buffer.byteLength(whole) === piece.length && !whole.includes('\ufffd')
      note({
        provider: asText
          ? secrets.strip(origins.nobodys(whole), 'provider')
          : { base64: piece.toString('base64') },
      })
      answer.write(asText ? origins.ours(whole) : piece)
    }
    note({ ended: 'whole' })
    answer.end()
  } catch {
    if (scope.signal.aborted) return
    note({ ended: 'broken' })
    answer.drop()
  }
}

function isText(headers: Readonly<Record<string, string | undefined>>): boolean {
  return /json|text|event-stream|xml/.test(headers['content-type'] ?? '')
}

function names(headers: DoubleRequest['headers']): string[] {
  return Object.keys(headers).filter((name) => !OUR_HOP.test(name))
}

function passed(headers: DoubleRequest['headers']): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined || OUR_HOP.test(name) ? [] : [[name, value]],
    ),
  )
}

function kept(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      typeof value === 'string' && KEPT.test(name) ? [[name, value]] : [],
    ),
  )
}
