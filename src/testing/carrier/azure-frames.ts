/**
 * The frames of Azure's speech WebSockets: headers and a body, as text or, with the length of the headers before them, as bytes. Read
 * from the sources of `microsoft-cognitiveservices-speech-sdk` 1.52.0 on 2026-11-25.
 */
import type { SocketClose } from '../../provider/socket.ts'
import type { DoublePeer, DoubleTalk } from './sockets.ts'

export interface Frame {
  /** In lower case. */
  readonly path: string
  /** 32 digits: the turn it belongs to. */
  readonly request: string
  readonly body: Buffer
}

const JSON_BODY = 'Content-Type:application/json; charset=utf-8\r\n'

export function textFrame({ path, request }: Omit<Frame, 'body'>, body: object | string): string {
  const written = typeof body === 'string' ? body : JSON.stringify(body)
  return `X-RequestId:${request}\r\n${JSON_BODY}Path:${path}\r\n\r\n${written}`
}

/** `streamId`: of the sound. */
export function soundFrame(request: string, streamId: string, body: Uint8Array): Buffer {
  const head = Buffer.from(`X-RequestId:${request}\r\nX-StreamId:${streamId}\r\nPath:audio\r\n`)
  const length = Buffer.alloc(2)
  length.writeUInt16BE(head.length)
  return Buffer.concat([length, head, body])
}

export function readText(text: string): Frame | undefined {
  const at = text.indexOf('\r\n\r\n')
  return at < 0 ? undefined : frameOf(text.slice(0, at), Buffer.from(text.slice(at + 4)))
}

export function readBinary(bytes: Uint8Array): Frame | undefined {
  const data = Buffer.from(bytes)
  const length = data.length < 2 ? undefined : data.readUInt16BE(0)
  if (length === undefined || data.length < 2 + length) return undefined
  return frameOf(data.toString('latin1', 2, 2 + length), data.subarray(2 + length))
}

function frameOf(head: string, body: Buffer): Frame {
  const headers = new Map(
    head.split('\r\n').map((line) => {
      const at = line.indexOf(':')
      return [line.slice(0, at).trim().toLowerCase(), line.slice(at + 1).trim()]
    }),
  )
  return { path: headers.get('path')?.toLowerCase() ?? '', request: headers.get('x-requestid') ?? '', body }
}

/** One connection of a double, in frames. */
export abstract class FramedTalk implements DoubleTalk {
  /** Of the turn. */
  protected request = ''

  constructor(protected readonly peer: DoublePeer) {}

  protected abstract frame(frame: Frame): void
  protected abstract refuse(what: string): void
  abstract gone(close: SocketClose): void

  text(text: string): void {
    this.#heard(readText(text))
  }

  binary(bytes: Uint8Array): void {
    this.#heard(readBinary(bytes))
  }

  protected tell(path: string, body: object | string): void {
    this.peer.send(textFrame({ path, request: this.request }, body))
  }

  /** Settings: JSON, whatever they say. */
  protected parsed({ path, body }: Frame): Readonly<Record<string, unknown>> {
    try {
      return JSON.parse(body.toString())
    } catch {
      this.refuse(`${path} is no JSON`)
      return {}
    }
  }

  #heard(frame: Frame | undefined): void {
    if (!frame) return this.refuse('a message without headers')
    if (frame.path === 'telemetry') return
    if (!/^[0-9a-f]{32}$/i.test(frame.request)) return this.refuse(`X-RequestId of ${frame.path}`)
    this.frame(frame)
  }
}

/** Of 100 ns. */
export const TICKS_PER_MS = 10_000
/** What it cannot read it ends with that, what went wrong with it with this. */
export const BAD_REQUEST = 1007
export const BROKEN = 1011
