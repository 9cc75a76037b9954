/** Keys of a telephone, and a line that breaks and comes back. */
import { describe, expect, test } from 'vitest'
import { FakeLlm, FakeStt, FakeTts, fixedRouter } from '../support/stages.ts'
import { BRIDGE, Call, type CallOptions } from './call.ts'

const STORY = 'Well, that is a rather long story. It began many years ago in a small town by the sea.'

function open(options: CallOptions = {}): Promise<Call> {
  return Call.open({
    caps: BRIDGE,
    stt: new FakeStt({ words: ['Tell me a story'], finalMs: 30 }),
    llm: new FakeLlm({ answer: (r) => (r.messages.length <= 2 ? STORY : 'Fine.'), firstTokenMs: 50 }),
    tts: new FakeTts({ firstAudioMs: 40, msPerChar: 50 }),
    ...options,
  })
}

function press(call: Call, keys: string): void {
  for (const digit of keys) call.send({ type: 'digit', digit })
}

describe('pressed keys', () => {
  test('become one turn at the key that ends them', async () => {
    const call = await open()
    press(call, '1234#')
    await call.wait(200)
    expect(call.prompt).toEqual(['user: Keypad: 1234#'])
    await call.wait(10_000)
    expect(call.count('responseDone')).toBe(1)
    const [record] = await call.records()
    expect(record).toMatchObject({ text: { user: 'Keypad: 1234#' } })
    expect(record?.keys).toEqual([...'1234#'].map((digit) => ({ digit, atMs: 0 })))
    await call.hangUp()
    expect(call.clock.pendingTimers).toBe(0)
  })

  test('become a turn when the caller stops pressing, and when there are as many as there may be', async () => {
    const call = await open({
      settings: { dtmf: { as: 'turns', endOn: '#', afterMs: 2_000, maxDigits: 4, interrupts: 'first' } },
    })
    press(call, '12')
    await call.wait(1_900)
    press(call, '3')
    await call.wait(1_900)
    expect(call.llm.requests).toHaveLength(0)
    await call.wait(200)
    expect(call.prompt).toEqual(['user: Keypad: 123'])
    await call.wait(10_000)
    press(call, '5678')
    await call.wait(200)
    expect(call.prompt.at(-1)).toBe('user: Keypad: 5678')
    await call.hangUp()
  })

  test('stop the answer that plays at the first of them, and what was heard of it is kept', async () => {
    const call = await open()
    await call.says(800)
    await call.wait(2_000)
    press(call, '9')
    await call.wait(20)
    expect(call.last('outputCleared')).toMatchObject({ why: 'cut' })
    press(call, '#')
    await call.wait(300)
    expect(call.prompt[1]).toMatch(/^assistant: Well, that is a .*\[interrupted\]$/)
    expect(call.prompt[2]).toBe('user: Keypad: 9#')
    await call.hangUp()
  })

  test('leave it playing until the last of them, where the pipeline says so', async () => {
    const call = await open({
      settings: { dtmf: { as: 'turns', endOn: '#', afterMs: 2_000, maxDigits: 8, interrupts: 'last' } },
    })
    await call.says(800)
    await call.wait(2_000)
    press(call, '9')
    await call.wait(500)
    expect(call.count('outputCleared')).toBe(0)
    press(call, '#')
    await call.wait(300)
    expect(call.last('outputCleared')).toMatchObject({ why: 'cut' })
    expect(call.prompt.at(-1)).toBe('user: Keypad: 9#')
    await call.hangUp()
  })

  test('that are no turn yet when the caller hangs up are in the record of the turn before', async () => {
    const call = await open({ greeting: 'Hello.' })
    await call.wait(5_000)
    press(call, '12')
    await call.hangUp()
    expect((await call.records()).map(({ keys }) => keys?.map(({ digit }) => digit).join(''))).toEqual(['12'])
    expect(call.clock.pendingTimers).toBe(0)
  })

  test('do nothing where the pipeline does not want them', async () => {
    const call = await open({ settings: { dtmf: null } })
    press(call, '1#')
    await call.wait(5_000)
    expect(call.llm.requests).toHaveLength(0)
    await call.hangUp()
  })
})

