/**
 * In place of Azure's SDK, so that the adapter speaks to a double in memory and on the virtual clock: a connection for each call, in the
 * SDK's frames, and what the SDK tells of it (`test/sdks/azure-speech.test.ts` holds the real one to the same). The SDK itself
 * tries a refused connection several times.
 */
import type { AudioFormat } from '../../src/audio/format.ts'
import { openScope } from '../../src/cancel.ts'
import type { Azure } from '../../src/provider/azure-speech/sdk.ts'
import { faultOf } from '../../src/provider/azure-speech/wire.ts'
import type { CallHearing, Rpc, RpcCall } from '../../src/provider/call.ts'
import { type Connect, type Socket, UpgradeRefused } from '../../src/provider/socket.ts'
import {
  type Frame,
  readBinary,
  readText,
  soundFrame,
  textFrame,
} from '../../src/testing/carrier/azure-frames.ts'
import { connectInMemory, type DoubleServer } from '../../src/testing/carrier/sockets.ts'

const REQUEST = '0123456789abcdef0123456789abcdef'
const HOST = 'wss://azure.test'
/** The SDK's codes. */
const CONNECTION_FAILURE = 4
const BAD_REQUEST = 2

export interface AzureInMemory extends Azure {
  /** Connections, and openings that hang. */
  readonly open: number
}

export function azureInMemory(server: DoubleServer, key: string): AzureInMemory {
  const memory = connectInMemory(server)
  const rpc = (call: (hearing: CallHearing) => RpcCall): Rpc => ({
    ready: async (signal) => signal.throwIfAborted(),
    call,
    close: async () => {},
  })
  const begin = (path: string, hearing: CallHearing, read: Call['read']) =>
    new Call({ connect: memory.connect, url: `${HOST}${path}`, key }, hearing, read)
  return {
    recognition: ({ format, locale }) =>
      rpc((hearing) => {
        const path = `/speech/recognition/conversation/cognitiveservices/v1?language=${locale}`
        const call = begin(path, hearing, (frame) => heardOf(frame))
        call.send(textFrame({ path: 'speech.config', request: REQUEST }, {}))
        call.send(soundFrame(REQUEST, '1', waveHead(format)))
        return {
          write: (request, taken) => {
            const { audio } = request as { readonly audio?: Uint8Array }
            if (audio) call.send(soundFrame(REQUEST, '1', audio))
            taken()
          },
          end: () => call.send(soundFrame(REQUEST, '1', new Uint8Array(0))),
          cancel: () => call.cancel(),
        }
      }),
    voices: (format) =>
      rpc((hearing) => {
        const call = begin('/tts/cognitiveservices/websocket/v1', hearing, (frame) => spokenOf(frame))
        const audio = { outputFormat: outputOf(format) }
        call.send(textFrame({ path: 'synthesis.context', request: REQUEST }, { synthesis: { audio } }))
        return {
          write: (request, taken) => {
            const { ssml } = request as { readonly ssml: string }
            call.send(textFrame({ path: 'ssml', request: REQUEST }, ssml))
            taken()
          },
          end: () => {},
          cancel: () => call.cancel(),
        }
      }),
    get open() {
      return memory.open
    },
  }
}

interface Place {
  readonly connect: Connect
  readonly url: string
  readonly key: string
}

class Call {
  readonly #scope = openScope()
  readonly #hearing: CallHearing
  #socket: Socket | undefined
  #unsent: (string | Uint8Array)[] = []
  #over = false

  constructor(
    place: Place,
    hearing: CallHearing,
    readonly read: (frame: Frame) => readonly object[],
  ) {
    this.#hearing = hearing
    void this.#run(place)
  }

