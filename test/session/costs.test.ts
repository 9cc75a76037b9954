/** Every attempt has its price, whoever wins: failovers, hedges and interruptions are paid for too. */
import { expect, test } from 'vitest'
import { HedgeShare } from '../../src/attempt/hedge-share.ts'
import { ProviderError } from '../../src/errors.ts'
import { Pricing } from '../../src/price/pricing.ts'
import { FakeLlm, FakeStt, FakeTts, fixedRouter } from '../support/stages.ts'
import { Call, type CallOptions } from './call.ts'

const tokens = { usdPerMillionInputTokens: 1000, usdPerMillionOutputTokens: 2000 }
const PRICING = new Pricing({
  'fake/llm': tokens,
  'spare/spare': { ...tokens, usdPerThousandChars: 20, usdPerMinute: 12 },
  'fake/stt': { usdPerMinute: 6 },
  'fake/tts': { usdPerThousandChars: 10 },
})
const ANSWER = 'It is ten o’clock now.'

function open(options: CallOptions): Promise<Call> {
  return Call.open({
    ...options,
    settings: { maxRevisions: 0, ...options.settings },
    router: (lineup, clock) => ({ ...fixedRouter(lineup, clock), pricing: PRICING }),
  })
}

async function paid(call: Call) {
  const record = (await call.records()).at(-1)
  const of = (stage: string) =>
    record?.attempts.filter((one) => one.stage === stage).map(({ costUsd }) => costUsd) ?? []
  return { stt: of('stt'), llm: of('llm'), tts: of('tts'), all: record?.costUsd }
}

const usage = { type: 'usage', usage: { inputTokens: 40, outputTokens: 10 } } as const
const said = { type: 'text', text: ANSWER } as const
const stop = { type: 'finish', reason: 'stop' } as const

test('a turn costs what its stages told: tokens, characters, seconds', async () => {
  const call = await open({ llm: new FakeLlm({ answer: () => [said, usage, stop] }) })
  await call.says(1000)
  await call.wait(6000)
  const { stt, llm, tts, all } = await paid(call)
  expect(llm).toEqual([40 * 0.001 + 10 * 0.002])
  expect(tts[0]).toBeCloseTo((ANSWER.length * 10) / 1000, 9)
  // About 1.9 s of audio with its padding and silence, at ten cents a second.
  expect(stt[0]).toBeGreaterThan(0.14)
  expect(stt[0]).toBeLessThan(0.21)
  expect(all).toBeCloseTo((stt[0] ?? 0) + (llm[0] ?? 0) + (tts[0] ?? 0), 9)
  await call.hangUp()
})

test('a model that tells no usage, or was cut before it could, is reckoned by its characters', async () => {
  const call = await open({ llm: new FakeLlm({ answer: () => [said, stop] }) })
  await call.says()
  await call.wait(6000)
  const { llm } = await paid(call)
  const [request] = call.llm.requests
  const input = Math.ceil((request?.messages ?? []).reduce((sum, { text }) => sum + text.length, 0) / 4)
  expect(llm[0]).toBeCloseTo(input * 0.001 + Math.ceil(ANSWER.length / 4) * 0.002, 9)
  await call.hangUp()
})

test('the loser of a hedge is paid for', async () => {
  const llm = new FakeLlm()
  llm.next = 'stall'
  const spare = new FakeLlm({ answer: () => [said, usage, stop] })
  const hedge = { after: { ms: 200 }, share: new HedgeShare(1) }
  const call = await open({ llm, spare: { llm: spare }, hedge })
  await call.says()
  await call.wait(6000)
  const { llm: both } = await paid(call)
  expect(both).toHaveLength(2)
  expect(both[0]).toBeGreaterThan(0)
  expect(both[1]).toBeCloseTo(0.06, 9)
  await call.hangUp()
})

test('a voice that broke is paid for what it was given; the next for what it took over', async () => {
  const tts = new FakeTts()
  const broken = new ProviderError({ provider: 'fake', stage: 'tts', kind: 'transient', message: 'dropped' })
  const halfway = {
    id: 'fake/tts',
    caps: tts.caps,
    async open(o: Parameters<FakeTts['open']>[0]) {
      const stream = await tts.open(o)
      async function* until() {
        for await (const event of stream) {
          if (event.sentence === 1) throw broken
          yield event
        }
      }
      const events = until()
      return {
        say: stream.say.bind(stream),
        end: stream.end.bind(stream),
        [Symbol.asyncIterator]: () => events,
      }
    },
  }
  const story = 'This is the first sentence. Here comes the second sentence.'
  const spare = new FakeTts()
  const call = await open({ llm: new FakeLlm({ answer: () => story }), tts: halfway, spare: { tts: spare } })
  await call.says()
  await call.wait(9000)
  const { tts: both } = await paid(call)
  const chars = (said: readonly string[]) => said.join('').length
  expect(both[0]).toBeCloseTo((chars(tts.said) * 10) / 1000, 9)
  expect(both[1]).toBeCloseTo((chars(spare.said) * 20) / 1000, 9)
  expect(spare.said).toEqual(['Here comes the second sentence.'])
  await call.hangUp()
})

test('audio that was written again into another recogniser is paid for twice', async () => {
  const call = await open({ stt: new FakeStt({ finalMs: 1e6 }), spare: { stt: new FakeStt() } })
  await call.says(1000)
  await call.wait(6000)
  const { stt } = await paid(call)
  expect(stt).toHaveLength(2)
  expect(stt[1]).toBeCloseTo(2 * (stt[0] ?? 0), 2)
  await call.hangUp()
})
