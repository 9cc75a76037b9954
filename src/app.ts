/**
 * The composition root: settings and pipelines in, a listening server out. The one file that knows everyone.
 *
 *     settings ─► providers ─► snapshots (pipeline + adapters) ─► Host ◄─ wire/realtime
 *                    └► vad, models                                 └► turns, metrics ─► HTTP, console
 */
import { readFileSync } from 'node:fs'
import fastifyWebsocket from '@fastify/websocket'
import fastify, { type FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { ClientSecrets } from './access/client-secrets.ts'
import { InputRates } from './access/input-rates.ts'
import { accessPlugin } from './access/plugin.ts'
import { ResponseRates } from './access/response-rates.ts'
import { SessionLimits } from './access/session-limits.ts'
import { closeSilentAtEnd } from './access/silent-connections.ts'
import { byTarget, keyIdsOf } from './attempt/credentials.ts'
import { Health } from './attempt/health.ts'
import { HedgeShare } from './attempt/hedge-share.ts'
import { Snapshots } from './attempt/snapshots.ts'
import { openSpeechCache } from './attempt/speech-cache.ts'
import { priorsOf, traitsOf } from './attempt/traits.ts'
import { loadAudio } from './audio/convert.ts'
import { loadCatalog } from './catalog/load.ts'
import { type Clock, realClock } from './clock.ts'
import { checkAvailable } from './config/available.ts'
import { CLIENT_SECRETS, GATEWAY_HEDGE_SHARE } from './config/defaults.ts'
import type { PipelineSet } from './config/pipeline-set.ts'
import { formatProblem } from './config/problem.ts'
import { checkProviders, type Settings } from './config/settings.ts'
import { type Reload, watchPipelines } from './config/watch.ts'
import { consolePage } from './console/index.ts'
import { openaiError } from './errors.ts'
import { ExperimentBook } from './experiment/book.ts'
import { admission } from './gateway/admission.ts'
import { ClientKeys } from './gateway/client-keys.ts'
import { embeddingRoutes } from './gateway/embeddings/index.ts'
import { explainPlugin } from './gateway/explain.ts'
import { modelRoutes } from './gateway/llm/index.ts'
import { ModelList } from './gateway/model-list.ts'
import { modelsPlugin } from './gateway/models.ts'
import { ConversationPins } from './gateway/pins.ts'
import { Slots } from './gateway/slots.ts'
import { speechRoutes } from './gateway/speech/index.ts'
import { transcriptionRoutes } from './gateway/transcription/index.ts'
import { loadGate } from './listen/gate.ts'
import type { Vad } from './listen/vad.ts'
import { withWords } from './listen/words.ts'
import { Pricing } from './price/pricing.ts'
import { createLocalProvider } from './provider/local/index.ts'
import { ensureModel, listModels } from './provider/local/models/index.ts'
import { providersOf, providerTypes } from './providers.ts'
import { openShelf } from './recording/shelf.ts'
import { Host, nameableOf, settingsFrom } from './session/host.ts'
import type { Provider } from './stage/provider.ts'
import { MemoryExpiring } from './store/memory-expiring.ts'
import { NamedServers } from './tool/named-servers.ts'
import { ToolShelf } from './tool/shelf.ts'
import { experimentsPlugin } from './trace/experiments-plugin.ts'
import { createLogger } from './trace/logger.ts'
import { Metrics } from './trace/metrics.ts'
import { metricsPlugin } from './trace/metrics-plugin.ts'
import { watchSpeechCache } from './trace/speech-cache-metrics.ts'
import { watchTargets } from './trace/target-metrics.ts'
import { memoryTurnStore } from './trace/turn-store.ts'
import { turnsPlugin } from './trace/turns-plugin.ts'
import { registerClientSecrets } from './wire/realtime/client-secrets.ts'
import { handleProtocols, registerRealtime, websocketOptions } from './wire/realtime/index.ts'
import { registerCalls } from './wire/realtime/webrtc/calls.ts'
import { TELEPHONY } from './wire/telephony/http/streams.ts'
import { Telephony } from './wire/telephony/index.ts'

/** What the embedded part offers: the voice detector that every session needs, and models for each stage. */
export interface Embedded extends Provider {
  readonly vad: Vad
  /** Of each model: here or not, why, and what stands in. */
  readonly advice: readonly string[]
}

export interface AppDeps {
  readonly clock?: Clock
  /** Watched for changes; left out: pipelines stay as given. */
  readonly pipelinesDir?: string
  /** Whether embedded models that are missing are fetched now (`needed`: those that listening needs), or left out. */
  readonly bring?: 'needed' | 'never'
  /** Instead of the embedded models: tests and benchmarks bring their own. */
  readonly embedded?: Embedded
  /** Added to those of the settings, by name. */
  readonly providers?: readonly Provider[]
  readonly log?: Logger
  /** Where a refreshed catalogue lies, if there is one; left out: the built-in one. */
  readonly refreshedCatalog?: string
  /** Where the built page lies; left out: where the build puts it. */
  readonly consoleRoot?: string
}

export interface App {
  /** Resolves with the console's address. Rejects with the system's error. */
  listen(): Promise<string>
  readonly runsOn: { readonly stt: string; readonly llm: string; readonly tts: string }
  readonly advice: readonly string[]
  readonly host: Host
  readonly http: FastifyInstance
  /** Refuses new conversations; resolves when the running turns have ended. */
  drain(): Promise<void>
  close(): Promise<void>
}

/** The commands' view of the embedded models. */
export const embeddedModels = { list: listModels, ensure: ensureModel }

/** Telephone bridges have their own proof. */
const PUBLIC_PATHS = [
  '/healthz',
  '/readyz',
  '/',
  '/index.html',
  '/favicon.svg',
  '/assets/*',
  `${TELEPHONY}/*`,
]
/** What a browser's client secret opens. */
const SECRET_PATHS = ['/v1/realtime', '/v1/realtime/calls', '/v1/realtime/calls/:id/hangup']
const BODY_LIMIT_BYTES = 1024 * 1024

export async function buildApp(settings: Settings, pipelines: PipelineSet, deps: AppDeps = {}): Promise<App> {
  const clock = deps.clock ?? realClock
  const log = deps.log ?? createLogger(settings.log)
  const note = (message: string, facts?: Readonly<Record<string, unknown>>) => log.info(facts ?? {}, message)
  const [embedded] = await Promise.all([
    deps.embedded ??
      createLocalProvider({
        clock,
        note,
        scriptsDir: deps.pipelinesDir ?? 'pipelines',
        ...(deps.bring === undefined ? {} : { bring: deps.bring }),
      }),
    loadAudio(),
    loadGate(),
  ])
  const providers = new Map<string, Provider>([[embedded.name, embedded]])
  for (const provider of [...providersOf(settings, { clock, note }), ...(deps.providers ?? [])]) {
    providers.set(provider.name, provider)
  }
  const limits = new SessionLimits(settings)
  const turns = memoryTurnStore(settings.limits.turnsKept)
  const metrics = new Metrics()
  const speech = openSpeechCache(settings.speechCache, { clock, note })
  watchSpeechCache(metrics.registry, speech.figures)
  const experiments = new ExperimentBook({
    onExposed: (exposure) => metrics.exposed(exposure),
    onStopped: (exposure, stop) => {
      metrics.variantStopped(exposure, stop.metric)
      log.warn({ ...exposure, ...stop }, 'a variant was stopped by a guard-rail')
    },
  })
  const catalog = loadCatalog({
    operator: settings.catalog,
    complain: (message) => log.warn(message),
    ...(deps.refreshedCatalog === undefined ? {} : { refreshedFile: deps.refreshedCatalog }),
  })
  const pricing = new Pricing(settings.prices, settings.quality, catalog)
  const health = new Health({
    clock,
    traits: traitsOf(providers, pricing),
    prior: priorsOf(catalog),
    keyIds: keyIdsOf(providers),
  })
  const tools = new ToolShelf(note, new NamedServers(settings.mcp, note))
  const snapshots = new Snapshots(providers, health, {
    pricing,
    experiments,
    phrases: speech.phrases,
    sentences: speech.sentences,
    toolsOf: (pipeline) => tools.of(pipeline),
  })
  watchTargets(metrics.registry, {
    targets: () => byTarget(health),
    keys: () => health.read(),
    hedges: () => snapshots.hedges(),
  })
  for (const problem of checkProviders(settings, providerTypes)) log.warn(formatProblem(problem))
  const telephony = new Telephony({ settings, clock, note })
  const load = (set: PipelineSet) => {
    for (const problem of checkAvailable(set, providers.keys())) log.warn(formatProblem(problem))
    snapshots.load(set)
  }
  load(pipelines)
  const shelf = settings.recording ? openShelf({ setting: settings.recording, clock, note }) : null
  const host = new Host({
    clock,
    vad: withWords(embedded.vad),
    limits,
    turns,
    metrics,
    experiments,
    snapshot: (name) => snapshots.get(name),
    ...(shelf ? { begin: shelf.begin } : {}),
  })

  const http = createHttp(settings, log)
  closeSilentAtEnd(http)
  let state: 'starting' | 'ready' | 'draining' = 'starting'
  // First: it ends the socket of an upgrade that is refused, but only of those its own hook has seen.
  await http.register(fastifyWebsocket, {
    ...websocketOptions,
    options: {
      ...websocketOptions.options,
      handleProtocols: (asked, { url }) => telephony.subprotocol(asked, url) ?? handleProtocols(asked),
    },
  })
  const secrets = new ClientSecrets(new MemoryExpiring(clock, CLIENT_SECRETS), settings.keys, clock)
  accessPlugin(http, { settings, publicPaths: PUBLIC_PATHS, secrets, secretPaths: SECRET_PATHS })
  http.get('/healthz', async () => ({ status: 'ok' }))
  http.get('/readyz', async (_request, reply) =>
    reply.code(state === 'ready' ? 200 : 503).send({ status: state }),
  )
  turnsPlugin(http, { turns })
  metricsPlugin(http, { metrics })
  experimentsPlugin(http, { experiments, turns })
  explainPlugin(http, { snapshots, clock })
  const models = new ModelList({
    pipelines: () => snapshots.all(),
    targetsOf: (name, stage) => snapshots.get(name)?.router.targets(stage) ?? [],
    defaultPipeline: () => snapshots.defaultName,
    providers,
    catalog,
  })
  modelsPlugin(http, models)
  const responseRates = new ResponseRates(clock, settings)
  const clientKeys = new ClientKeys({ clock, answerMs: settings.gateway.answerMs })
  const gateway = {
    providers,
    health,
    pricing,
    clock,
    turns,
    metrics,
    experiments,
    bodyBytes: Math.round(settings.gateway.bodyMb * 1024 * 1024),
    windows: settings.gateway,
    onFault: (error: unknown) => log.error({ err: error }, 'request failed'),
    admit: admission(responseRates),
  }
  const named = {
    ...gateway,
    snapshot: (name: string) => (snapshots.has(name) ? snapshots.get(name) : undefined),
    defaultPipeline: () => snapshots.defaultName,
  }
  await modelRoutes(http, {
    ...named,
    byName: (model) => models.targetsNamed(model, 'llm'),
    pins: new ConversationPins(clock),
    hedgeShare: new HedgeShare(GATEWAY_HEDGE_SHARE),
    clientKeys: settings.gateway.clientKeys === 'allowed' ? clientKeys : null,
  })
  await embeddingRoutes(http, {
    ...gateway,
    byName: (model) => models.targetsNamed(model, 'embedding'),
  })
  const audio = { ...named, slots: new Slots(settings.gateway.audioAtOnce) }
  await speechRoutes(http, {
    ...audio,
    byName: (model) => models.targetsNamed(model, 'tts'),
    speechChars: settings.gateway.speechChars,
  })
  await transcriptionRoutes(http, {
    ...audio,
    byName: (model) => models.targetsNamed(model, 'stt'),
    vad: embedded.vad,
    fileBytes: Math.round(settings.gateway.audioMb * 1024 * 1024),
    audioMs: settings.gateway.audioMinutes * 60_000,
  })
  const inputRates = new InputRates(clock, settings)
  await telephony.register(http, {
    host,
    inputRates,
    hasPipeline: (name) => snapshots.has(name),
    hasRoom: () => state === 'ready' && host.size < settings.limits.sessions,
  })
  await http.register(async (scope) => {
    const realtime = {
      host,
      clock,
      sessionMinutes: settings.limits.sessionMinutes,
      inputRates,
      responseRates,
      hasPipeline: (name: string) => snapshots.has(name),
      defaultPipeline: () => snapshots.defaultName,
      note,
    }
    registerRealtime(scope, realtime)
    registerCalls(scope, { ...realtime, network: { host: settings.listen.host, ...settings.listen.webrtc } })
    registerClientSecrets(scope, {
      secrets,
      hasPipeline: (name) => snapshots.has(name),
      defaultPipeline: () => snapshots.defaultName,
      settingsOf: (name) => {
        const snapshot = snapshots.get(name)
        return snapshot && { ...settingsFrom(snapshot.pipeline), ...nameableOf(snapshot) }
      },
    })
  })
  await http.register(consolePage, deps.consoleRoot === undefined ? {} : { root: deps.consoleRoot })
  const watching =
    deps.pipelinesDir === undefined ? undefined : watchPipelines(deps.pipelinesDir, clock, reload)

  function reload(change: Reload): void {
    if (change.type === 'loaded') {
      load(change.set)
      return log.info({ pipelines: change.set.names }, 'pipelines reloaded')
    }
    for (const problem of change.problems) log.error(`pipelines not reloaded: ${formatProblem(problem)}`)
  }

  let closed: Promise<void> | undefined
  const close = () => {
    closed ??= (async () => {
      watching?.close()
      await telephony.close()
      await host.closeAll('drain')
      await http.close()
      await speech.phrases.close()
      await tools.close()
      await shelf?.close()
      await clientKeys.close()
      await Promise.all([...providers.values()].map((provider) => provider.close()))
      metrics.close()
    })()
    return closed
  }

  return {
    host,
    http,
    close,
    runsOn: snapshots.runsOn,
    advice: embedded.advice,
    async listen() {
      const { host: address, port } = settings.listen
      await telephony.listen()
      await http.listen({ host: address, port })
      state = 'ready'
      const bound = http.server.address()
      const boundPort = typeof bound === 'object' && bound ? bound.port : port
      const shown = address.includes(':') ? `[${address}]` : address
      return `${settings.listen.tls ? 'https' : 'http'}://${shown}:${boundPort}`
    },
    async drain() {
      state = 'draining'
      host.finishAll()
      await limits.drain()
    },
  }
}

function createHttp(settings: Settings, log: Logger): FastifyInstance {
  const { tls } = settings.listen
  const https = tls ? { cert: readFileSync(tls.certFile), key: readFileSync(tls.keyFile) } : null
  const http = fastify({
    // What is worth a line is logged by who knows what it means; a line a request would say nothing more.
    logger: false,
    bodyLimit: BODY_LIMIT_BYTES,
    https,
  }) as unknown as FastifyInstance
  http.setNotFoundHandler((_request, reply) =>
    reply.code(404).send(openaiError('not_found', 'There is nothing at this address.')),
  )
  http.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    const status = error.statusCode ?? 500
    if (status >= 500) log.error({ err: error }, 'request failed')
    const code = status >= 500 ? 'internal_error' : 'bad_request'
    return reply.code(status).send(openaiError(code, status >= 500 ? 'The server failed.' : error.message))
  })
  return http
}
