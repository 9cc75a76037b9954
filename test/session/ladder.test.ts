/** Time runs short, and something is given up for it: rung by rung, as the pipeline says. */
import { expect, test } from 'vitest'
import type { Health } from '../../src/attempt/health.ts'
import type { Rung } from '../../src/budget/ladder.ts'
import { VirtualClock } from '../../src/clock.ts'
import { ProviderError, type StageName } from '../../src/errors.ts'
import { FakeLlm, FakeStt, FakeTts, fixedRouter } from '../support/stages.ts'
import { BRIDGE, Call, PACED, UNPACED } from './call.ts'

const NO_GUESS = { maxRevisions: 0 }
const ONE_MOMENT = 'One moment.'
const SORRY = 'Sorry, could you say that again?'
const FILLER: Rung = { rung: 'filler', afterMs: 1200, say: [ONE_MOMENT, 'Let me see.'] }
const APOLOGY: Rung = { rung: 'apology', say: SORRY }
const PHRASES = { [ONE_MOMENT]: 800, 'Let me see.': 700, [SORRY]: 1500 }

function broken(stage: StageName): ProviderError {
  return new ProviderError({ provider: 'fake', stage, kind: 'transient', message: 'dropped' })
}

async function degraded(call: Call): Promise<readonly string[]> {
  return (await call.records()).at(-1)?.budget.degraded ?? []
}

async function ends(call: Call): Promise<void> {
  await call.hangUp()
  expect(call.clock.pendingTimers).toBe(0)
  expect(call.listeners).toBe(0)
}

/** Since the caller's end of speech. */
function firstAudioMs(call: Call): number {
  return call.at('answerAudio') - call.spokeUntil
}

test.each([
  ['unpaced', UNPACED],
  ['paced', PACED],
  ['a bridge', BRIDGE],
] as const)(
  'a late model: a phrase is heard meanwhile, and is no part of the answer (%s)',
  async (_, caps) => {
    const llm = new FakeLlm({ firstTokenMs: 2500 })
    const call = await Call.open({ settings: NO_GUESS, caps, llm, ladder: [FILLER], phrases: PHRASES })
    await call.says()
    await call.wait(9000)
    expect(firstAudioMs(call)).toBeGreaterThanOrEqual(1200)
    expect(firstAudioMs(call)).toBeLessThanOrEqual(1260)
    expect(call.transcript.trim()).toBe('Hello there. How can I help you today?')
    const record = (await call.records()).at(-1)
    expect(record?.budget.degraded).toEqual(['filler'])
    // The phrase does not make the answer timely.
    expect(record?.budget.actualMs).toBeGreaterThan(2900)
    expect(record?.budget.brokenBy).toBe('llm')
    expect(record?.heard?.text).toBe('Hello there. How can I help you today?')
    const answerMs = 'Hello there.How can I help you today?'.length * 50
    expect(call.audioMs).toBeGreaterThanOrEqual(800 + answerMs - 20)
    await call.says()
    expect(call.prompt).not.toContain(expect.stringContaining('One moment'))
    expect(call.prompt[1]).toBe('assistant: Hello there. How can I help you today?')
    await ends(call)
  },
)

test('no phrase in two turns in a row, and then another one', async () => {
  const llm = new FakeLlm({ firstTokenMs: 2500 })
  const call = await Call.open({ settings: NO_GUESS, llm, ladder: [FILLER], phrases: PHRASES })
  const taken: (readonly string[])[] = []
  const lengths: number[] = []
  for (let turn = 0; turn < 3; turn++) {
    const before = call.audioMs
    await call.says()
    await call.wait(9000)
    taken.push(await degraded(call))
    lengths.push(Math.round(call.audioMs - before))
  }
  expect(taken).toEqual([['filler'], [], ['filler']])
  expect((lengths[0] ?? 0) - (lengths[1] ?? 0)).toBe(800)
  expect((lengths[2] ?? 0) - (lengths[1] ?? 0)).toBe(700)
  await ends(call)
})

