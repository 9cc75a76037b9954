/** The run in memory: everything of the server but its sockets, on the virtual clock. */
import { loadAudio } from '../../src/audio/convert.ts'
import { settled, VirtualClock } from '../../src/clock.ts'
import type { Host } from '../../src/session/host.ts'
import type { WireCaps } from '../../src/session/session.ts'
import { connectInMemory } from '../../src/testing/carrier/sockets.ts'
import { openMemoryHost } from '../harness/memory-host.ts'
import { Caller } from './caller.ts'
import { IDLE_MS, type Verdict } from './judge.ts'
import type { Line, LineEvents } from './line.ts'
import { TOOL } from './model.ts'
import { MemoryDispatcher } from './model-carriers.ts'
import { pipelinesOf, TURN_MS } from './pipelines.ts'
import { planRun } from './plan.ts'
import { createProviders } from './providers.ts'
import { World } from './world.ts'

/** Budget and one idle deadline; and what those who are asked then need to a first sound: a replay, two rounds of a model. */
export const SILENCE_LIMIT_MS = TURN_MS + IDLE_MS + 1_000
/** Realtime over WebSocket, twice; a telephone bridge; a wire whose time the server keeps. */
const CAPS: readonly WireCaps[] = [
  { leadMs: null, ownsOutput: false, reportsPlayed: false },
  { leadMs: null, ownsOutput: false, reportsPlayed: false },
  { leadMs: 200, ownsOutput: true, reportsPlayed: false },
  { leadMs: 200, ownsOutput: false, reportsPlayed: false },
]
const STEP_MS = 1_000

export interface RunOptions {
  readonly seed: number
  readonly turns: number
  readonly lanes: number
}

export interface RunResult {
  readonly world: World
  readonly verdicts: readonly Verdict[]
  /** What was left behind, a sentence each. */
  readonly leaks: readonly string[]
  readonly elapsedMs: number
}

export async function runInMemory({ seed, turns, lanes }: RunOptions): Promise<RunResult> {
  await loadAudio()
  const plan = planRun(seed, turns, lanes)
  const clock = new VirtualClock()
  const world = new World(plan, () => clock.now())
  const connections: { readonly open: number }[] = []
  const providers = await createProviders(world, clock, lanes, {
    async socket(double) {
      const memory = connectInMemory(double)
      connections.push(memory)
      return { connect: memory.connect }
    },
    model: async (double) => ({ dispatcher: new MemoryDispatcher(double) }),
  })
  const { host, limits, phrases, metrics, vad } = openMemoryHost({
    clock,
    providers: providers.all,
    pipelines: pipelinesOf(lanes),
    onFailed: (voice) => world.wrong(null, `no phrase in ${voice}`),
  })
  const verdicts: Verdict[] = []
  // The phrases are synthesised.
  await clock.advance(5_000)
  let running = lanes
  const caller = {
    world,
    clock,
    open: async (lane: number, events: LineEvents) => openLine(host, lane, events),
    told: (verdict: Verdict) => void verdicts.push(verdict),
    before: providers.before,
    silenceLimitMs: SILENCE_LIMIT_MS,
  }
  const everyone = Array.from({ length: lanes }, async (_, lane) => {
    const conversations = plan.conversations.filter((conversation) => conversation.lane === lane)
    for (const conversation of conversations) await new Caller(caller, conversation).call()
  })
  for (const one of everyone) {
    one.then(
      () => running--,
      (error: unknown) => {
        running--
        world.wrong(null, `a caller failed: ${error instanceof Error ? error.stack : error}`)
      },
    )
  }
  while (running > 0) {
    if (clock.now() > turns * 60_000) {
      world.wrong(null, 'the run does not end')
      break
    }
    await clock.advance(STEP_MS)
  }
  const elapsedMs = clock.now()
  await host.closeAll('drain')
  // What providers still say to those who left, and the time they have to say goodbye.
  await clock.advance(120_000)
  phrases.close()
  await Promise.all(providers.all.map((provider) => provider.close()))
  await settled()
  await clock.advance(5_000)
  metrics.close()
  for (const mistake of providers.mistakes()) world.wrong(null, `a double objects: ${mistake}`)
  const left = (count: number, what: string) => (count > 0 ? [`${count} ${what}`] : [])
  const leaks = [
    ...left(host.size, 'sessions'),
    ...left(limits.open, 'places taken'),
    ...left(clock.pendingTimers, 'timers'),
    ...left(providers.answering(), 'models still answering'),
    ...left(
      connections.reduce((sum, { open }) => sum + open, 0),
      'provider connections',
    ),
    ...left(vad.streams.filter(({ closed }) => !closed).length, 'voice detectors'),
  ]
  return { world, verdicts, leaks, elapsedMs }
}

function openLine(host: Host, lane: number, events: LineEvents): Line {
  const caps = CAPS[lane % CAPS.length]!
  const origin = { wire: 'chaos', caps, key: null, metadata: {}, user: null }
  const session = host.open({ ...origin, pipeline: `lane${lane}` })
  void read()
  session.send({ type: 'settings', patch: { tools: [{ name: TOOL }], showTranscription: true }, ref: null })

  async function read(): Promise<void> {
    for await (const output of session.outputs) {
      switch (output.type) {
        case 'responseCreated':
          events.created(output.response.id)
          break
        case 'answerAudio':
          events.audio(output.responseId, output.itemId, output.audio)
          break
        case 'speechStarted':
          events.interrupted(caps.leadMs === null ? 'truncates' : 'no')
          break
        case 'outputCleared':
          events.cleared()
          break
        case 'toolCalled':
          events.toolCalled(output.responseId, output.item.callId, output.item.name)
          break
        case 'responseDone':
          events.done(output.response.id, output.response.ending?.status ?? 'none')
          break
        case 'turn':
          events.record(output.record)
          break
        case 'refused':
          events.refused(`${output.code}: ${output.message}`)
          break
        case 'transcriptFailed':
          events.fault(output.code)
          break
        default:
      }
    }
  }
  return {
    audio: (bytes) => session.audio(bytes),
    truncate: (itemId, audioEndMs) =>
      session.send({ type: 'truncateItem', itemId, contentIndex: 0, audioEndMs, ref: null }),
    answerTool(callId, output) {
      const item = { id: '', type: 'toolResult', callId, output, status: 'completed' } as const
      session.send({ type: 'createItem', item, after: null, ref: null })
      session.send({ type: 'respond', request: { conversation: 'default' }, ref: null })
    },
    hangUp: () => session.close('client'),
  }
}
