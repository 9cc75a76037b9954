/**
 * The real app on a free port, with pipelines of its own: embedded recogniser, voice detector and voice, and a model
 * that follows a script and keeps every prompt it was given, so that a test can read what it was told.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type App, type AppDeps, buildApp, type Embedded } from '../../src/app.ts'
import { loadPipelines } from '../../src/config/pipeline-set.ts'
import { parseSettings } from '../../src/config/settings.ts'
import type { ModelRequest } from '../../src/dialect/neutral.ts'
import type { LlmAdapter } from '../../src/stage/llm.ts'
import type { Provider } from '../../src/stage/provider.ts'
import { createLogger } from '../../src/trace/logger.ts'
import type { TurnRecord } from '../../src/trace/record.ts'
import { selfSigned } from '../support/certificate.ts'
import { embedded } from './embedded.ts'

export interface RunningApp {
  readonly app: App
  /** `http://127.0.0.1:PORT`, or with `https`. */
  readonly url: string
  readonly port: number
  /** The certificate to trust, with `tls`. */
  readonly ca: string | undefined
  /** What the scripted model was asked, in order; guesses made while the caller spoke are among them. */
  readonly prompts: readonly ModelRequest[]
  /** Everything that was logged, a JSON object a line. */
  readonly log: readonly string[]
  /** `GET /v1/turns`, newest first. */
  turns(): Promise<TurnRecord[]>
  turn(id: string): Promise<TurnRecord>
  close(): Promise<void>
}

export interface StartOptions {
  readonly tls?: 'tls'
  /** Where it says that the world reaches it. */
  readonly publicUrl?: string
  /** Secret of the only key. */
  readonly key?: string
  /** Lines of `parley.yaml` beside `listen` and `keys`. */
  readonly settings?: string
  /** Lines of the default pipeline beside its routes. */
  readonly pipeline?: string
  readonly embedded?: Embedded
  /** Instead of the embedded recogniser: `provider/model`. */
  readonly stt?: string
  /** Instead of the scripted model. */
  readonly llm?: LlmAdapter
  readonly deps?: AppDeps
}

const ROUTES = `
name: guide
default: true
instructions: Be brief.
voice: friendly
stt: { routes: [{ name: any, use: [local/moonshine-tiny] }] }
llm: { routes: [{ name: any, use: [test/model] }] }
tts: { routes: [{ name: any, use: [local/flite] }] }
voices: { friendly: { local: slt } }
`

export async function startApp(options: StartOptions = {}): Promise<RunningApp> {
  const folder = mkdtempSync(join(tmpdir(), 'parley-e2e-'))
  const routes = ROUTES.replace('local/moonshine-tiny', options.stt ?? 'local/moonshine-tiny')
  writeFileSync(join(folder, 'guide.yaml'), routes + (options.pipeline ?? ''))
  const tls = options.tls ? selfSigned() : undefined
  if (tls) {
    writeFileSync(join(folder, 'cert.pem'), tls.cert)
    writeFileSync(join(folder, 'key.pem'), tls.key)
  }
  const settings = parseSettings(
    [
      `listen: { port: 0${tls ? ', tls: { cert: cert.pem, key: key.pem }' : ''}${options.publicUrl ? `, publicUrl: '${options.publicUrl}'` : ''} }`,
      options.key ? `keys: [{ id: tester, secret: '${options.key}', attributes: { tier: gold } }]` : '',
      options.settings ?? '',
    ].join('\n'),
    join(folder, 'parley.yaml'),
    { env: {} },
  )
  const prompts: ModelRequest[] = []
  const log: string[] = []
  const local = options.embedded ?? (await embedded())
  const llm = options.llm ?? listeningTo(local.llm!('scripted')!, prompts)
  const model: Provider = { name: 'test', llm: () => llm, close: async () => {} }
  const app = await buildApp(settings, loadPipelines({ dir: folder }), {
    embedded: local,
    providers: [model],
    log: createLogger({ level: 'trace', transcripts: false }, { write: (line) => void log.push(line) }),
    ...options.deps,
  })
  const url = (await app.listen()).replace(/\/$/, '')
  const get = async (path: string) => {
    const answer = await app.http.inject({
      url: path,
      headers: {
        host: '127.0.0.1',
        ...(options.key === undefined ? {} : { authorization: `Bearer ${options.key}` }),
      },
    })
    if (answer.statusCode !== 200) throw new Error(`${path}: ${answer.statusCode} ${answer.body}`)
    return answer.json()
  }
  return {
    app,
    url,
    port: Number(new URL(url).port),
    ca: tls?.cert,
    prompts,
    log,
    turns: async () => (await get('/v1/turns')).data,
    turn: (id) => get(`/v1/turns/${id}`),
    async close() {
      await app.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function listeningTo(model: LlmAdapter, prompts: ModelRequest[]): LlmAdapter {
  return {
    ...model,
    id: 'test/model',
    stream(request, options) {
      prompts.push(request)
      return model.stream(request, options)
    },
  }
}
