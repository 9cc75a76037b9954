/** The double of Google's speech behind a gRPC server on loopback, made of the SDK's own description of the service. */
import { createRequire } from 'node:module'
import type { CallPeer, CallTalk, FakeGoogle } from '../support/fake-google.ts'

const require = createRequire(import.meta.url)

interface ServerCall {
  on(event: 'data', listener: (request: Record<string, unknown>) => void): void
  on(event: 'end' | 'cancelled', listener: () => void): void
  write(message: object): void
  end(): void
  emit(event: 'error', error: object): void
}

interface Grpc {
  readonly Server: new () => {
    addService(service: object, handlers: object): void
    bindAsync(address: string, credentials: object, done: (error: Error | null, port: number) => void): void
    forceShutdown(): void
  }
  readonly ServerCredentials: { createInsecure(): object }
  loadPackageDefinition(definition: object): never
}

export interface ServedGoogle {
  /** `http://127.0.0.1:port`. */
  readonly url: string
  /** Calls that are open now. */
  readonly open: number
  close(): void
}

export async function serveGoogle(double: FakeGoogle): Promise<ServedGoogle> {
  const { grpc } = require('google-gax') as { readonly grpc: Grpc }
  const server = new grpc.Server()
  const open = new Set<ServerCall>()
  const handler = (serve: (peer: CallPeer) => CallTalk) => (call: ServerCall) => {
    open.add(call)
    const over = () => {
      if (!open.delete(call)) return false
      talk.gone()
      return true
    }
    const talk = serve({
      send: (message) => {
        if (open.has(call)) call.write(message)
      },
      end: () => {
        if (over()) call.end()
      },
      fail: (code) => {
        if (over()) call.emit('error', { code, details: 'SECRET' })
      },
    })
    call.on('data', (request) => {
      if (open.has(call)) talk.message(set(request))
    })
    call.on('end', () => {
      if (open.has(call)) talk.finished()
    })
    call.on('cancelled', () => void over())
  }
  server.addService(serviceOf(grpc, '@google-cloud/speech', 'speech.v2.Speech'), {
    StreamingRecognize: handler((peer) => double.recognise(peer)),
  })
  server.addService(serviceOf(grpc, '@google-cloud/text-to-speech', 'texttospeech.v1.TextToSpeech'), {
    StreamingSynthesize: handler((peer) => double.synthesise(peer)),
  })
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) => {
      if (error) reject(error)
      else resolve(bound)
    })
  })
  return {
    url: `http://127.0.0.1:${port}`,
    get open() {
      return open.size
    },
    close: () => server.forceShutdown(),
  }
}

/** Without what protobuf fills in for what was not set. */
function set(request: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(request).filter(([, value]) => value !== null && value !== undefined),
  )
}

function serviceOf(grpc: Grpc, name: string, service: string): object {
  const protos = require(`${name}/build/protos/protos.json`)
  const loader = require('@grpc/proto-loader') as { fromJSON(json: object, options: object): object }
  const definition = loader.fromJSON(protos, { longs: String, enums: String, defaults: false, oneofs: true })
  const loaded = grpc.loadPackageDefinition(definition) as Record<string, never>
  const path = ['google', 'cloud', ...service.split('.')]
  const made = path.reduce<{ readonly service?: object }>(
    (at, part) => (at as Record<string, never>)[part]!,
    loaded,
  )
  if (!made.service) throw new Error(`${name} has no ${service}`)
  return made.service
}
