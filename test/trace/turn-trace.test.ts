import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { VirtualClock } from '../../src/clock.ts'
import { type BudgetFacts, brokenBy } from '../../src/trace/broken-by.ts'
import { TurnTrace } from '../../src/trace/turn-trace.ts'

function begin() {
  const clock = new VirtualClock()
  const trace = new TurnTrace({
    id: 'turn_1',
    sessionId: 'sess_1',
    keyId: 'web',
    wire: 'realtime',
    pipeline: 'default',
    turnMs: 1500,
    clock,
  })
  return { clock, trace }
}
const STT = { provider: 'local', model: 'moonshine-tiny' }
const LLM = { provider: 'openai', model: 'gpt-4o' }
const TTS = { provider: 'local', model: 'flite' }

describe('a turn is written down', () => {
  test('from the first word to the last, in ms from the end of speech', async () => {
    const { clock, trace } = begin()
    trace.mark('speechStart')
    await clock.advance(2000)
    trace.mark('speechEnd').zero(clock.now())
    await clock.advance(200)
    const stt = trace.start('stt', STT, 'first')
    const llm = trace.start('llm', LLM, 'first')
    trace.mark('speculated')
    await clock.advance(300)
    trace.firstOutput(stt)
    trace.end(stt, 'ok')
    trace.mark('committed').mark('sttFinal').route('llm', 'any').response('resp_1').userSaid('Hello.')
    await clock.advance(100)
    trace.firstOutput(llm)
    trace.mark('llmFirstToken')
    await clock.advance(50)
    trace.mark('firstSentence')
    const tts = trace.start('tts', TTS, 'first')
    await clock.advance(30.04)
    trace.firstOutput(tts)
    trace.mark('ttsFirstAudio').mark('firstAudioSent').said('Hi.')
    await clock.advance(1000)
    for (const attempt of [llm, tts]) trace.end(attempt, 'ok')
    trace.heard({ ms: 900, text: 'Hi.', interrupted: false }).close('said')

    expect(trace.snapshot()).toMatchObject({
      id: 'turn_1',
      startedAt: '2023-11-14T22:13:20.000Z',
      revision: 1,
      responseIds: ['resp_1'],
      route: { llm: 'any' },
      marks: {
        speechStart: -2000,
        speechEnd: 0,
        speculated: 200,
        committed: 500,
        sttFinal: 500,
        llmFirstToken: 600,
        firstSentence: 650,
        firstAudioSent: 680,
        end: 1680,
      },
      attempts: [
        {
          stage: 'stt',
          provider: 'local',
          status: 'ok',
          startMs: 200,
          firstOutputMs: 500,
          endMs: 500,
          kind: null,
          hedge: false,
        },
        { stage: 'llm', status: 'ok', startMs: 200, firstOutputMs: 600, endMs: 1680 },
        { stage: 'tts', status: 'ok', startMs: 650, firstOutputMs: 680 },
      ],
      budget: { turnMs: 1500, actualMs: 680, brokenBy: null, degraded: [] },
      heard: { ms: 900, text: 'Hi.', interrupted: false },
      text: { user: 'Hello.', said: 'Hi.' },
      outcome: 'said',
    })
  })

  test('zero learned late moves every time, before and after', async () => {
    const { clock, trace } = begin()
    trace.mark('speechStart')
    await clock.advance(700)
    trace.mark('committed')
    expect(trace.snapshot().marks).toEqual({ speechStart: 0, committed: 700 })
    trace.zero(200)
    expect(trace.snapshot().marks).toEqual({ speechStart: -200, committed: 500 })
  })

  test('the caller resumes: the new revision begins without the old marks, and keeps the old attempts', async () => {
    const { clock, trace } = begin()
    trace.zero(0)
    const first = trace.start('llm', LLM, 'first')
    trace.mark('speculated').mark('llmFirstToken').mark('committed')
    trace.end(first, 'cancelled')
    await clock.advance(1000)
    trace.revise(2).zero(1000)
    trace.start('llm', LLM, 'revision 2')
    await clock.advance(50)
    trace.mark('llmFirstToken').mark('committed')
    const record = trace.snapshot()
    expect(record.revision).toBe(2)
    expect(record.marks).toEqual({ committed: 50, llmFirstToken: 50 })
    expect(record.attempts.map((a) => [a.reason, a.status, a.startMs])).toEqual([
      ['first', 'cancelled', -1000],
      ['revision 2', 'running', 0],
    ])
  })

  test('first things count once, last things last', async () => {
    const { clock, trace } = begin()
    for (const ms of [10, 20]) {
      await clock.advance(ms)
      trace.mark('firstAudioSent').mark('speechEnd')
    }
    expect(trace.snapshot().marks).toEqual({ firstAudioSent: 10, speechEnd: 30 })
  })

  test('closing cancels what still runs; an attempt ends once; an unknown kind is transient', () => {
    const { trace } = begin()
    const failed = trace.start('stt', STT, 'first')
    trace.end(failed, 'failed', 'timeout')
    trace.end(failed, 'ok')
    const odd = trace.start('stt', STT, 'fallback')
    trace.end(odd, 'failed', 'weird')
    trace.start('llm', LLM, 'hedge after p95')
    trace.end(undefined, 'ok')
    trace.firstOutput(99)
    trace.close('failed')
    expect(trace.snapshot().attempts).toMatchObject([
      { status: 'failed', kind: 'timeout', hedge: false },
      { status: 'failed', kind: 'transient' },
      { status: 'cancelled', kind: null, hedge: true },
    ])
  })

  test('costs add up, and stay unknown when nobody told one', () => {
    const { trace } = begin()
    expect(trace.snapshot().costUsd).toBeNull()
    const llm = trace.start('llm', LLM, 'first')
    trace.cost(llm, 0.25).cost(llm, 0.25)
    expect(trace.snapshot()).toMatchObject({ costUsd: 0.5, attempts: [{ costUsd: 0.5 }] })
  })

  test('a record is a copy, and bounded whatever happens', () => {
    const { trace } = begin()
    const before = trace.snapshot()
    for (let i = 0; i < 1000; i++) {
      trace.end(trace.start('llm', LLM, 'first'), 'ok')
      trace.response(`resp_${i}`).degraded('filler')
    }
    trace.userSaid('x'.repeat(100_000)).heard({ ms: 1, text: 'x'.repeat(100_000), interrupted: true })
    expect(before.attempts).toEqual([])
    expect(trace.attemptsDropped).toBe(900)
    expect(JSON.stringify(trace.snapshot()).length).toBeLessThan(60_000)
  })
})

