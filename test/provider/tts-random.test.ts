/** Callers, pauses and interruptions at random: whatever happens, sound and sentence belong together. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MULAW_8K, msToBytes, PCM16_16K } from '../../src/audio/format.ts'
import { openScope } from '../../src/cancel.ts'
import { VirtualClock } from '../../src/clock.ts'
import { createCartesia } from '../../src/provider/cartesia/index.ts'
import { createDeepgram } from '../../src/provider/deepgram/index.ts'
import { createElevenLabs } from '../../src/provider/elevenlabs/index.ts'
import { createHume } from '../../src/provider/hume/index.ts'
import { createRime } from '../../src/provider/rime/index.ts'
import { bestFormat, type TtsEvent, type TtsStream } from '../../src/stage/tts.ts'
import { connectInMemory } from '../../src/testing/carrier/sockets.ts'
import { CARTESIA_KEY, FakeCartesia } from '../../src/testing/tts/cartesia.ts'
import { FakeSpeak, SPEAK_KEY } from '../../src/testing/tts/deepgram.ts'
import { lengthOf, markOf } from '../../src/testing/tts/double.ts'
import { ELEVENLABS_KEY, FakeElevenLabs } from '../../src/testing/tts/elevenlabs.ts'
import { FakeHume, HUME_KEY } from '../../src/testing/tts/hume.ts'
import { FakeRime, RIME_KEY } from '../../src/testing/tts/rime.ts'

const note = () => {}
const RUNS = 40

/** One caller: each sentence's length in words, the pause before it, and after how long it is cut off, if it is. */
const caller = fc.record({
  startsMs: fc.integer({ min: 0, max: 3_000 }),
  sentences: fc.array(
    fc.record({
      words: fc.integer({ min: 1, max: 12 }),
      pauseMs: fc.constantFrom(0, 5, 300, 499, 501, 900, 1_100, 12_000),
    }),
    { minLength: 1, maxLength: 5 },
  ),
  cutMs: fc.option(fc.integer({ min: 0, max: 8_000 }), { nil: undefined }),
})
const scene = fc.record({
  callers: fc.array(caller, { minLength: 1, maxLength: 5 }),
  firstAudioMs: fc.constantFrom(0, 40, 400),
  everyMs: fc.constantFrom(1, 20, 150),
  chunkMs: fc.constantFrom(50, 70, 250, 5_000),
})
type Caller = typeof caller extends fc.Arbitrary<infer C> ? C : never

async function act(
  open: (signal: AbortSignal) => Promise<TtsStream>,
  clock: VirtualClock,
  plan: Caller,
  who: number,
) {
  const scope = openScope()
  const wait = (ms: number) => new Promise<void>((resolve) => clock.setTimer(ms, resolve))
  const texts = plan.sentences.map(({ words }, i) => `Caller ${who} says${' word'.repeat(words)} ${i}.`)
  const events: TtsEvent[] = []
  await wait(plan.startsMs)
  if (plan.cutMs !== undefined) clock.setTimer(plan.cutMs, () => scope.cancel('barge-in'))
  let failure: unknown
  try {
    const stream = await open(scope.signal)
    const speaking = (async () => {
      for (const [index, { pauseMs }] of plan.sentences.entries()) {
        if (pauseMs > 0) await wait(pauseMs)
        stream.say({ index, text: texts[index]! })
      }
      stream.end()
    })()
    for await (const event of stream) {
      expect(scope.signal.aborted).toBe(false)
      events.push(event)
    }
    await speaking
  } catch (error) {
    failure = error
  }
  return { texts, events, failure, cut: scope.signal }
}

const providers = {
  elevenlabs: (clock: VirtualClock, options: object) => {
    const double = new FakeElevenLabs({ clock, ...options })
    const { connect } = connectInMemory(double.server)
    const provider = createElevenLabs(
      { clock, note },
      { name: 'elevenlabs', apiKey: ELEVENLABS_KEY, connect },
    )
    return { double, provider }
  },
  cartesia: (clock: VirtualClock, options: object) => {
    const double = new FakeCartesia({ clock, ...options })
    const { connect } = connectInMemory(double.server)
    const provider = createCartesia({ clock, note }, { name: 'cartesia', apiKey: CARTESIA_KEY, connect })
    return { double, provider }
  },
  deepgram: (clock: VirtualClock, options: object) => {
    const double = new FakeSpeak({ clock, ...options })
    const { connect } = connectInMemory(double.server)
    const provider = createDeepgram({ clock, note }, { name: 'deepgram', apiKey: SPEAK_KEY, connect })
    return { double, provider }
  },
  hume: (clock: VirtualClock, options: object) => {
    const double = new FakeHume({ clock, ...options })
    const { connect } = connectInMemory(double.server)
    const provider = createHume({ clock, note }, { name: 'hume', apiKey: HUME_KEY, connect })
    return { double, provider }
  },
  rime: (clock: VirtualClock, options: object) => {
    const double = new FakeRime({ clock, ...options })
    const { connect } = connectInMemory(double.server)
    const provider = createRime({ clock, note }, { name: 'rime', apiKey: RIME_KEY, connect })
    return { double, provider }
  },
}
/** Ids that each takes. */
const MODELS = { elevenlabs: 'm', cartesia: 'm', deepgram: 'aura-2', rime: 'coda', hume: 'octave-2' }

test.each(['elevenlabs', 'cartesia', 'deepgram', 'rime', 'hume'] as const)(
  '%s: every sound is of its own sentence, whole unless cut',
  async (name) => {
    await fc.assert(
      fc.asyncProperty(scene, async ({ callers, ...options }) => {
        const clock = new VirtualClock()
        const { double, provider } = providers[name](clock, options)
        const adapter = provider.tts!(MODELS[name])!
        const format = name === 'elevenlabs' ? PCM16_16K : bestFormat(adapter, MULAW_8K)
        const bytesAMs = msToBytes(format, 1)
        const acting = callers.map((plan, who) =>
          act((signal) => adapter.open({ voice: 'anna', format, signal, clock }), clock, plan, who),
        )
        const all = Promise.all(acting)
        await clock.advance(400_000)
        for (const { texts, events, failure, cut } of await all) {
          if (cut.aborted && failure !== undefined) expect(failure).toBe(cut.reason)
          else expect(failure).toBeUndefined()
          const done = events.flatMap((event) => (event.type === 'sentenceDone' ? [event.sentence] : []))
          expect(done).toEqual(done.map((_, i) => i))
          if (failure === undefined) expect(done.length).toBe(texts.length)
          for (const [index, text] of texts.entries()) {
            const own = events.filter((event) => event.sentence === index)
            const sound = Buffer.concat(own.flatMap((event) => (event.type === 'audio' ? [event.audio] : [])))
            expect(new Set([...sound, markOf(text)]).size).toBe(1)
            if (done.includes(index)) {
              expect(sound.length).toBe(lengthOf(text, 50) * bytesAMs)
              if (adapter.caps.times === 'none') continue
              const words = own.flatMap((event) => (event.type === 'words' ? event.words : []))
              expect(words.map((word) => word.text).join(' ')).toBe(text)
              expect(words[0]!.startMs).toBe(0)
              expect(words.at(-1)!.endMs).toBe(lengthOf(text, 50))
            }
          }
        }
        const closing = provider.close()
        await clock.advance(5_000)
        await closing
        expect(double.mistakes).toEqual([])
        expect(clock.pendingTimers).toBe(0)
      }),
      { numRuns: RUNS },
    )
  },
)
