/** Every double of speech does each fault that it names: what it says, with the fault and without, is held against one another. */
import { beforeAll, describe, expect, test } from 'vitest'
import { loadAudio } from '../../src/audio/convert.ts'
import { openScope } from '../../src/cancel.ts'
import { VirtualClock } from '../../src/clock.ts'
import { createAssemblyAi } from '../../src/provider/assemblyai/index.ts'
import { createAzureSpeech } from '../../src/provider/azure-speech/index.ts'
import { createCartesia } from '../../src/provider/cartesia/index.ts'
import { createDeepgram } from '../../src/provider/deepgram/index.ts'
import { createElevenLabs } from '../../src/provider/elevenlabs/index.ts'
import type { CloudSettings } from '../../src/provider/endpoint.ts'
import { createGladia } from '../../src/provider/gladia/index.ts'
import { createGoogleSpeech } from '../../src/provider/google-speech/index.ts'
import { createHume } from '../../src/provider/hume/index.ts'
import { createInworld } from '../../src/provider/inworld/index.ts'
import { createOpenAi } from '../../src/provider/openai/index.ts'
import { createRime } from '../../src/provider/rime/index.ts'
import { createSoniox } from '../../src/provider/soniox/index.ts'
import { createSpeechmatics } from '../../src/provider/speechmatics/index.ts'
import type { Provider, ProviderDeps } from '../../src/stage/provider.ts'
import * as doubles from '../../src/testing/index.ts'
import { azureInMemory } from '../support/azure-in-memory.ts'
import { GoogleInMemory } from '../support/google-in-memory.ts'
import { sound } from '../support/stages.ts'

type Create = (deps: ProviderDeps, settings: CloudSettings, double: doubles.Double) => Provider
type Make = (options: { clock: VirtualClock; fault?: never }) => doubles.Double

const COMMON = [
  'refuse_auth',
  'refuse_429',
  'hang_on_connect',
  'drop_mid_stream',
  'silent_after_ms',
  'slow_drip',
] as const
const ODD = [
  'close_clean_early',
  'malformed_json',
  'error_without_context',
  'no_final',
  'wrong_sample_rate',
] as const
type Fault = (typeof COMMON)[number] | (typeof ODD)[number] | 'duplicate_final' | 'late_after_cancel'

/** What a double said: when, and what. */
type Said = readonly { readonly atMs: number; readonly what: string }[]

/** Writes down what goes out. */
function tapped(double: doubles.Double, clock: VirtualClock): { double: doubles.Double; said: Said } {
  const said: { atMs: number; what: string }[] = []
  const note = (what: string) => void said.push({ atMs: clock.now(), what })
  const { server, http, grpc } = double
  return {
    said,
    double: {
      sessions: [],
      mistakes: [],
      settingsAt: (url) => double.settingsAt(url),
      ...(server && {
        server: (request) => {
          const answer = server(request)
          if (typeof answer !== 'function') {
            note(answer === 'hang' ? 'hang' : `refused ${answer.status}`)
            return answer
          }
          return (peer) =>
            answer({
              send: (data) => {
                // Azure's have headers.
                const body = typeof data === 'string' && data.slice(data.indexOf('\r\n\r\n') + 1).trimStart()
                note(typeof data === 'string' ? body || data : `sound ${data.length}`)
                peer.send(data)
              },
              close: (code, reason) => {
                note(`close ${code}`)
                peer.close(code, reason)
              },
              drop: () => {
                note('drop')
                peer.drop()
              },
            })
        },
      }),
      ...(grpc && {
        grpc: {
          connects: () => {
            const answer = grpc.connects()
            if (answer === 'hang') note('hang')
            return answer
          },
          call: (path, peer) =>
            grpc.call(path, {
              send: (message) => {
                // Sound is the first field of its message, and words are no first field.
                note(message[0] === 10 ? `sound ${message.length}` : Buffer.from(message).toString('latin1'))
                peer.send(message)
              },
              end: () => {
                note('end')
                peer.end()
              },
              fail: (code, details) => {
                note(`status ${code}`)
                peer.fail(code, details)
              },
              drop: () => {
                note('drop')
                peer.drop()
              },
            }),
        },
      }),
      ...(http && {
        http: (request, answer) =>
          http(request, {
            head: (status, headers) => {
              note(status < 300 ? 'head' : `refused ${status}`)
              answer.head(status, headers)
            },
            write: (bytes) => {
              note(typeof bytes === 'string' ? bytes : `sound ${bytes.length}`)
              answer.write(bytes)
            },
            end: () => {
              note('end')
              answer.end()
            },
            drop: () => {
              note('drop')
              answer.drop()
            },
          }),
      }),
    },
  }
}