describe('the budget was broken by', () => {
  const facts = (marks: BudgetFacts['marks'], over: Partial<BudgetFacts> = {}): BudgetFacts => ({
    turnMs: 1500,
    marks: { speechEnd: 0, ...marks },
    outcome: 'said',
    shares: null,
    ...over,
  })

  test.each<[string, BudgetFacts['marks'], ReturnType<typeof brokenBy>]>([
    [
      'nobody, when it was kept',
      { committed: 500, sttFinal: 600, firstSentence: 1200, firstAudioSent: 1500 },
      null,
    ],
    [
      'the silence window',
      { committed: 1400, sttFinal: 1410, firstSentence: 1500, firstAudioSent: 1600 },
      'endpoint',
    ],
    ['recognition', { committed: 500, sttFinal: 1500, firstSentence: 1600, firstAudioSent: 1700 }, 'stt'],
    ['the model', { committed: 500, sttFinal: 550, firstSentence: 2500, firstAudioSent: 2600 }, 'llm'],
    ['the voice', { committed: 500, sttFinal: 550, firstSentence: 900, firstAudioSent: 2600 }, 'tts'],
    [
      'the voice, though the model was ready before the commit',
      { committed: 500, sttFinal: 400, firstSentence: 300, firstAudioSent: 2600 },
      'tts',
    ],
    ['no stage before the deadline', { committed: 500 }, null],
    [
      'the model, of a turn by text',
      { speechEnd: undefined, firstSentence: 1600, firstAudioSent: 1700 } as never,
      'llm',
    ],
  ])('%s', (_name, marks, part) => {
    const given = facts(marks)
    if (marks.speechEnd === undefined && 'speechEnd' in marks)
      delete (given.marks as { speechEnd?: number }).speechEnd
    expect(brokenBy(given)).toBe(part)
  })

  test('the part it was stuck in, when it failed without any audio', () => {
    for (const outcome of ['failed', 'cancelled'] as const) {
      expect(brokenBy(facts({ committed: 500, sttFinal: 600, end: 4000 }, { outcome }))).toBe('llm')
      expect(brokenBy(facts({ committed: 500, end: 4000 }, { outcome }))).toBe('stt')
      expect(brokenBy(facts({ committed: 500, sttFinal: 600, end: 1400 }, { outcome }))).toBeNull()
    }
    const typed = { turnMs: 1500, marks: { end: 4000 }, outcome: 'failed', shares: null } as const
    expect(brokenBy(typed)).toBe('llm')
  })

  test('nobody, when a tool alone was called or the answer was dropped', () => {
    expect(brokenBy(facts({ committed: 500, end: 4000 }, { outcome: 'said' }))).toBeNull()
    expect(brokenBy(facts({ committed: 500, end: 4000 }, { outcome: 'superseded' }))).toBeNull()
  })

  test('the plan of the turn, where there was one', () => {
    const marks = { committed: 500, sttFinal: 600, firstSentence: 1100, firstAudioSent: 1600 }
    const shares = { endpoint: 500, stt: 100, llm: 100, tts: 600 }
    expect(brokenBy(facts(marks, { shares }))).toBe('llm')
    expect(brokenBy(facts(marks, { shares: { ...shares, llm: 800, tts: 100 } }))).toBe('tts')
  })

  test('always one of the parts exactly when the first audio was late', () => {
    const ms = fc.option(fc.integer({ min: -500, max: 5000 }), { nil: undefined })
    fc.assert(
      fc.property(
        ms,
        ms,
        ms,
        fc.integer({ min: -500, max: 5000 }),
        (committed, sttFinal, firstSentence, firstAudioSent) => {
          const marks = Object.fromEntries(
            Object.entries({ committed, sttFinal, firstSentence, firstAudioSent }).filter(
              ([, at]) => at !== undefined,
            ),
          )
          expect(brokenBy(facts(marks)) !== null).toBe(firstAudioSent > 1500)
        },
      ),
    )
  })

  test('a turn answered in text misses no audio', async () => {
    const { clock, trace } = begin()
    trace.zero(0).textOnly()
    await clock.advance(9000)
    trace.mark('firstAudioSent').close('failed')
    expect(trace.snapshot().budget).toMatchObject({ actualMs: null, brokenBy: null })
  })
})