test('no phrase when the answer is about to start', async () => {
  const llm = new FakeLlm({ firstTokenMs: 720 })
  const call = await Call.open({
    settings: NO_GUESS,
    llm,
    ladder: [{ ...FILLER, afterMs: 1000 } as Rung],
    phrases: PHRASES,
  })
  // The model's median is learned: 700 ms.
  for (let turn = 0; turn < 30; turn++) {
    await call.text(`Turn ${turn}`)
    await call.respond()
    await call.wait(9000)
  }
  await call.says()
  await call.wait(4000)
  expect(await degraded(call)).toEqual([])
  await ends(call)
})

test('a caller who goes on speaking stops the wait for a phrase', async () => {
  const llm = new FakeLlm({ firstTokenMs: 5000 })
  const call = await Call.open({ settings: NO_GUESS, llm, ladder: [FILLER], phrases: PHRASES })
  await call.says()
  await call.speak(1500)
  expect(call.count('answerAudio')).toBe(0)
  await ends(call)
})

test('a caller who interrupts a phrase is answered, and the phrase is not remembered', async () => {
  const llm = new FakeLlm({ firstTokenMs: 2500 })
  const call = await Call.open({ settings: NO_GUESS, caps: PACED, llm, ladder: [FILLER], phrases: PHRASES })
  await call.says()
  await call.wait(700)
  expect(call.count('answerAudio')).toBeGreaterThan(0)
  await call.says()
  await call.wait(9000)
  expect(call.prompt.filter((line) => line.startsWith('assistant'))).toEqual([])
  expect(call.transcript.trim()).toBe('Hello there. How can I help you today?')
  await ends(call)
})

test('a phrase before a tool call leaves no words behind', async () => {
  const tool = { callId: 'c1', name: 'look', arguments: '{}' }
  const llm = new FakeLlm({
    firstTokenMs: 2500,
    answer: () => [
      { type: 'toolCall', call: tool },
      { type: 'finish', reason: 'tool_calls' },
    ],
  })
  const settings = { ...NO_GUESS, tools: [{ name: 'look' }] }
  const call = await Call.open({ settings, caps: PACED, llm, ladder: [FILLER], phrases: PHRASES })
  await call.says()
  await call.wait(5000)
  expect(call.count('toolCalled')).toBe(1)
  expect(call.transcript).toBe('')
  expect(call.last('responseDone').response.ending).toEqual({ status: 'completed' })
  expect(Math.round(call.audioMs)).toBeGreaterThanOrEqual(800)
  await ends(call)
})

test.each(['llm', 'tts'] as const)(
  'nobody is left at the %s: an apology is said, and the turn has failed',
  async (stage) => {
    const llm = new FakeLlm()
    const tts = new FakeTts()
    if (stage === 'llm') llm.next = broken('llm')
    else Object.assign(tts, { open: async () => Promise.reject(broken('tts')) })
    const call = await Call.open({ settings: NO_GUESS, llm, tts, ladder: [APOLOGY], phrases: PHRASES })
    await call.says()
    await call.wait(4000)
    expect(call.transcript.trim()).toBe(SORRY)
    expect(Math.round(call.audioMs)).toBe(1500)
    expect(call.last('responseDone').response.ending).toMatchObject({ status: 'failed', code: 'transient' })
    const record = (await call.records()).at(-1)
    expect(record).toMatchObject({ outcome: 'failed', budget: { degraded: ['apology'] } })
    expect(record?.heard?.text).toBe(SORRY)
    expect(call.last('fault')).toMatchObject({ code: 'transient' })
    await call.says()
    expect(call.prompt.filter((line) => line.startsWith('assistant'))).toEqual([`assistant: ${SORRY}`])
    await ends(call)
  },
)