  send(data: string | Uint8Array): void {
    if (this.#over) return
    if (!this.#socket) this.#unsent.push(data)
    else if (typeof data === 'string') this.#socket.sendText(data)
    else this.#socket.sendBinary(data)
  }

  cancel(): void {
    this.#over = true
    this.#scope.cancel('done')
    this.#socket?.terminate()
  }

  async #run({ connect, url, key }: Place): Promise<void> {
    const { signal } = this.#scope
    try {
      const headers = { 'Ocp-Apim-Subscription-Key': key }
      this.#socket = await connect({ url, headers, signal })
    } catch (error) {
      if (error instanceof UpgradeRefused) this.#fail(CONNECTION_FAILURE, `response: ${error.status}`)
      return
    }
    if (this.#over) return this.#socket.terminate()
    for (const data of this.#unsent.splice(0)) this.send(data)
    let isDeaf = false
    for await (const data of this.#socket.messages) {
      if (this.#over || isDeaf) continue
      const frame = typeof data === 'string' ? readText(data) : readBinary(data)
      try {
        for (const event of frame ? this.read(frame) : []) this.#hearing.message(event)
      } catch {
        // The SDK stops reading then, and says nothing.
        isDeaf = true
      }
      if (frame?.path === 'turn.end') this.#end()
    }
    const { code } = await this.#socket.closed
    if (code === 1007) this.#fail(BAD_REQUEST, 'websocket error code: 1007')
    else this.#fail(CONNECTION_FAILURE, undefined)
  }

  #end(): void {
    if (this.#over) return
    this.cancel()
    this.#hearing.ended()
  }

  #fail(code: number, details: string | undefined): void {
    if (this.#over) return
    this.cancel()
    this.#hearing.failed(faultOf(code, details))
  }
}

function heardOf({ path, body }: Frame): object[] {
  const json = body.toString()
  const said = JSON.parse(json)
  const times = { offset: said.Offset, duration: said.Duration }
  if (path === 'speech.hypothesis') return [{ type: 'recognizing', text: said.Text, ...times }]
  if (path === 'speech.enddetected') return [{ type: 'speechEnd', offset: said.Offset }]
  if (path !== 'speech.phrase') return []
  const language = said.PrimaryLanguage?.Language
  return [{ type: 'recognized', text: said.DisplayText, ...times, json, language }]
}

interface Boundary {
  readonly Type: string
  readonly Data: {
    readonly Offset: number
    readonly Duration: number
    readonly text: { readonly Text: string; readonly BoundaryType: string }
  }
}

function spokenOf({ path, body }: Frame): object[] {
  if (path === 'audio') return [{ type: 'audio', audio: new Uint8Array(body) }]
  if (path !== 'audio.metadata') return []
  return (JSON.parse(body.toString()).Metadata as Boundary[]).map(({ Data: { Offset, Duration, text } }) => ({
    type: 'word',
    text: text.Text,
    offset: Offset,
    duration: Duration,
    boundary: text.BoundaryType,
  }))
}

function outputOf({ encoding, sampleRateHz }: AudioFormat): string {
  const kind = { pcm16: '16bit-mono-pcm', mulaw: '8bit-mono-mulaw', alaw: '8bit-mono-alaw' }[encoding]
  return `raw-${sampleRateHz / 1000}khz-${kind}`
}

/** Of a WAV file whose length is not known. */
function waveHead({ encoding, sampleRateHz }: AudioFormat): Uint8Array {
  const head = Buffer.alloc(44)
  const bytes = encoding === 'pcm16' ? 2 : 1
  head.write('RIFF', 0, 'latin1')
  head.write('WAVEfmt ', 8, 'latin1')
  head.writeUInt32LE(16, 16)
  head.writeUInt16LE({ pcm16: 1, alaw: 6, mulaw: 7 }[encoding], 20)
  head.writeUInt16LE(1, 22)
  head.writeUInt32LE(sampleRateHz, 24)
  head.writeUInt32LE(sampleRateHz * bytes, 28)
  head.writeUInt16LE(bytes, 32)
  head.writeUInt16LE(bytes * 8, 34)
  head.write('data', 36, 'latin1')
  return head
}
