/** Voices that end a sentence cleanly too soon, one after the other. */
import { expect, test } from 'vitest'
import { Break } from '../../bench/failover/break.ts'
import { converse } from '../../bench/failover/conversation.ts'
import { RECOGNISERS } from '../../bench/failover/recognisers.ts'
import { VOICES } from '../../bench/failover/voices.ts'
import { loadAudio } from '../../src/audio/convert.ts'
import { VirtualClock } from '../../src/clock.ts'

test('when every voice ends the same sentence too soon, the last one’s sound is kept and the answer goes on', async () => {
  await loadAudio()
  const clock = new VirtualClock()
  const [first, second] = [new Break('close_clean_early'), new Break('close_clean_early')]
  Object.defineProperty(second, 'armed', { get: () => first.armed })
  const speech = VOICES.find(({ title }) => title === '/audio/speech')!
  const voices = [first, second].map((broken, i) => speech.play(`voice${i}`, broken, clock))
  const ear = RECOGNISERS[0]!
  const told = await converse({
    clock,
    providers: [ear.play('ear', new Break(null), clock), ...voices].map(({ provider }) => provider),
    pipeline: `stt: { routes: [{ name: any, use: [ear/${ear.model}] }] }
tts: { routes: [{ name: any, use: [voice0/tts-1, voice1/tts-1] }] }
voices: { any: { voice0: alloy, voice1: alloy } }
`,
    broken: first,
  })
  expect([first.struck, second.struck]).toEqual([true, true])
  expect(told.map(({ status }) => status)).toEqual(['completed', 'completed', 'completed'])
  const places = told[1]!.heard.map(({ code }) => code?.place)
  expect(places).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 6, 7, 8, 12, 13, 14, 15, 16, 17])
})
