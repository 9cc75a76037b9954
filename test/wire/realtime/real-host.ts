/** A connection whose session is the real one; its stages do as they are told, on the virtual clock. */
import { SessionLimits } from '../../../src/access/session-limits.ts'
import { Health } from '../../../src/attempt/health.ts'
import { PipelineRouter } from '../../../src/attempt/router.ts'
import { loadAudio } from '../../../src/audio/convert.ts'
import { PCM16_24K } from '../../../src/audio/format.ts'
import { VirtualClock } from '../../../src/clock.ts'
import { loadPipeline } from '../../../src/config/pipeline-set.ts'
import { loadGate } from '../../../src/listen/gate.ts'
import { Host } from '../../../src/session/host.ts'
import type { ServerTools } from '../../../src/stage/tools.ts'
import { Metrics } from '../../../src/trace/metrics.ts'
import { memoryTurnStore, type TurnStore } from '../../../src/trace/turn-store.ts'
import { Connection } from '../../../src/wire/realtime/connection.ts'
import type { ShapeName } from '../../../src/wire/realtime/shape.ts'
import { beginWith, PLAIN, type Start } from '../../../src/wire/realtime/start.ts'
import { FakeVad } from '../../support/fake-vad.ts'
import { FakeLlm, type FakeLlmOptions, FakeStt, FakeTts, fakeProvider, sound } from '../../support/stages.ts'
import { FakeSocket, ORIGIN } from './fake-socket.ts'

const PIPELINE = `
name: support
instructions: Be brief.
voice: warm
clientMay: [instructions, voice, tools]
stt: { routes: [{ name: any, use: [fake/stt] }] }
llm: { routes: [{ name: any, use: [fake/llm] }] }
tts: { routes: [{ name: any, use: [fake/tts] }] }
`

export interface RealTalk {
  readonly clock: VirtualClock
  readonly socket: FakeSocket
  readonly host: Host
  readonly connection: Connection
  readonly stt: FakeStt
  readonly llm: FakeLlm
  readonly turns: TurnStore
  /** What the connection noted: faults of ours. */
  readonly notes: string[]
  tell(event: object): Promise<void>
  /** Sound at the pace of real time, 20 ms a frame. */
  hears(kind: 'speech' | 'silence', ms: number): Promise<void>
}

export interface RealTalkOptions {
  /** What a secret or the URL said the session shall be. */
  readonly start?: Start
  readonly shape?: ShapeName
  /** Lines of the pipeline beside its routes. */
  readonly pipeline?: string
  /** Run by the server. */
  readonly tools?: ServerTools
  /** Left out: a client that can be asked. */
  readonly asks?: 'nobody'
}

/** A client that has connected to the server's own session. `answers`: what the model says. */
export async function talkToRealSession(
  answers: FakeLlmOptions = {},
  { start = PLAIN, shape = 'ga', pipeline: lines = '', tools, asks }: RealTalkOptions = {},
): Promise<RealTalk> {
  await Promise.all([loadAudio(), loadGate()])
  const clock = new VirtualClock()
  const { loaded, problems } = loadPipeline(PIPELINE + lines, 'support.yaml')
  if (!loaded) throw new Error(JSON.stringify(problems))
  const { pipeline } = loaded
  const stt = new FakeStt({ words: ['hello there'], finalMs: 40 })
  const tts = new FakeTts({ firstAudioMs: 30 })
  const llm = new FakeLlm({ firstTokenMs: 50, ...answers })
  const provider = fakeProvider(stt, llm, tts)
  const router = new PipelineRouter(pipeline, new Map([['fake', provider]]), new Health({ clock }))
  const snapshot = { pipeline, router, canListen: true, ...(tools ? { tools } : {}) }
  const turns = memoryTurnStore(100)
  const host = new Host({
    clock,
    vad: new FakeVad(),
    limits: new SessionLimits({ limits: { sessions: 10, sessionsPerKey: null }, keys: [] }),
    turns,
    metrics: new Metrics(),
    snapshot: () => snapshot,
  })
  const socket = new FakeSocket()
  const notes: string[] = []
  const deps = {
    host,
    clock,
    hasPipeline: () => true,
    sessionMinutes: 60,
    note: (message: string) => void notes.push(message),
  }
  const caps = { ...ORIGIN.caps, reportsPlayed: false, ...(asks ? {} : { asksApproval: true as const }) }
  const origin = { ...ORIGIN, caps, begin: beginWith(start) }
  const session = host.open(origin)
  const connection = new Connection(socket, { session, origin, start, shape, model: 'support' }, deps)
  void connection.run()
  await clock.advance(0)
  const tell = async (event: object) => {
    connection.message(Buffer.from(JSON.stringify(event)), false)
    await clock.advance(0)
  }
  const hears = async (kind: 'speech' | 'silence', ms: number) => {
    const audio = Buffer.from(sound(PCM16_24K, 20, kind)).toString('base64')
    for (let at = 0; at < ms; at += 20) {
      connection.message(Buffer.from(JSON.stringify({ type: 'input_audio_buffer.append', audio })), false)
      await clock.advance(20)
    }
  }
  return { clock, socket, host, connection, stt, llm, turns, notes, tell, hears }
}
