/** Every provider of a run, each with its double, in memory or behind a socket. */
import type { Clock } from '../../src/clock.ts'
import { createAssemblyAi } from '../../src/provider/assemblyai/index.ts'
import { createCartesia } from '../../src/provider/cartesia/index.ts'
import { createDeepgram } from '../../src/provider/deepgram/index.ts'
import { createElevenLabs } from '../../src/provider/elevenlabs/index.ts'
import { createOpenAi } from '../../src/provider/openai/index.ts'
import type { Connect } from '../../src/provider/socket.ts'
import type { Provider } from '../../src/stage/provider.ts'
import type { DoubleServer } from '../../src/testing/carrier/sockets.ts'
import { fakeAssemblyAi } from '../../src/testing/stt/assemblyai.ts'
import { fakeDeepgram } from '../../src/testing/stt/deepgram.ts'
import { FAKE_KEY } from '../../src/testing/stt/double.ts'
import { CARTESIA_KEY, FakeCartesia } from '../../src/testing/tts/cartesia.ts'
import { ELEVENLABS_KEY, FakeElevenLabs } from '../../src/testing/tts/elevenlabs.ts'
import { Ear } from './ears.ts'
import { Gate } from './gate.ts'
import { ChatDouble, MODEL_KEY } from './model.ts'
import { groupOf } from './pipelines.ts'
import type { TurnPlan } from './plan.ts'
import { voiceOf } from './voices.ts'
import type { World } from './world.ts'

/** How doubles are reached. */
export interface Carrier {
  socket(double: DoubleServer): Promise<{ readonly baseUrl?: string; readonly connect?: Connect }>
  model(double: ChatDouble): Promise<Pick<Parameters<typeof createOpenAi>[1], 'baseUrl' | 'dispatcher'>>
}

export interface Providers {
  readonly all: readonly Provider[]
  /** What the doubles held against their clients. */
  mistakes(): readonly string[]
  /** Answers of models under way. */
  answering(): number
  /** A caller is about to speak: idle connections of the lane may be gone by now. */
  before(plan: TurnPlan): void
}

export async function createProviders(
  world: World,
  clock: Clock,
  lanes: number,
  carrier: Carrier,
): Promise<Providers> {
  const deps = { clock, note: () => {} }
  const all: Provider[] = []
  const models: ChatDouble[] = []
  const voices: (FakeCartesia | FakeElevenLabs)[] = []
  const sessions: (readonly { readonly mistakes: readonly string[] }[])[] = []
  const ears: Gate[][] = []
  const gates: Gate[] = []
  for (let lane = 0; lane < lanes; lane++) {
    const options = { clock, scriptOf: () => new Ear(world, lane) }
    const doubles = [
      ['deepgram', fakeDeepgram(options), createDeepgram],
      ['assemblyai', fakeAssemblyAi(options), createAssemblyAi],
    ] as const
    const own: Gate[] = []
    ears[lane] = own
    for (const [name, double, create] of doubles) {
      const gate = new Gate(double.server, () => undefined)
      own.push(gate)
      sessions.push(double.sessions)
      const reached = await carrier.socket(gate.server)
      all.push(create(deps, { name: `${name}-${lane}`, apiKey: FAKE_KEY, ...reached }))
    }
  }
  for (let group = 0; group <= groupOf(lanes - 1); group++) {
    for (const which of ['a', 'b']) {
      const double = new ChatDouble(world, clock)
      models.push(double)
      const reached = await carrier.model(double)
      all.push(
        createOpenAi(deps, {
          name: `model-${which}-${group}`,
          apiKey: MODEL_KEY,
          baseUrl: 'http://model.test/v1',
          ...reached,
        }),
      )
    }
    const options = { clock, ...voiceOf(world) }
    const [eleven, cartesia] = [new FakeElevenLabs(options), new FakeCartesia(options)]
    voices.push(eleven, cartesia)
    // Its address names the voice, and so the lane.
    const gate = new Gate(eleven.server, ({ url }) =>
      refusalOf(world, Number(/lane(\d+)/.exec(url.pathname)?.[1])),
    )
    gates[group] = gate
    all.push(
      createElevenLabs(deps, {
        name: `elevenlabs-${group}`,
        apiKey: ELEVENLABS_KEY,
        ...(await carrier.socket(gate.server)),
      }),
      createCartesia(deps, {
        name: `cartesia-${group}`,
        apiKey: CARTESIA_KEY,
        ...(await carrier.socket(cartesia.server)),
      }),
    )
  }
  return {
    all,
    mistakes: () => [
      ...models.flatMap(({ mistakes }) => mistakes),
      ...voices.flatMap(({ mistakes }) => mistakes),
      ...sessions.flat().flatMap(({ mistakes }) => mistakes),
    ],
    answering: () => models.reduce((sum, { open }) => sum + open, 0),
    before(plan) {
      const { lane, faults } = plan
      const opens = (stage: 'stt' | 'tts') =>
        faults.some(
          (fault) =>
            fault.stage === stage && fault.when === 'before' && (stage === 'stt' || fault.atConnection),
        )
      if (opens('stt')) for (const gate of ears[lane]!) gate.closeIdle(() => true)
      if (opens('tts')) gates[groupOf(lane)]!.closeIdle(({ url }) => url.pathname.includes(`lane${lane}/`))
    },
  }
}

function refusalOf(world: World, lane: number): ReturnType<DoubleServer> | undefined {
  const plan = world.current(lane)
  const fault = plan && world.faultOf(plan.turn, 'tts')
  if (!plan || !fault?.atConnection || fault.when !== 'before') return undefined
  const strikes = () => {
    if (!world.attempt(plan.turn, 'tts')) return false
    world.strikes(plan.turn, fault)
    return true
  }
  if (fault.name === 'refuse' && strikes()) return { status: 503 }
  if (fault.name === 'rate-limit' && strikes()) return { status: 429, headers: { 'retry-after': '2' } }
  if (fault.name === 'accept-then-silence' && strikes()) return 'hang'
  return undefined
}
