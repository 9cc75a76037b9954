/** From what a person types after `--url` to the two addresses the talk needs. */
import { UserError } from '../user-error.ts'

export interface ServerAddress {
  /** The Realtime WebSocket, with the pipeline as `model`. */
  readonly realtime: URL
  /** What was meant, for messages: `ws://127.0.0.1:8080`. */
  readonly shown: string
  /** The HTTP address of a path below the same base: `/v1/turns/…`. */
  http(path: string): URL
}

const REALTIME_PATH = '/v1/realtime'

/** Takes `ws:`, `wss:`, `http:` and `https:`, with or without `/v1/realtime`. Throws `UserError`. */
export function parseAddress(text: string, pipeline: string | undefined): ServerAddress {
  const url = tryParse(text.includes('://') ? text : `ws://${text}`)
  if (!url) throw new UserError(`"${text}" is no address.`, 'Write it as ws://127.0.0.1:8080')
  const secure = url.protocol === 'wss:' || url.protocol === 'https:'
  const base = url.pathname.replace(/\/+$/, '').replace(/\/v1(\/realtime)?$/, '')
  const realtime = new URL(url)
  realtime.protocol = secure ? 'wss:' : 'ws:'
  realtime.pathname = base + REALTIME_PATH
  if (pipeline !== undefined) realtime.searchParams.set('model', pipeline)
  return {
    realtime,
    shown: `${realtime.protocol}//${realtime.host}${base}`,
    http(path) {
      const address = new URL(`${secure ? 'https' : 'http'}://${realtime.host}`)
      address.pathname = base + path
      return address
    },
  }
}

function tryParse(text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined
  const url = new URL(text)
  return ['ws:', 'wss:', 'http:', 'https:'].includes(url.protocol) && url.host !== '' ? url : undefined
}