describe('keys that are events', () => {
  const events = { as: 'events', endOn: '#', afterMs: 2_000, maxDigits: 32, interrupts: 'first' } as const

  test('become no turn and stop nothing: the record of the turn they fell into has them', async () => {
    const call = await open({ settings: { dtmf: events } })
    await call.says(800)
    await call.wait(2_000)
    press(call, '9')
    await call.wait(500)
    press(call, '#')
    await call.wait(20_000)
    expect(call.count('outputCleared')).toBe(0)
    expect(call.llm.requests).toHaveLength(1)
    const [record, ...others] = await call.records()
    expect(others).toEqual([])
    expect(record).toMatchObject({ heard: { text: STORY, interrupted: false } })
    expect(record?.keys?.map(({ digit }) => digit)).toEqual(['9', '#'])
    const [first, second] = record!.keys!
    expect(first!.atMs).toBeGreaterThan(0)
    expect(second!.atMs - first!.atMs).toBe(500)
    await call.hangUp()
    expect(call.clock.pendingTimers).toBe(0)
  })

  test('are of the turn before when nothing goes on, and of the first turn when there was none', async () => {
    const call = await open({ settings: { dtmf: events } })
    press(call, '1')
    await call.wait(1_000)
    expect(await call.records()).toEqual([])
    await call.says(800)
    await call.wait(20_000)
    const turns = call.count('turn')
    press(call, '2')
    await call.wait(100)
    const [record] = await call.records()
    expect(record?.outcome).toBe('said')
    expect(record?.keys?.map(({ digit }) => digit)).toEqual(['1', '2'])
    expect(record?.keys?.[0]?.atMs).toBeLessThan(-1_000)
    // Whoever watches the turns is told of the turn once more.
    expect(call.count('turn')).toBe(turns + 1)
    expect(call.last('turn').record).toEqual(record)
    await call.hangUp()
  })

  test('of a caller who presses without end are bounded', async () => {
    const call = await open({ settings: { dtmf: events } })
    press(call, '5'.repeat(100))
    await call.says(800)
    press(call, '6'.repeat(100))
    await call.wait(20_000)
    const turns = call.count('turn')
    press(call, '7')
    await call.wait(10)
    expect(call.count('turn')).toBe(turns)
    expect((await call.records())[0]?.keys).toHaveLength(64)
    await call.hangUp()
  })

  test('tell that the caller is there: an idle prompt waits anew', async () => {
    const idle = { afterMs: 5_000, say: ['Are you still there?'], hangUpAfter: 1 }
    const call = await open({ settings: { dtmf: events, idle }, greeting: 'Hello.' })
    await call.wait(4_500)
    press(call, '1')
    await call.wait(4_500)
    expect(call.tts.said).toEqual(['Hello.'])
    await call.wait(1_000)
    expect(call.tts.said).toEqual(['Hello.', 'Are you still there?'])
    await call.hangUp()
  })
})

describe('rules', () => {
  test.each(['turns', 'events'] as const)('may ask for the keys pressed so far, as %s', async (as) => {
    const seen: unknown[] = []
    const call = await open({
      settings: { dtmf: { as, endOn: '#', afterMs: 2_000, maxDigits: 32, interrupts: 'first' } },
      router: (lineup, clock) => ({
        ...fixedRouter(lineup, clock),
        lineup: (factsOf) => {
          seen.push(factsOf('llm').session.digits)
          return lineup
        },
      }),
    })
    await call.says(800)
    await call.wait(10_000)
    expect(seen.at(-1)).toBeNull()
    press(call, `${'0'.repeat(70)}12`)
    await call.says(800)
    await call.wait(10_000)
    expect(seen.at(-1)).toBe(`${'0'.repeat(62)}12`)
    await call.hangUp()
  })
})

describe('a line that breaks', () => {
  test('is played what it had not played once it is back, and nothing is lost or said twice', async () => {
    const call = await open()
    await call.says(800)
    await call.wait(2_000)
    const response = call.last('responseCreated').response.id
    call.send({ type: 'lineLost' })
    const heardMs = call.listener.playedMs(response, call.clock.now())
    await call.wait(1_500)
    expect(call.last('outputCleared')).toMatchObject({ why: 'pause' })
    expect(call.listener.playedMs(response, call.clock.now())).toBeCloseTo(heardMs, -2)
    call.send({ type: 'lineBack' })
    await call.wait(20_000)
    expect(
      call.listener
        .words(
          response,
          call.clock.now(),
          ['Well, that is a rather long story. ', 'It began many years ago in a small town by the sea.'],
          50,
        )
        .join(' '),
    ).toBe(STORY)
    expect((await call.records())[0]?.heard?.text).toBe(STORY)
    await call.hangUp()
    expect(call.clock.pendingTimers).toBe(0)
  })
})

describe('words that a wire has said', () => {
  test('cut off what plays, and are said as they are', async () => {
    const call = await open()
    await call.says(800)
    await call.wait(2_000)
    call.send({ type: 'say', text: 'This is a message for you.' })
    await call.wait(5_000)
    expect(call.last('responseDone').response.ending).toEqual({ status: 'completed' })
    expect(call.llm.requests).toHaveLength(1)
    expect(call.tts.said.at(-1)).toBe('This is a message for you.')
    const records = await call.records()
    expect(records.at(-1)).toMatchObject({ heard: { text: 'This is a message for you.' } })
    await call.hangUp()
    expect(call.clock.pendingTimers).toBe(0)
  })
})
