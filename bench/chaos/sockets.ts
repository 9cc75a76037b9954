/** The run over real sockets: the whole app, its doubles behind loopback servers, callers as Realtime clients, the real clock. */
import { rmSync } from 'node:fs'
import { WebSocket } from 'ws'
import { type App, buildApp, type Embedded } from '../../src/app.ts'
import { realClock } from '../../src/clock.ts'
import { loadPipelines } from '../../src/config/pipeline-set.ts'
import { parseSettings } from '../../src/config/settings.ts'
import { type ServedDouble, serveDouble } from '../../src/testing/carrier/sockets.ts'
import { createLogger } from '../../src/trace/logger.ts'
import type { TurnRecord } from '../../src/trace/record.ts'
import { FakeVad } from '../../test/support/fake-vad.ts'
import { writePipelines } from '../harness/memory-host.ts'
import { Caller } from './caller.ts'
import type { Verdict } from './judge.ts'
import type { Line, LineEvents } from './line.ts'
import { type RunOptions, type RunResult, SILENCE_LIMIT_MS } from './memory.ts'
import { TOOL } from './model.ts'
import { serveModel } from './model-carriers.ts'
import { pipelinesOf } from './pipelines.ts'
import { planRun } from './plan.ts'
import { createProviders } from './providers.ts'
import { World } from './world.ts'

/** A shared machine may be late by so much; the only time that is asserted. */
const SLACK_MS = 3_000
/** What is left of connections after everybody hung up: goodbyes take a second. */
const GOODBYE_MS = 8_000

export async function runOverSockets({ seed, turns, lanes }: RunOptions): Promise<RunResult> {
  const plan = planRun(seed, turns, lanes)
  const startedAt = realClock.now()
  const world = new World(plan, () => realClock.now() - startedAt)
  const served: ServedDouble[] = []
  const models: { close(): Promise<void> }[] = []
  const providers = await createProviders(world, realClock, lanes, {
    async socket(double) {
      const one = await serveDouble(double)
      served.push(one)
      return { baseUrl: one.url }
    },
    async model(double) {
      const one = await serveModel(double)
      models.push(one)
      return { baseUrl: one.baseUrl }
    },
  })
  const folder = writePipelines(pipelinesOf(lanes))
  const vad = new FakeVad()
  const embedded: Embedded = { name: 'local', vad, advice: [], close: async () => {} }
  const settings = parseSettings('listen: { port: 0 }', `${folder}/parley.yaml`, { env: {} })
  const app = await buildApp(settings, loadPipelines({ dir: folder }), {
    embedded,
    providers: providers.all,
    log: createLogger({ level: 'error', transcripts: false }, { write: () => {} }),
  })
  const url = (await app.listen()).replace(/^http/, 'ws').replace(/\/$/, '')
  const verdicts: Verdict[] = []
  const caller = {
    world,
    clock: realClock,
    open: (lane: number, events: LineEvents) => openLine(url, lane, events, world),
    told: (verdict: Verdict) => void verdicts.push(verdict),
    before: providers.before,
    silenceLimitMs: SILENCE_LIMIT_MS + SLACK_MS,
  }
  await Promise.all(
    Array.from({ length: lanes }, async (_, lane) => {
      for (const conversation of plan.conversations) {
        if (conversation.lane === lane) await new Caller(caller, conversation).call()
      }
    }),
  )
  const elapsedMs = realClock.now() - startedAt
  const leaks = await closeAll(app, served, models)
  rmSync(folder, { recursive: true, force: true })
  for (const mistake of providers.mistakes()) world.wrong(null, `a double objects: ${mistake}`)
  const detectors = vad.streams.filter(({ closed }) => !closed).length
  if (detectors > 0) leaks.push(`${detectors} voice detectors`)
  return { world, verdicts, leaks, elapsedMs }
}

async function closeAll(
  app: App,
  served: readonly ServedDouble[],
  models: readonly { close(): Promise<void> }[],
): Promise<string[]> {
  const leaks: string[] = []
  await waitFor(() => app.host.size === 0)
  if (app.host.size > 0) leaks.push(`${app.host.size} sessions`)
  await app.close()
  const open = () => served.reduce((sum, one) => sum + one.open, 0)
  await waitFor(() => open() === 0)
  if (open() > 0) leaks.push(`${open()} provider connections`)
  await Promise.all([...served, ...models].map((one) => one.close()))
  return leaks
}

async function waitFor(holds: () => boolean): Promise<void> {
  const until = realClock.now() + GOODBYE_MS
  while (!holds() && realClock.now() < until) await new Promise((resolve) => setTimeout(resolve, 50))
}

async function openLine(url: string, lane: number, events: LineEvents, world: World): Promise<Line> {
  const socket = new WebSocket(`${url}/v1/realtime?model=lane${lane}`, { perMessageDeflate: false })
  const send = (event: object) => socket.readyState === WebSocket.OPEN && socket.send(JSON.stringify(event))
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()))
  socket.on('error', (error) => world.wrong(null, `a client's socket: ${error.message}`))
  const ready = new Promise<void>((resolve) => {
    socket.on('message', (data) => {
      const event = JSON.parse(String(data))
      if (event.type === 'session.created') {
        send({
          type: 'session.update',
          session: {
            type: 'realtime',
            tools: [{ type: 'function', name: TOOL, parameters: { type: 'object', properties: {} } }],
            audio: { input: { transcription: { model: 'default' } } },
            providerData: { parley: { turnEvents: true } },
          },
        })
      } else if (event.type === 'session.updated') resolve()
      else hear(event, events)
    })
  })
  await Promise.race([ready, closed])
  return {
    audio: (bytes) =>
      send({ type: 'input_audio_buffer.append', audio: Buffer.from(bytes).toString('base64') }),
    truncate: (item_id, audio_end_ms) =>
      send({ type: 'conversation.item.truncate', item_id, content_index: 0, audio_end_ms }),
    answerTool(call_id, output) {
      send({ type: 'conversation.item.create', item: { type: 'function_call_output', call_id, output } })
      send({ type: 'response.create' })
    },
    async hangUp() {
      socket.close(1000)
      await closed
    },
  }
}

type Loose = Readonly<Record<string, unknown>>

function hear(raw: object, events: LineEvents): void {
  const event = raw as Loose & { readonly type: string }
  const text = (value: unknown) => String(value)
  const response = event['response'] as { id: string; status: string } | undefined
  switch (event.type) {
    case 'response.created':
      return events.created(text(response?.id))
    case 'response.output_audio.delta':
      return events.audio(
        text(event['response_id']),
        text(event['item_id']),
        Buffer.from(text(event['delta']), 'base64'),
      )
    case 'input_audio_buffer.speech_started':
      return events.interrupted('truncates')
    case 'response.function_call_arguments.done':
      return events.toolCalled(text(event['response_id']), text(event['call_id']), TOOL)
    case 'response.done':
      return events.done(text(response?.id), text(response?.status))
    case 'parley.turn':
      return events.record(event['turn'] as TurnRecord)
    case 'conversation.item.input_audio_transcription.failed':
      return events.fault('transcription failed')
    case 'error': {
      const { code, type } = event['error'] as { code?: string; type?: string }
      // What providers did is told as an error too.
      if (type === 'invalid_request_error') events.refused(text(code))
      return
    }
    default:
  }
}
