/** One WebSocket to `/v1/realtime`, and the two plain requests beside it. The key travels as the browser's APIs allow. */
import type { TurnRecord } from '../../../trace/record.ts'
import type { ServerEvent } from './events.ts'

const KEY_NAME = 'parley.key'
/** Half a minute of speech behind: a network that slow gets the newest words, not all of them. */
const MAX_BUFFERED_BYTES = 2_000_000

/** The key lives in this tab only and goes with it. */
export const storedKey = {
  get: (): string => sessionStorage.getItem(KEY_NAME) ?? '',
  set: (key: string): void =>
    key === '' ? sessionStorage.removeItem(KEY_NAME) : sessionStorage.setItem(KEY_NAME, key),
}

export interface ConnectionEvents {
  onEvent(event: ServerEvent): void
  onClose(code: number, reason: string): void
}

export class Connection {
  readonly #socket: WebSocket
  #sent = 0

  constructor(events: ConnectionEvents) {
    const url = new URL('v1/realtime', document.baseURI)
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
    // What the page was opened with chooses the pipeline and its metadata: /?model=support&metadata.language=de
    for (const [name, value] of new URLSearchParams(location.search))
      if (name === 'model' || name === 'user' || name.startsWith('metadata.'))
        url.searchParams.set(name, value)
    const key = storedKey.get()
    this.#socket = new WebSocket(
      url,
      key === '' ? ['realtime'] : ['realtime', `openai-insecure-api-key.${key}`],
    )
    this.#socket.onmessage = ({ data }) => {
      const event = parse(data)
      if (event) events.onEvent(event)
    }
    this.#socket.onclose = ({ code, reason }) => events.onClose(code, reason)
  }

  send(event: { readonly type: string; readonly [member: string]: unknown }): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return
    this.#socket.send(JSON.stringify({ event_id: `page_${++this.#sent}`, ...event }))
  }

  /** False when the network is too far behind and the audio was left out. */
  sendAudio(base64: string): boolean {
    if (this.#socket.bufferedAmount > MAX_BUFFERED_BYTES) return false
    this.send({ type: 'input_audio_buffer.append', audio: base64 })
    return true
  }

  /** Closes without a further `onClose`. */
  close(): void {
    this.#socket.onclose = null
    this.#socket.onmessage = null
    this.#socket.close(1000)
  }
}

function parse(data: unknown): ServerEvent | null {
  if (typeof data !== 'string') return null
  try {
    return JSON.parse(data) as ServerEvent
  } catch {
    return null
  }
}

function authorised(path: string): Promise<Response> {
  const key = storedKey.get()
  return fetch(new URL(path, document.baseURI), {
    headers: key === '' ? {} : { authorization: `Bearer ${key}` },
    cache: 'no-store',
  })
}

/** null: not there (yet), or not ours. */
export async function fetchTurn(turnId: string): Promise<TurnRecord | null> {
  try {
    const answer = await authorised(`v1/turns/${encodeURIComponent(turnId)}`)
    return answer.ok ? ((await answer.json()) as TurnRecord) : null
  } catch {
    return null
  }
}

/** A browser does not tell why a WebSocket was refused; this asks. */
export async function probe(): Promise<'open' | 'key-needed' | 'refused' | 'unreachable'> {
  try {
    const answer = await authorised('v1/turns?limit=1')
    if (answer.status === 401) return 'key-needed'
    return answer.status === 403 ? 'refused' : 'open'
  } catch {
    return 'unreachable'
  }
}