interface Bench {
  readonly make: Make
  readonly create: Create
  readonly model: string
  /** What it has no way to do. */
  readonly not?: readonly Fault[]
}

const WORDS = [
  { text: 'Hello', startMs: 100, endMs: 400 },
  { text: 'there.', startMs: 450, endMs: 900, endsTurn: 0.95 },
]
const script = { words: WORDS, answerMs: 50, faultAtMs: 300 }

async function saidBy({ make, create, model }: Bench, stage: 'stt' | 'tts', fault?: Fault): Promise<Said> {
  const clock = new VirtualClock()
  const given = { clock, ...(stage === 'stt' && { script }), ...(fault && { fault: fault as never }) }
  const { double, said } = tapped(make(given), clock)
  const memory = doubles.inMemory(double)
  const wires = { connect: memory.connect, dispatcher: memory.dispatcher }
  const settings = { name: 'it', apiKey: '', ...double.settingsAt('http://double.test'), ...wires }
  const provider = create({ clock, note: () => {} }, settings, double)
  const scope = openScope()
  const { signal } = scope
  const talk = stage === 'stt' ? listen : speak
  const talking = talk(provider, model, clock, signal).catch(() => {})
  await clock.advance(40_000)
  scope.cancel('hangup')
  const closing = provider.close()
  await clock.advance(10_000)
  await Promise.all([talking, closing])
  return said
}

async function listen(
  provider: Provider,
  model: string,
  clock: VirtualClock,
  signal: AbortSignal,
): Promise<void> {
  const adapter = provider.stt!(model)!
  const format = adapter.caps.inputs[0]!
  const stream = await adapter.open({ format, signal, clock })
  void (async () => {
    for await (const _ of stream);
  })().catch(() => {})
  for (let at = 0; at < 2_000; at += 100) {
    stream.write(sound(format, 100, 'speech'))
    await new Promise<void>((resolve) => clock.setTimer(100, resolve))
  }
  stream.finalize()
  await new Promise<void>((resolve) => clock.setTimer(6_000, resolve))
  await stream.close()
}

async function speak(
  provider: Provider,
  model: string,
  clock: VirtualClock,
  signal: AbortSignal,
): Promise<void> {
  const adapter = provider.tts!(model)!
  const stream = await adapter.open({ voice: 'anna', format: adapter.caps.outputs[0]!, signal, clock })
  stream.say({ index: 0, text: 'Hello there, my friend.' })
  stream.end()
  for await (const _ of stream);
}

const soundOf = (said: Said) =>
  said.reduce(
    (sum, { what }) =>
      sum +
      (what.startsWith('sound')
        ? Number(what.slice(6))
        : (/"(?:data|audio|audioContent)":"([^"]+)"/.exec(what)?.[1]?.length ?? 0)),
    0,
  )
