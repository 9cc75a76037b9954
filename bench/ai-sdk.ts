/**
 * `npm run bench:ai-sdk`: what one streamed answer costs through a package of the AI SDK, beside our own adapter for the same server.
 * The upstream is a process of its own; the two adapters take turns. Ten seconds.
 */
import { openScope } from '../src/cancel.ts'
import { realClock } from '../src/clock.ts'
import { aiSdkEntry, aiSdkSettings, createAiSdk } from '../src/provider/ai-sdk/index.ts'
import { createOpenAi } from '../src/provider/openai/index.ts'
import type { LlmAdapter } from '../src/stage/llm.ts'
import { CHUNKS, QUESTION, UPSTREAM_KEY, UPSTREAM_MODEL } from './gateway/answer.ts'
import type { UpstreamApi } from './gateway/upstream.ts'
import { startProcess } from './harness/process.ts'
import { printTable, printTitle, quantile, SHORT } from './report.ts'

const ROUNDS = SHORT ? 3 : 7
const STREAMS = SHORT ? 100 : 300
const AT_ONCE = 8

const upstream = startProcess<UpstreamApi>('../gateway/upstream', { core: 1 })
const { port } = await upstream.call('start', null)
const deps = { clock: realClock, note: (message: string) => console.error(message) }
const facts = { name: 'x', baseUrl: `http://127.0.0.1:${port}/v1`, apiKey: UPSTREAM_KEY }
const native = createOpenAi(deps, facts)
const members = { package: '@ai-sdk/openai-compatible', options: { includeUsage: true } }
const settings = aiSdkSettings({ ...facts, members, folders: [import.meta.dirname] })
const entry = aiSdkEntry(deps, settings)
if (entry === undefined) throw new Error('npm ci first')
const byPackage = createAiSdk(deps, settings, entry)
const providers = [native, byPackage]
const adapters = providers.map((provider) => provider.llm!(UPSTREAM_MODEL)!)

printTitle('A stream of a language model, by the adapter', 'all')
const cpu: number[][] = adapters.map(() => [])
for (const adapter of adapters) await streams(adapter)
for (let round = 0; round < ROUNDS; round++) {
  for (const [i, adapter] of adapters.entries()) cpu[i]!.push(await streams(adapter))
}
const [own, packaged] = cpu.map((each) => quantile(each, 0.5)) as [number, number]
const row = (name: string, us: number) => [
  name,
  us.toFixed(0),
  (us / CHUNKS).toFixed(1),
  (us / own).toFixed(1),
]
printTable(
  ['adapter', `µs CPU a stream of ${CHUNKS} chunks`, 'µs a chunk', 'ratio'],
  [row('openai', own), row('ai-sdk', packaged)],
)
await Promise.all(providers.map((provider) => provider.close()))
await upstream.stop()

/** Microseconds of CPU that one stream took. */
async function streams(adapter: LlmAdapter): Promise<number> {
  const before = process.cpuUsage()
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let i = 0; i < STREAMS / AT_ONCE; i++) await one(adapter)
    }),
  )
  const { user, system } = process.cpuUsage(before)
  return (user + system) / (Math.ceil(STREAMS / AT_ONCE) * AT_ONCE)
}

async function one(adapter: LlmAdapter): Promise<void> {
  const scope = openScope()
  let words = 0
  let usage = 0
  const request = { messages: [{ role: 'user', text: QUESTION }] } as const
  for await (const event of adapter.stream(request, { signal: scope.signal, clock: realClock })) {
    if (event.type === 'text') words++
    if (event.type === 'usage') usage++
  }
  // The role, the end and the usage are no words.
  if (words !== CHUNKS - 3 || usage !== 1)
    throw new Error(`not the whole answer: ${words} words, ${usage} usage`)
}
