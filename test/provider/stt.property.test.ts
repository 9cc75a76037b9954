/** Any order of write, preview, finalize and discard: each finalize has its final, and each word its place. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { openScope } from '../../src/cancel.ts'
import { VirtualClock } from '../../src/clock.ts'
import { createAssemblyAi } from '../../src/provider/assemblyai/index.ts'
import { createDeepgram } from '../../src/provider/deepgram/index.ts'
import { createElevenLabs } from '../../src/provider/elevenlabs/index.ts'
import { createGladia } from '../../src/provider/gladia/index.ts'
import { createOpenAi } from '../../src/provider/openai/index.ts'
import { createSoniox } from '../../src/provider/soniox/index.ts'
import { createSpeechmatics } from '../../src/provider/speechmatics/index.ts'
import type { OwnTurns, SttEvent } from '../../src/stage/stt.ts'
import type { HttpDoubleServer } from '../../src/testing/carrier/http.ts'
import { MemoryDispatcher } from '../../src/testing/carrier/http-memory.ts'
import { connectInMemory } from '../../src/testing/carrier/sockets.ts'
import { fakeAssemblyAi } from '../../src/testing/stt/assemblyai.ts'
import { fakeDeepgram } from '../../src/testing/stt/deepgram.ts'
import { FAKE_KEY } from '../../src/testing/stt/double.ts'
import { fakeFlux } from '../../src/testing/stt/flux.ts'
import { fakeGladia } from '../../src/testing/stt/gladia.ts'
import { fakeOpenAiRealtime } from '../../src/testing/stt/openai-realtime.ts'
import { fakeScribe } from '../../src/testing/stt/scribe.ts'
import { fakeSoniox } from '../../src/testing/stt/soniox.ts'
import { fakeSpeechmatics } from '../../src/testing/stt/speechmatics.ts'
import { sound } from '../support/stages.ts'
import { type Act, acts, STEP_MS, WORDS } from './stt-acts.ts'

/** Every breath between two words ends a turn. */
const BREATHLESS: OwnTurns = { eagerness: 'high', minSilenceMs: 60, maxWaitMs: 2_000 }

/** Where the audio was already cut, nothing answers a second cut. */
const FORCED_TWICE: Act[] = [
  { do: 'hear', steps: 1 },
  { do: 'preview' },
  { do: 'discard' },
  { do: 'hear', steps: 1 },
  { do: 'preview' },
  { do: 'hear', steps: 1 },
]

describe.each([
  ['deepgram', fakeDeepgram, createDeepgram, 'nova-3', {}],
  ['assemblyai', fakeAssemblyAi, createAssemblyAi, 'u3-rt-pro', {}],
  ['assemblyai', fakeAssemblyAi, createAssemblyAi, 'u3-rt-pro', { ownTurns: BREATHLESS }],
  ['gladia', fakeGladia, createGladia, 'solaria-1', {}],
  ['speechmatics', fakeSpeechmatics, createSpeechmatics, 'enhanced', {}],
  ['flux', fakeFlux, createDeepgram, 'flux-general-en', {}],
  ['soniox', fakeSoniox, createSoniox, 'stt-rt-v5', {}],
  ['soniox', fakeSoniox, createSoniox, 'stt-rt-v5', { ownTurns: BREATHLESS }],
  ['flux', fakeFlux, createDeepgram, 'flux-general-en', { ownTurns: BREATHLESS }],
  ['scribe', fakeScribe, createElevenLabs, 'scribe_v2_realtime', {}],
  ['openai', fakeOpenAiRealtime, createOpenAi, 'gpt-live-transcribe', {}],
  ['openai', fakeOpenAiRealtime, createOpenAi, 'gpt-4o-mini-transcribe', {}],
] as const)('%s', (name, makeDouble, create, model, more) => {
  test('every order of calls, every delay of answers', async () => {
    await fc.assert(
      fc.asyncProperty(acts, fc.constantFrom(0, 40, 300, 400), async (acts, answerMs) => {
        const clock = new VirtualClock()
        const double = makeDouble({ clock, script: { words: WORDS, answerMs } })
        const memory = connectInMemory(double.server)
        const { http } = double as { readonly http?: HttpDoubleServer }
        const dispatcher = http && new MemoryDispatcher(http)
        const settings = {
          name,
          apiKey: FAKE_KEY,
          connect: memory.connect,
          ...(dispatcher && { dispatcher }),
        }
        const adapter = create({ clock, note: () => {} }, settings).stt!(model)!
        const format = adapter.caps.inputs[0]!
        const { signal } = openScope()
        const stream = await adapter.open({ format, signal, clock, ...more })
        const events: SttEvent[] = []
        const reading = (async () => {
          for await (const event of stream) events.push(event)
        })()

        reading.catch(() => {})

        const expected: string[] = []
        let [from, at] = [0, 0]
        for (const one of acts) {
          if (one.do === 'hear') {
            for (let ms = 0; ms < one.steps * STEP_MS; ms += 20) {
              stream.write(sound(format, 20, 'speech'))
              await clock.advance(20)
            }
            at += one.steps
          } else if (one.do === 'wait') await clock.advance(one.ms)
          else {
            if (one.do === 'finalize')
              expected.push(
                WORDS.slice(from, at)
                  .map(({ text }) => text)
                  .join(' '),
              )
            if (one.do !== 'preview') from = at
            stream[one.do]()
          }
        }
        await clock.advance(10_000)
        const finals = events.flatMap((event) => (event.type === 'final' ? [event.text] : []))
        // Told by an end of its own, a provider is believed that the next moment holds no word; here it does.
        if ('ownTurns' in more) expect(inOrder(finals)).toHaveLength(expected.length)
        else expect(finals).toEqual(expected)
        expect(double.sessions.flatMap(({ mistakes }) => mistakes)).toEqual([])

        const closing = stream.close()
        await clock.advance(2_000)
        await Promise.all([closing, reading])
        expect(memory.open).toBe(0)
        expect(clock.pendingTimers).toBe(0)
      }),
      { numRuns: 150, examples: [[FORCED_TWICE, 0]] },
    )
  })
})

/** Throws when a word comes twice or too late. */
function inOrder(finals: readonly string[]): readonly string[] {
  const numbers = finals.flatMap((text) => [...text.matchAll(/w(\d+)/g)].map(([, number]) => Number(number)))
  expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b))
  return finals
}
