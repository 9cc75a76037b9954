/** The process of the adapters: rounds of audio through one, and what a round cost. */
import { Agent, type Dispatcher } from 'undici'
import { type AudioFormat, bytesToMs, msToBytes, PCM16_16K, sameFormat } from '../../src/audio/format.ts'
import { openScope } from '../../src/cancel.ts'
import { VirtualClock } from '../../src/clock.ts'
import { type Connect, connectWs } from '../../src/provider/socket.ts'
import type { Provider } from '../../src/stage/provider.ts'
import type { SttStream } from '../../src/stage/stt.ts'
import { bestFormat, type TtsAdapter } from '../../src/stage/tts.ts'
import { serveParent } from '../harness/process.ts'
import type { Place } from './doubles.ts'
import {
  ANSWERS,
  CHUNK_MS,
  cpuMs,
  endsTurn,
  nextRound,
  noise,
  pacingCpuMs,
  ROUNDS,
  STREAMS,
  TURNS,
} from './pace.ts'
import { Recorder, type Recording } from './recording.ts'
import { STREAM_MS, type Subject, subjectOf } from './subjects.ts'

export interface Cost {
  readonly cpuMs: number
  /** Of audio, both turns of all streams, or all answers, together. */
  readonly audioMs: number
  /** Voices: bytes of sound. Recognisers: characters of finals. */
  readonly came: number
}

interface Way {
  readonly connect: Connect
  readonly dispatcher: Dispatcher
}

const PRELUDE = 'Yes.'
const SENTENCES = [
  'The first sentence of an answer is as long as this one here.',
  'The second one follows it and takes just as long to be said.',
] as const
const PATIENCE_ROUNDS = 2_000

const clock = new VirtualClock()
const scope = openScope()
const { signal } = scope
let current: { readonly subject: Subject; readonly place: Place; readonly provider: Provider }

const api = {
  /** Of the rounds alone. */
  pacing: (): Promise<number> => pacingCpuMs(clock),
  async record({ title, place }: { title: string; place: Place }): Promise<Recording> {
    const subject = subjectOf(title)
    const recorder = new Recorder()
    const provider = providerOf(subject, place, recorder)
    const { soundBytes, chunkBytes } = await run(subject, provider, recorder)
    await provider.close()
    current = { subject, place, provider: providerOf(subject, place, plainWay()) }
    const { talks, requests } = recorder
    return { stage: subject.stage, talks, requests, chunkBytes, soundBytes }
  },
  async round(): Promise<Cost> {
    const { subject, provider } = current
    return (await run(subject, provider)).cost
  },
  close: (): Promise<void> => current.provider.close(),
}

export type OursApi = typeof api

serveParent(api)

function plainWay(): Way {
  return { connect: connectWs, dispatcher: new Agent() }
}

function providerOf(subject: Subject, place: Place, { connect, dispatcher }: Way): Provider {
  const note = () => {}
  return subject.create({ clock, note }, { name: 'measured', ...place, connect, dispatcher })
}

interface Ran {
  readonly cost: Cost
  readonly soundBytes: number
  readonly chunkBytes: number
}

function run(subject: Subject, provider: Provider, recorder?: Recorder): Promise<Ran> {
  return subject.stage === 'stt'
    ? listen(subject, provider, recorder)
    : speak(subject, subject.voice, provider, recorder)
}

// -- recognisers

async function listen({ model }: Subject, provider: Provider, recorder?: Recorder): Promise<Ran> {
  const adapter = provider.stt!(model)!
  const { inputs } = adapter.caps
  const format = inputs.find((one) => sameFormat(one, PCM16_16K)) ?? inputs[0]!
  const chunk = noise(msToBytes(format, CHUNK_MS))
  const opening = Array.from({ length: STREAMS }, () => adapter.open({ format, signal, clock }))
  const streams = await Promise.all(opening)
  recorder?.begin()
  const before = process.cpuUsage()
  let over = false
  const heard = Promise.all(streams.map((stream) => finalsOf(stream))).finally(() => {
    over = true
  })
  heard.catch(() => {})
  for (let round = 0; !over && round < ROUNDS + PATIENCE_ROUNDS; round++) {
    if (recorder) recorder.round = round
    for (const stream of round < ROUNDS ? streams : []) {
      stream.write(chunk)
      if (endsTurn(round)) stream.finalize()
    }
    await nextRound(clock)
  }
  if (!over) throw new Error(`${model} gave too few finals`)
  const came = (await heard).join('').length
  const cost = { cpuMs: cpuMs(before), audioMs: STREAMS * STREAM_MS, came }
  recorder?.end()
  await Promise.all(streams.map((stream) => stream.close()))
  return { cost, soundBytes: 0, chunkBytes: chunk.length }
}

async function finalsOf(stream: SttStream): Promise<string> {
  const iterator = stream[Symbol.asyncIterator]()
  const finals: string[] = []
  while (finals.length < TURNS) {
    const { value, done } = await iterator.next()
    if (done) throw new Error('a stream ended early')
    if (value.type !== 'final') continue
    if (value.text === '') throw new Error('a final has no words')
    finals.push(value.text)
  }
  return finals.join(' ')
}

// -- voices

async function speak(
  { model }: Subject,
  voice: string,
  provider: Provider,
  recorder?: Recorder,
): Promise<Ran> {
  const adapter = provider.tts!(model)!
  const format = bestFormat(adapter, adapter.caps.outputs[0]!)
  const answers = (sentences: readonly string[]) =>
    Promise.all(Array.from({ length: ANSWERS }, () => answer(adapter, voice, format, sentences)))
  if (recorder) {
    await answers([PRELUDE])
    recorder.begin()
  }
  const before = process.cpuUsage()
  const bytes = await answers(SENTENCES)
  recorder?.end()
  const cost = { cpuMs: cpuMs(before), came: bytes.reduce((sum, one) => sum + one, 0) }
  return {
    cost: { ...cost, audioMs: bytesToMs(format, cost.came) },
    soundBytes: cost.came,
    chunkBytes: 0,
  }
}

async function answer(
  adapter: TtsAdapter,
  voice: string,
  format: AudioFormat,
  sentences: readonly string[],
): Promise<number> {
  const stream = await adapter.open({ voice, format, signal, clock })
  for (const [index, text] of sentences.entries()) stream.say({ index, text })
  stream.end()
  let bytes = 0
  for await (const event of stream) if (event.type === 'audio') bytes += event.audio.length
  return bytes
}
