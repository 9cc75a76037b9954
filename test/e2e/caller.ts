/** A client with nothing between it and the socket: well-behaved, or not. */
import { type ClientOptions, WebSocket } from 'ws'
import type { RunningApp } from './app.ts'
import { human, quiet } from './embedded.ts'
import { HeardEvents } from './heard-events.ts'
import { blurt } from './microphone.ts'

export interface CallerOptions {
  readonly key?: string
  /** Default: `/v1/realtime`. */
  readonly path?: string
  readonly query?: string
  readonly protocols?: string[]
  readonly socket?: ClientOptions
}

export class Caller {
  readonly socket: WebSocket
  readonly events = new HeardEvents()
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>

  constructor(server: RunningApp, options: CallerOptions = {}) {
    const { key, path = '/v1/realtime', query = '', protocols = [], socket = {} } = options
    const url = `${server.url.replace(/^http/, 'ws')}${path}${query}`
    this.socket = new WebSocket(url, protocols, {
      perMessageDeflate: false,
      ...socket,
      headers: { ...(key === undefined ? {} : { authorization: `Bearer ${key}` }), ...socket.headers },
    })
    this.socket.on('message', (data) => this.events.push(JSON.parse(String(data))))
    this.socket.on('error', (error) => this.events.end(error.message))
    this.closed = new Promise((resolve) =>
      this.socket.on('close', (code, reason) => {
        this.events.end(`closed with ${code} ${reason}`)
        resolve({ code, reason: String(reason) })
      }),
    )
  }

  /** Waits for `session.created`, asks for transcripts. */
  static async ready(server: RunningApp, options: CallerOptions = {}): Promise<Caller> {
    const caller = new Caller(server, options)
    await caller.events.next('session.created')
    caller.send({
      type: 'session.update',
      session: { type: 'realtime', audio: { input: { transcription: { model: 'default' } } } },
    })
    await caller.events.next('session.updated')
    return caller
  }

  send(event: object): void {
    this.socket.send(JSON.stringify(event))
  }

  readonly append = (audio: string): void => this.send({ type: 'input_audio_buffer.append', audio })

  /** Says it, then is silent for as long as ends a turn. */
  say(audio: Uint8Array): void {
    blurt(Buffer.concat([audio, quiet(1_000)]), this.append)
  }

  /** Writes it and asks for an answer. */
  write(text: string): void {
    this.send({
      type: 'conversation.item.create',
      item: { type: 'message', role: 'user', content: [{ type: 'input_text', text }] },
    })
    this.send({ type: 'response.create' })
  }

  /** Says three words and has them said back: the session, and the server, are in order. Resolves to the answer. */
  async completesATurn(): Promise<string> {
    const from = this.events.here
    this.say(await human('ten-of-clubs'))
    const done = await this.events.next('response.done', from)
    const said = done['response'].output[0]?.content[0]?.transcript ?? ''
    if (done['response'].status !== 'completed' || !/ten of clubs/i.test(said))
      throw new Error(`not the answer that was due: ${JSON.stringify(done['response'])}`)
    return said
  }

  hangUp(): void {
    this.socket.close(1000)
  }

  /** As when a cable is pulled: no goodbye. */
  vanish(): void {
    this.socket.terminate()
  }
}