const breaksJson = (what: string) => {
  if (!/^[{<]/.test(what)) return false
  try {
    JSON.parse(what)
    return false
  } catch {
    return true
  }
}
const has = (said: Said, what: RegExp) => said.some((one) => what.test(one.what))
const wordAt = (said: Said) => said.find(({ what }) => what.includes('Hel'))?.atMs ?? Number.NaN
const gapOf = (said: Said) => Math.max(0, ...said.map(({ atMs }, i) => atMs - (said[i - 1]?.atMs ?? 0)))

/** Does what was said show the fault, beside what was said without it? */
function shows(fault: Fault, said: Said, healthy: Said, stage: 'stt' | 'tts'): boolean {
  switch (fault) {
    case 'refuse_auth':
      return has(said, /^refused 40[13]|"error_code":40|not_authorised|auth|^status 16/)
    case 'refuse_429':
      return has(said, /^refused 429|^status 8/)
    case 'hang_on_connect':
      return said.every(({ what }) => what === 'hang')
    case 'drop_mid_stream':
      return has(said, /^drop$/)
    case 'slow_drip':
      return stage === 'tts' ? gapOf(said) >= 4_500 : wordAt(said) - wordAt(healthy) >= 3_500
    case 'malformed_json':
      return said.some(({ what }) => breaksJson(what)) || has(said, /SECRET/)
    case 'duplicate_final':
      return said.some(({ what }, i) => i > 0 && what === said[i - 1]?.what && !what.startsWith('sound'))
    case 'wrong_sample_rate':
      return stage === 'stt' ? differs(said, healthy) : soundOf(said) < 0.7 * soundOf(healthy)
    case 'close_clean_early':
      return has(said, /^(close 1000|end)$/) && said.length < healthy.length + 2 && differs(said, healthy)
    default:
      return differs(said, healthy)
  }
}
const differs = (said: Said, healthy: Said) => JSON.stringify(said) !== JSON.stringify(healthy)

const cloud = (create: unknown) => create as Create
const azure: Create = (deps, { apiKey }, { server }) =>
  createAzureSpeech(deps, 'it', azureInMemory(server!, apiKey))
const google: Create = (deps, _settings, { grpc }) =>
  createGoogleSpeech(
    deps,
    { name: 'it', project: 'double', location: 'global', credentials: {} },
    { speech: new GoogleInMemory(grpc!, 'recognise'), voices: new GoogleInMemory(grpc!, 'synthesise') },
  )
const STT: Record<string, Bench> = {
  fakeDeepgram: { make: doubles.fakeDeepgram, create: cloud(createDeepgram), model: 'nova-3' },
  fakeFlux: {
    make: doubles.fakeFlux,
    create: cloud(createDeepgram),
    model: 'flux-general-en',
    not: ['duplicate_final'],
  },
  fakeAssemblyAi: {
    make: doubles.fakeAssemblyAi,
    create: cloud(createAssemblyAi),
    model: 'universal-streaming-english',
  },
  fakeSoniox: { make: doubles.fakeSoniox, create: cloud(createSoniox), model: 'stt-rt-v4' },
  fakeScribe: { make: doubles.fakeScribe, create: cloud(createElevenLabs), model: 'scribe_v2_realtime' },
  fakeGladia: { make: doubles.fakeGladia, create: cloud(createGladia), model: 'solaria-1' },
  fakeSpeechmatics: { make: doubles.fakeSpeechmatics, create: cloud(createSpeechmatics), model: 'enhanced' },
  fakeOpenAiRealtime: {
    make: doubles.fakeOpenAiRealtime,
    create: cloud(createOpenAi),
    model: 'gpt-4o-transcribe',
  },
  fakeGoogleRecogniser: { make: doubles.fakeGoogleRecogniser, create: google, model: 'chirp_3' },
  fakeAzureRecogniser: { make: doubles.fakeAzureRecogniser, create: azure, model: 'speech' },
}
const TTS: Record<string, Bench> = {
  fakeCartesia: { make: doubles.fakeCartesia, create: cloud(createCartesia), model: 'sonic-3' },
  fakeElevenLabs: {
    make: doubles.fakeElevenLabs,
    create: cloud(createElevenLabs),
    model: 'eleven_flash_v2_5',
  },
  fakeSpeak: { make: doubles.fakeSpeak, create: cloud(createDeepgram), model: 'aura-2' },
  fakeHume: { make: doubles.fakeHume, create: cloud(createHume), model: 'octave-2' },
  fakeRime: { make: doubles.fakeRime, create: cloud(createRime), model: 'coda' },
  fakeInworld: { make: doubles.fakeInworld, create: cloud(createInworld), model: 'inworld-tts-1.5-max' },
  fakeSonioxVoices: { make: doubles.fakeSonioxVoices, create: cloud(createSoniox), model: 'tts-rt-v1' },
  fakeSpeech: { make: doubles.fakeSpeech, create: cloud(createOpenAi), model: 'gpt-4o-mini-tts' },
  fakeGoogleVoices: { make: doubles.fakeGoogleVoices, create: google, model: 'chirp-3-hd' },
  fakeAzureVoices: { make: doubles.fakeAzureVoices, create: azure, model: 'neural' },
}

beforeAll(loadAudio)

describe.each([
  ['stt', STT],
  ['tts', TTS],
] as const)('doubles for %s', (stage, benches) => {
  for (const [name, bench] of Object.entries(benches)) {
    const more: Fault[] = stage === 'stt' ? ['duplicate_final'] : []
    for (const fault of [...COMMON, ...ODD, ...more].filter((one) => !bench.not?.includes(one))) {
      test(`${name}: ${fault}`, async () => {
        const [healthy, said] = [await saidBy(bench, stage), await saidBy(bench, stage, fault)]
        expect(healthy.length, 'says something').toBeGreaterThan(2)
        expect(shows(fault, said, healthy, stage), JSON.stringify(said).slice(0, 600)).toBe(true)
      })
    }
  }
})
