/** The real app on a free port with no speech of its own, and servers of language models that are told what to answer. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type App, buildApp, type Embedded } from '../../src/app.ts'
import { loadPipelines } from '../../src/config/pipeline-set.ts'
import { parseSettings } from '../../src/config/settings.ts'
import type { Provider } from '../../src/stage/provider.ts'
import { FAKE_KEY, type FakeOpenAi, startFakeOpenAi } from '../../src/testing/model/openai.ts'
import { createLogger } from '../../src/trace/logger.ts'
import type { TurnRecord } from '../../src/trace/record.ts'
import { FakeVad } from '../support/fake-vad.ts'

export const GATEWAY_KEY = 'gateway-key-0123456789'

export interface GatewayOptions {
  /** Lines of `parley.yaml` beside `listen` and `keys`. */
  readonly settings?: string
  /** Pipeline files, whole. */
  readonly pipelines?: readonly string[]
  readonly providers?: readonly Provider[]
}

export interface Gateway {
  readonly app: App
  /** `http://127.0.0.1:PORT`. */
  readonly url: string
  readonly log: readonly string[]
  turn(id: string): Promise<TurnRecord>
  close(): Promise<void>
}

/** An embedded part that hears and says nothing. */
function mute(): Embedded {
  return { name: 'local', vad: new FakeVad(), advice: [], close: async () => {} }
}

const DEFAULT = `
name: default
default: true
stt: { routes: [{ name: any, use: [local/none] }] }
llm: { routes: [{ name: any, use: [local/none] }] }
tts: { routes: [{ name: any, use: [local/none] }] }
`

export async function startGateway(options: GatewayOptions = {}): Promise<Gateway> {
  const folder = mkdtempSync(join(tmpdir(), 'parley-gateway-'))
  const files = [DEFAULT, ...(options.pipelines ?? [])]
  for (const [i, text] of files.entries()) writeFileSync(join(folder, `p${i}.yaml`), text)
  const settings = parseSettings(
    [
      'listen: { port: 0 }',
      `keys: [{ id: tester, secret: '${GATEWAY_KEY}', attributes: { tier: gold } }]`,
      options.settings ?? '',
    ].join('\n'),
    join(folder, 'parley.yaml'),
    { env: {} },
  )
  const log: string[] = []
  const app = await buildApp(settings, loadPipelines({ dir: folder }), {
    embedded: mute(),
    providers: options.providers ?? [],
    log: createLogger({ level: 'trace', transcripts: false }, { write: (line) => void log.push(line) }),
  })
  const url = (await app.listen()).replace(/\/$/, '')
  return {
    app,
    url,
    log,
    async turn(id) {
      const headers = { authorization: `Bearer ${GATEWAY_KEY}` }
      const answer = await app.http.inject({ url: `/v1/turns/${id}`, headers })
      return answer.json()
    },
    async close() {
      await app.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** `count` servers that speak chat completions, and the lines of settings that make them the providers `a`, `b`, … */
export async function chatUpstreams(
  count: number,
): Promise<{ readonly fakes: readonly FakeOpenAi[]; readonly settings: string; close(): Promise<void> }> {
  const fakes = await Promise.all(Array.from({ length: count }, () => startFakeOpenAi()))
  const lines = fakes.map(
    ({ baseUrl }, i) =>
      `  ${String.fromCharCode(97 + i)}: { type: openai, baseUrl: '${baseUrl}', apiKey: ${FAKE_KEY} }`,
  )
  return {
    fakes,
    settings: ['providers:', ...lines].join('\n'),
    async close() {
      await Promise.all(fakes.map((fake) => fake.close()))
    },
  }
}
