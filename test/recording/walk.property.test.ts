/** Random stories: whatever happens in a call, its recording plays again to the byte. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { HedgeShare } from '../../src/attempt/hedge-share.ts'
import { MULAW_8K, PCM16_24K } from '../../src/audio/format.ts'
import type { ModelEvent } from '../../src/dialect/neutral.ts'
import { ProviderError } from '../../src/errors.ts'
import { BRIDGE, type Call, PACED, UNPACED } from '../session/call.ts'
import { FakeLlm, FakeStt, FakeTts } from '../support/stages.ts'
import { RecordedCall } from './recorded.ts'

const TOOL: ModelEvent[] = [
  { type: 'text', text: 'Let me look. ' },
  { type: 'toolCall', call: { callId: 'c', name: 'f', arguments: '{}' } },
  { type: 'finish', reason: 'tool_calls' },
]
const ANSWERS = ['Yes.', 'Well, let me think about that. There are several ways to see it.', TOOL, '👍', '']

const ACTS: Readonly<Record<string, (call: Call) => Promise<unknown> | unknown>> = {
  speak: (call) => call.speak(300),
  cough: (call) => call.speak(120),
  silent: (call) => call.silent(260),
  says: (call) => call.says(400),
  wait: (call) => call.wait(35),
  waitLong: (call) => call.wait(2500),
  partial: (call) => call.stt.streams.at(-1)?.says('hold on', 'hold'),
  breakStt: (call) => call.stt.streams.at(-1)?.breaks(),
  failLlm: (call) => {
    call.llm.next = new ProviderError({ provider: 'fake', stage: 'llm', kind: 'rate', message: 'slow' })
  },
  stallLlm: (call) => {
    call.llm.next = 'stall'
  },
  respond: (call) => call.respond(),
  respondText: (call) => call.respond({ modality: 'text' }),
  outOfBand: (call) => call.respond({ conversation: 'none' }),
  cancel: (call) => call.send({ type: 'cancelResponse', responseId: null }),
  commit: (call) => call.send({ type: 'commit' }),
  clear: (call) => call.send({ type: 'clear' }),
  text: (call) => call.text('A typed word.'),
  manual: (call) => call.send({ type: 'settings', patch: { turnDetection: null } }),
  mulaw: (call) => call.send({ type: 'settings', patch: { inputFormat: MULAW_8K, outputFormat: MULAW_8K } }),
  pcm: (call) => call.send({ type: 'settings', patch: { inputFormat: PCM16_24K, outputFormat: PCM16_24K } }),
  flood: (call) => {
    for (let i = 0; i < 20; i++) call.session.audio(new Uint8Array(9600).fill(i % 20 < 10 ? 0 : 99))
  },
}
const names = Object.keys(ACTS)

test('any story replays to the same bytes', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 14 }),
      fc.constantFrom(UNPACED, PACED, BRIDGE),
      fc.constantFrom(0, 70, 200),
      fc.integer({ min: 0, max: ANSWERS.length - 1 }),
      fc.constantFrom<'fast' | 'never' | number>('fast', 30, 'never'),
      async (acts, caps, slowMs, first, reader) => {
        let asked = first
        const answer = () => ANSWERS[asked++ % ANSWERS.length]!
        const recorded = await RecordedCall.open({
          caps,
          reader,
          stt: new FakeStt({ words: ['What is it?', 'uh', '', 'stop'], finalMs: slowMs }),
          llm: new FakeLlm({ answer, firstTokenMs: slowMs, tokenMs: 5 }),
          tts: new FakeTts({ firstAudioMs: slowMs / 2 }),
          spare: { llm: new FakeLlm({ answer: () => 'The second answers.', firstTokenMs: 40 }) },
          hedge: { after: { ms: 300 }, share: new HedgeShare(0.5) },
        })
        for (const act of acts) await ACTS[act]!(recorded.call)
        const { difference, outputs } = await recorded.replayed()
        expect(difference).toBeNull()
        expect(outputs).toBe(recorded.call.taken.length)
      },
    ),
    { numRuns: 40 },
  )
}, 60_000)
