/**
 * Google's SDKs as an `Rpc`. They are the operator's packages: what is used of them is typed here, and tests hold the
 * real ones against it. A connection is one of HTTP/2 with all calls on it, kept and renewed by the SDK.
 */
import { createRequire } from 'node:module'
import { Cancelled, orAborted } from '../../cancel.ts'
import type { Clock } from '../../clock.ts'
import type { CallHearing, Rpc, RpcCall, RpcFault } from '../call.ts'
import { isFields } from '../message.ts'
import { loadPackage } from '../operator-package.ts'
import { UpgradeRefused } from '../socket.ts'
import { type GoogleSpeechSettings, hostOf } from './settings.ts'
import { durationMs, faultOf } from './wire.ts'

export interface GoogleRpc extends Rpc {
  /** Of the SDK's credentials. */
  project(): Promise<string>
}

export interface SdkOptions {
  /** The package's entry, a `file:` URL. */
  readonly entry: string
  readonly service: 'speech' | 'texttospeech'
  readonly settings: GoogleSpeechSettings
  readonly clock: Clock
}

interface Stub {
  waitForReady(deadline: number, callback: (error?: Error) => void): void
}

interface Client {
  initialize(): Promise<Stub>
  getProjectId(): Promise<string>
  close(): Promise<void>
  _streamingRecognize?(options: object): Duplex
  streamingSynthesize?(options: object): Duplex
}

interface Duplex {
  on(event: string, listener: (value: unknown) => void): void
  write(message: object, taken: () => void): boolean
  end(): void
  cancel(): void
}

type ClientClass = new (options: object) => Client

/** A longer one is a hanging connection. */
const CONNECT_MS = 10_000
/** More than a call may last; without it, the SDK's own. */
const CALL_MS = 330_000
const REASON = /^[A-Z][A-Z0-9_]{2,63}$/

export function sdkRpc(options: SdkOptions): GoogleRpc {
  const { clock } = options
  let client: Client | undefined
  let loading: Promise<Client> | undefined
  const load = () => {
    loading ??= clientOf(options).then(
      (made) => {
        client = made
        return made
      },
      (error) => {
        loading = undefined
        throw error
      },
    )
    return loading
  }
  return {
    async ready(signal) {
      const stub = await orAborted(
        load().then((made) => made.initialize().catch(refused)),
        signal,
      )
      const deadline = clock.wallMs() + CONNECT_MS
      const open = new Promise<void>((resolve, reject) => {
        stub.waitForReady(deadline, (error) => (error ? reject(error) : resolve()))
      })
      await orAborted(open, signal)
    },
    call(hearing) {
      if (!client) throw new Cancelled('done')
      const stream =
        client._streamingRecognize?.({ timeout: CALL_MS }) ??
        client.streamingSynthesize?.({ timeout: CALL_MS })
      if (!stream) throw new TypeError('the package has no streaming method of the name that is known')
      return callOn(stream, hearing)
    },
    async project() {
      return (await load()).getProjectId()
    },
    async close() {
      const made = await loading?.catch(() => undefined)
      await made?.close()
    },
  }
}

/** Without credentials there is no connection; said as a server would. */
function refused(): never {
  throw new UpgradeRefused(401, {}, '')
}

function callOn(stream: Duplex, hearing: CallHearing): RpcCall {
  let over = false
  const end = (tell: () => void) => {
    if (over) return
    over = true
    tell()
  }
  stream.on('data', (response) => {
    if (!over) hearing.message(response)
  })
  stream.on('end', () => end(() => hearing.ended()))
  // Stays, since a cancelled call has an error too.
  stream.on('error', (error) => end(() => hearing.failed(readFault(error))))
  return {
    write: (request, taken) => {
      if (!over) stream.write(request, taken)
    },
    end: () => {
      if (!over) stream.end()
    },
    cancel: () => {
      if (over) return
      over = true
      stream.cancel()
    },
  }
}

function readFault(error: unknown): RpcFault {
  const { code, reason, statusDetails } = (error ?? {}) as Readonly<Record<string, unknown>>
  const details = Array.isArray(statusDetails) ? statusDetails.filter(isFields) : []
  const retry = details.find((detail) => isFields(detail['retryDelay']))
  const fault = {
    code: typeof code === 'number' ? code : undefined,
    reason: typeof reason === 'string' && REASON.test(reason) ? reason : undefined,
  }
  return faultOf(fault, retry && durationMs(retry['retryDelay']))
}

async function clientOf({ entry, service, settings }: SdkOptions): Promise<Client> {
  const exports = await loadPackage(entry)
  const { location, endpoint, project, credentials } = settings
  const where = endpoint
    ? { apiEndpoint: endpoint.host, port: endpoint.port }
    : { apiEndpoint: hostOf(service, location) }
  const options = {
    ...credentials,
    ...where,
    ...(project !== undefined && { projectId: project }),
    ...(endpoint?.tls === 'off' && (await inTheClear(entry))),
  }
  const { v2, TextToSpeechClient } = exports as {
    readonly v2?: { readonly SpeechClient: ClientClass }
    readonly TextToSpeechClient?: ClientClass
  }
  const Made = service === 'speech' ? v2?.SpeechClient : TextToSpeechClient
  if (!Made) throw new TypeError('the package has no client of the name that is known')
  return new Made(options)
}

/** Without TLS no credentials are sent. The SDK's own gRPC makes the channel: another copy's would be refused. */
async function inTheClear(entry: string): Promise<object> {
  const require = createRequire(entry)
  const { grpc, googleAuthLibrary } = require('google-gax') as {
    readonly grpc: { readonly credentials: { createInsecure(): object } }
    readonly googleAuthLibrary: { readonly PassThroughClient: new () => object }
  }
  return {
    sslCreds: grpc.credentials.createInsecure(),
    authClient: new googleAuthLibrary.PassThroughClient(),
  }
}