test('nobody goes on after the first words: they are said, then the apology', async () => {
  const llm = new FakeLlm({
    answer: () => [{ type: 'text', text: 'Once upon a time there was a king. He had ' }],
  })
  const failing = {
    ...llm,
    id: 'fake/llm',
    caps: llm.caps,
    async *stream(...args: Parameters<FakeLlm['stream']>) {
      yield* llm.stream(...args)
      throw broken('llm')
    },
  }
  const call = await Call.open({ settings: NO_GUESS, llm: failing, ladder: [APOLOGY], phrases: PHRASES })
  await call.says()
  await call.wait(6000)
  expect(call.transcript.replace(/\s+/g, ' ').trim()).toBe(`Once upon a time there was a king. ${SORRY}`)
  expect(call.last('responseDone').response.ending).toMatchObject({ status: 'failed' })
  await ends(call)
})

test('a voice that breaks for good in a sentence: only words with sound are remembered', async () => {
  const whole = new FakeTts()
  const story = 'This is the first sentence. Here comes the second sentence. And that was the third one.'
  const tts = {
    id: 'fake/tts',
    caps: whole.caps,
    async open(o: Parameters<FakeTts['open']>[0]) {
      const stream = await whole.open(o)
      async function* until() {
        let left = 5
        for await (const event of stream) {
          if (event.sentence === 1 && left-- === 0) throw broken('tts')
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
  const llm = new FakeLlm({ answer: () => story })
  const call = await Call.open({ settings: NO_GUESS, llm, tts, ladder: [APOLOGY], phrases: PHRASES })
  await call.says()
  await call.wait(9000)
  await call.says()
  const [said] = call.prompt.filter((line) => line.startsWith('assistant'))
  expect(said).toMatch(
    /^assistant: This is the first sentence\. Here( comes)? Sorry, could you say that again\?$/,
  )
  await ends(call)
})

test('recognition is lost for good: the caller hears the apology instead of nothing', async () => {
  const stt = new FakeStt({ finalMs: 1e6 })
  const settings = { ...NO_GUESS, apology: SORRY }
  const call = await Call.open({ settings, stt, ladder: [APOLOGY], phrases: PHRASES })
  await call.says()
  for (let i = 0; i < 4; i++) {
    stt.streams.at(-1)?.breaks()
    await call.wait(100)
  }
  await call.wait(4000)
  expect(call.transcript.trim()).toBe(SORRY)
  expect(call.last('responseDone').response.ending).toMatchObject({ status: 'failed', code: 'transient' })
  expect(await degraded(call)).toEqual(['apology'])
  await ends(call)
})

test.each(['answer', 'noise', 'failure', 'silence'] as const)(
  'late words are bridged by a phrase; then comes the %s',
  async (then) => {
    const stt = new FakeStt({
      words: [then === 'noise' ? '' : 'what time is it'],
      finalMs: then === 'silence' ? 1e6 : 2500,
    })
    const ladder = then === 'silence' ? [FILLER] : [FILLER, APOLOGY]
    const settings = { ...NO_GUESS, ...(then === 'silence' ? {} : { apology: SORRY }) }
    const call = await Call.open({ settings, caps: PACED, stt, ladder, phrases: PHRASES })
    await call.says()
    await call.wait(800)
    expect(firstAudioMs(call)).toBeLessThanOrEqual(1260)
    if (then === 'failure') {
      for (let i = 0; i < 4; i++) {
        stt.streams.at(-1)?.breaks()
        await call.wait(20)
      }
    }
    await call.wait(20_000)
    const said = { answer: 'Hello there. How can I help you today?', noise: '', failure: SORRY, silence: '' }
    expect(call.transcript.trim()).toBe(said[then])
    expect(call.count('responseCreated')).toBe(1)
    expect(call.count('answerStarted')).toBe(1)
    expect(call.types.indexOf('answerStarted')).toBeLessThan(call.types.indexOf('answerAudio'))
    expect(call.count('responseDone')).toBe(1)
    expect(call.llm.requests).toHaveLength(then === 'answer' ? 1 : 0)
    const status = { answer: 'completed', noise: 'cancelled', failure: 'failed', silence: 'failed' }
    expect(call.last('responseDone').response.ending?.status).toBe(status[then])
    expect((await call.records()).at(-1)?.budget.degraded[0]).toBe('filler')
    Object.assign(stt.options, { words: ['and now'], finalMs: 0 })
    await call.says()
    await call.wait(6000)
    expect(call.last('responseDone').response.ending).toEqual({ status: 'completed' })
    await ends(call)
  },
)

test('a caller who goes on over a phrase for late words is answered once, with all the words', async () => {
  const stt = new FakeStt({ words: ['what time is it', 'in Rome'], finalMs: 3000 })
  const call = await Call.open({ settings: NO_GUESS, stt, ladder: [FILLER], phrases: PHRASES })
  await call.says()
  await call.wait(800)
  await call.says(600)
  await call.wait(12_000)
  expect(call.llm.requests.length).toBeGreaterThanOrEqual(1)
  expect(call.prompt.filter((line) => line.startsWith('user'))).toEqual(['user: what time is it in Rome'])
  expect(call.transcript.trim()).toBe('Hello there. How can I help you today?')
  await ends(call)
})

test('no final words in time: the stable ones are answered, once', async () => {
  const stt = new FakeStt({ words: ['what time is it'], finalMs: 3000 })
  const call = await Call.open({ settings: NO_GUESS, stt, ladder: [{ rung: 'partial' }] })
  await call.speak(1000)
  stt.streams.at(-1)?.says('what time is it now', 'what time is it')
  await call.silent(640)
  await call.wait(2000)
  expect(call.last('transcript').transcript).toBe('what time is it')
  expect(await degraded(call)).toEqual(['partial'])
  await call.wait(6000)
  expect(call.count('responseDone')).toBe(1)
  expect(call.count('transcript')).toBe(1)
  const record = (await call.records()).at(-1)
  expect(record?.budget.actualMs).toBeLessThanOrEqual(1500)
  await ends(call)
})

test('words that came in time are waited for, and nothing is given up', async () => {
  const stt = new FakeStt({ words: ['what time is it'], finalMs: 200 })
  const call = await Call.open({
    settings: NO_GUESS,
    stt,
    ladder: [{ rung: 'partial' }, FILLER, APOLOGY],
    phrases: PHRASES,
  })
  await call.says()
  await call.wait(6000)
  expect(await degraded(call)).toEqual([])
  await ends(call)
})

/** Slow by its history: `ms` is its median. */
function known(health: Health, target: string, ms: number): void {
  for (let i = 0; i < 40; i++) {
    const ticket = health.admit({ stage: 'llm', target, credential: '' }, null)
    ticket?.useful()
    ticket?.end({ type: 'ok', firstUsefulMs: ms, unitsPerSecond: null })
  }
}

test('a model whose median does not fit what is left is passed over, and the answer kept short', async () => {
  const clock = new VirtualClock()
  const [llm, spare] = [new FakeLlm(), new FakeLlm()]
  const ladder: Rung[] = [{ rung: 'faster' }, { rung: 'shorter', maxTokens: 60 }]
  let slack: number | undefined
  const call = await Call.open({
    clock,
    settings: NO_GUESS,
    llm,
    spare: { llm: spare },
    ladder,
    router: (lineup, theirs) => {
      const router = fixedRouter(lineup, theirs)
      const health = router.health as Health
      known(health, 'fake/llm', 3000)
      known(health, 'spare/spare', 2000)
      return {
        ...router,
        lineup: (_facts, { slackMs }) => {
          slack = slackMs
          return slackMs === undefined ? lineup : { ...lineup, llm: lineup.llm.toReversed() }
        },
      }
    },
  })
  await call.says()
  await call.wait(4000)
  expect([llm.requests.length, spare.requests.length]).toEqual([0, 1])
  expect(slack).toBeLessThan(1000)
  expect(spare.requests[0]?.maxTokens).toBe(60)
  expect(await degraded(call)).toEqual(['faster', 'shorter'])
  await ends(call)
})
