import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { WireCaps } from '../../src/session/session.ts'
import { FakeLlm, FakeStt, FakeTts } from '../support/stages.ts'
import { BRIDGE, Call, type CallOptions, PACED, UNPACED } from './call.ts'

const SENTENCES = [
  'Well, that is a rather long story. ',
  'It began many years ago in a small town by the sea. ',
  'Nobody there had ever seen a telephone. ',
  'One day a stranger arrived.',
]
const STORY = SENTENCES.join('')
const MS_PER_CHAR = 50
/** Of `src/playout/heard.ts`, and a frame. */
const TAIL_MS = 60

function open(caps: WireCaps, wordTimes: boolean, options: CallOptions = {}): Promise<Call> {
  return Call.open({
    caps,
    stt: new FakeStt({ words: ['Tell me a story', 'Stop it please'], finalMs: 30 }),
    llm: new FakeLlm({ answer: (r) => (r.messages.length <= 2 ? STORY : 'Fine.'), firstTokenMs: 50 }),
    tts: new FakeTts({ firstAudioMs: 40, msPerChar: MS_PER_CHAR, wordTimes }),
    settings: { maxRevisions: 0 },
    ...options,
  })
}

/** What the model is told was heard, as words. */
function heardInPrompt(call: Call): string[] {
  const told = call.prompt.find((line) => line.startsWith('assistant: ')) ?? 'assistant: '
  return words(told.slice('assistant: '.length).replace('[interrupted]', ''))
}

/** How long the sentences are that these words are; infinite when the last one is not whole. */
function wholeMs(told: readonly string[]): number {
  for (let count = 1; count <= SENTENCES.length; count++) {
    const sentences = SENTENCES.slice(0, count).map((one) => one.trim())
    if (sentences.join(' ') === told.join(' ')) return sentences.join('').length * MS_PER_CHAR
  }
  return Number.POSITIVE_INFINITY
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '')
}

describe('a caller who interrupts at any time', () => {
  for (const [name, caps] of Object.entries({ UNPACED, PACED, BRIDGE })) {
    for (const wordTimes of [true, false]) {
      test(`${name}, ${wordTimes ? 'with' : 'without'} word times: the prompt knows the words that were played`, async () => {
        await fc.assert(
          fc.asyncProperty(fc.integer({ min: 0, max: 8200 }), async (afterMs) => {
            const call = await open(caps, wordTimes)
            await call.says(800)
            await call.wait(100)
            const response = call.last('responseCreated').response.id
            await call.silent(afterMs)
            await call.speak(500)
            const cutAt = call.clock.now()
            const taken = call.taken.length
            const started = call.all('speechStarted')
            await call.silent(640)
            await call.wait(200)
            expect(call.llm.requests).toHaveLength(2)
            const at = started.length === 2 ? secondStart(call) : cutAt
            const told = heardInPrompt(call)
            const played = call.listener.words(response, at, spoken(call), MS_PER_CHAR)
            const sentencesMs = wholeMs(told)
            // The last frames of a sentence hold a breath: it counts as whole without them.
            if (sentencesMs - call.listener.playedMs(response, at) <= TAIL_MS)
              played.push(...told.slice(played.length))
            const tolerance = wordTimes ? 0 : 1
            expect(Math.abs(told.length - played.length)).toBeLessThanOrEqual(tolerance)
            const shorter = Math.min(told.length, played.length)
            expect(told.slice(0, shorter)).toEqual(played.slice(0, shorter))
            if (started.length === 2) {
              const late = call.taken.slice(taken).map(({ output }) => output)
              expect(late.filter((o) => o.type === 'answerAudio' && o.responseId === response)).toEqual([])
            }
            const first = (await call.records())[0]!
            expect(first.heard?.text ?? '').toBe(told.join(' '))
            await call.hangUp()
            expect(call.clock.pendingTimers).toBe(0)
            expect(call.listeners).toBe(0)
          }),
          { numRuns: 34 },
        )
      })
    }
  }
})

function secondStart(call: Call): number {
  const bridge = call.taken.findLast(({ output }) => output.type === 'outputCleared')
  return (bridge ?? call.taken.findLast(({ output }) => output.type === 'speechStarted')!).at
}

/** The sentences as they were voiced, of the first answer. */
function spoken(call: Call): string[] {
  return call.tts.said.filter((text) => text !== 'Fine.')
}

describe('an interruption', () => {
  test('stops model and voice, and nothing of the answer follows the cut', async () => {
    const tts = new FakeTts({ firstAudioMs: 40, msPerChar: MS_PER_CHAR })
    const llm = new FakeLlm({ answer: () => STORY, tokenMs: 100 })
    const call = await open(UNPACED, false, { tts, llm })
    await call.says(800)
    await call.silent(1000)
    await call.speak(300)
    const at = call.taken.findIndex(({ output }) => output.type === 'responseDone')
    expect(call.taken[at]!.output).toMatchObject({
      response: { ending: { status: 'cancelled', reason: 'turn_detected' } },
    })
    expect(llm.aborted).toBe(1)
    const said = tts.said.length
    await call.silent(200)
    expect(tts.said).toHaveLength(said)
    const kinds = call.taken.slice(at).map(({ output }) => output.type)
    expect(kinds).not.toContain('answerAudio')
    expect(kinds).not.toContain('answerText')
    const [record] = await call.records()
    expect(record!.attempts.map(({ stage, status }) => [stage, status])).toEqual([
      ['stt', 'ok'],
      ['llm', 'cancelled'],
      ['tts', 'cancelled'],
    ])
    expect(record!.heard!.interrupted).toBe(true)
    expect(record!.marks.interrupted).toBeGreaterThan(record!.marks.firstAudioSent!)
  })

  test('of an answer that was sent in full long ago is known as one', async () => {
    const call = await open(UNPACED, true)
    await call.says(800)
    await call.wait(1000)
    expect(call.count('responseDone')).toBe(1)
    await call.speak(300)
    await call.silent(640)
    await call.wait(100)
    const [record] = await call.records()
    expect(record!.heard!.interrupted).toBe(true)
    expect(heardInPrompt(call).length).toBeLessThan(15)
    expect(call.prompt[1]).toMatch(/\[interrupted\]$/)
  })

  test('after the answer was played to its end leaves it whole', async () => {
    const call = await open(UNPACED, true)
    await call.says(800)
    await call.wait(60_000)
    await call.says(800)
    await call.wait(200)
    expect(call.prompt[1]).toBe(`assistant: ${STORY}`)
  })

  test('in the 20 ms between the commit and the first audio merges both utterances', async () => {
    const call = await open(UNPACED, false, {
      stt: new FakeStt({ words: ['Tell me', 'about whales'] }),
      llm: new FakeLlm({ answer: () => 'Whales are large.', firstTokenMs: 400 }),
    })
    await call.speak(800)
    await call.silent(500)
    for (let i = 0; i < 10 && call.count('responseCreated') === 0; i++) await call.silent(20)
    expect(call.count('responseCreated')).toBe(1)
    expect(call.count('answerStarted')).toBe(0)
    await call.says(600)
    await call.wait(5000)
    expect(call.llm.aborted).toBe(1)
    expect(call.prompt).toEqual(['user: Tell me about whales'])
    expect(call.all('responseDone').map(({ response }) => response.ending?.status)).toEqual([
      'cancelled',
      'completed',
    ])
    expect(call.count('committed')).toBe(2)
    expect(call.transcript).toBe('Whales are large.')
    expect((await call.records()).map(({ outcome }) => outcome)).toEqual(['superseded', 'said'])
  })

  test('before anything was heard of an answer already sent leaves no trace in the prompt', async () => {
    const call = await open(UNPACED, true, { reader: 'never' })
    await call.says(800)
    await call.silent(300)
    await call.says(600)
    await call.wait(500)
    expect(call.prompt).toEqual(['user: Tell me a story Stop it please'])
    while (call.taken.at(-1)?.output.type !== 'answerDone' && (await call.take()));
    expect(
      call
        .all('answerAudio')
        .filter(({ responseId }) => responseId === call.all('responseCreated')[0]!.response.id),
    ).toEqual([])
  })

  test('of a written answer keeps what was written', async () => {
    const call = await open(UNPACED, false, {
      settings: { modality: 'text' },
      llm: new FakeLlm({ answer: (r) => (r.messages.length <= 2 ? STORY : 'Fine.'), tokenMs: 100 }),
    })
    await call.says(800)
    await call.silent(2000)
    await call.says(800)
    await call.wait(500)
    const written = call.all('answerDone')[0]!.text
    expect(written.length).toBeGreaterThan(10)
    expect(call.prompt[1]).toBe(`assistant: ${written.trimEnd()} [interrupted]`)
  })

  test('that is a cough of 100 ms leaves the answer alone', async () => {
    const call = await open(UNPACED, false)
    await call.says(800)
    await call.silent(1000)
    await call.speak(120)
    await call.silent(10_000)
    expect(call.count('speechStarted')).toBe(1)
    expect(call.transcript).toBe(STORY)
    expect(call.stt.streams[0]!.discarded + call.stt.streams[0]!.heardMs.length).toBeGreaterThanOrEqual(2)
  })
})

describe('a false interruption where the server owns the output', () => {
  test('pauses, clears, and goes on from the heard position: no word lost, none repeated', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 300, max: 9000 }), async (afterMs) => {
        const call = await open(BRIDGE, true, {
          stt: new FakeStt({ words: ['Tell me a story', ''], finalMs: 30 }),
        })
        await call.says(800)
        await call.wait(100)
        await call.silent(afterMs)
        const playing = call.listener.endsAt > call.clock.now() + 500
        await call.speak(500)
        await call.silent(640)
        await call.wait(20_000)
        const response = call.all('responseCreated')[0]!.response.id
        const totals = call.listener.sentences(response, call.clock.now())
        spoken(call).forEach((text, i) => {
          expect(Math.abs(totals.get(i)! - text.length * MS_PER_CHAR)).toBeLessThanOrEqual(2)
        })
        expect(call.transcript).toBe(STORY)
        const [record] = await call.records()
        expect(record).toMatchObject({ outcome: 'said', heard: { text: STORY, interrupted: false } })
        if (playing) expect(call.count('speechStarted')).toBe(1)
        await call.hangUp()
        expect(call.clock.pendingTimers).toBe(0)
      }),
      { numRuns: 40, seed: 3 },
    )
  })

  test('kept item audio is as long as what was said, though some was sent twice', async () => {
    const call = await open(BRIDGE, true, { stt: new FakeStt({ words: ['Tell me a story', ''] }) })
    await call.says(800)
    await call.silent(2000)
    await call.speak(500)
    await call.silent(640)
    await call.wait(20_000)
    const { itemId } = call.last('answerDone')
    call.send({ type: 'retrieveItem', itemId })
    await call.wait(0)
    const saidMs = spoken(call).join('').length * MS_PER_CHAR
    expect(Math.abs(call.last('itemRetrieved').audio!.length / 48 - saidMs)).toBeLessThanOrEqual(22)
  })

  test('where nobody can be cleared the answer goes on where sending stopped', async () => {
    const call = await open(PACED, true, { stt: new FakeStt({ words: ['Tell me a story', ''] }) })
    await call.says(800)
    await call.silent(2000)
    await call.speak(500)
    const before = call.audioMs
    await call.silent(400)
    expect(call.audioMs).toBe(before)
    await call.silent(240)
    await call.wait(20_000)
    expect(call.count('outputCleared')).toBe(0)
    const saidMs = spoken(call).join('').length * MS_PER_CHAR
    expect(Math.abs(call.audioMs - saidMs)).toBeLessThanOrEqual(20)
    const [record] = await call.records()
    expect(record).toMatchObject({ outcome: 'said', heard: { text: STORY } })
  })

  test('ends with the words: the answer is cut where the listener stopped hearing it', async () => {
    const call = await open(BRIDGE, true)
    await call.says(800)
    await call.silent(3000)
    await call.speak(600)
    expect(call.count('speechStarted')).toBe(1)
    call.stt.streams[0]!.says('Stop it')
    await call.wait(0)
    expect(call.count('speechStarted')).toBe(2)
    const response = call.all('responseCreated')[0]!.response.id
    const played = call.listener.words(response, call.clock.now(), spoken(call), MS_PER_CHAR)
    await call.silent(640)
    await call.wait(200)
    expect(heardInPrompt(call)).toEqual(played)
  })

  test('without a final in two seconds goes on', async () => {
    const call = await open(BRIDGE, true, {
      stt: new FakeStt({ words: ['Tell me a story', ''], finalMs: 5000 }),
    })
    await call.says(800)
    await call.wait(5000)
    await call.silent(2000)
    await call.speak(500)
    await call.silent(640)
    const before = call.audioMs
    await call.wait(1000)
    expect(call.audioMs).toBe(before)
    await call.wait(2000)
    expect(call.audioMs).toBeGreaterThan(before)
  })
})

describe('a far side that reports what it played', () => {
  const MARKS: WireCaps = { leadMs: 2000, ownsOutput: true, reportsPlayed: true }

  /** Marks every 250 ms, as bridges send them. */
  async function listen(call: Call, ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 250) {
      await call.silent(Math.min(250, left))
      const responseId = call.last('responseCreated').response.id
      const playedMs = call.listener.playedMs(responseId, call.clock.now())
      call.send({ type: 'played', responseId, playedMs })
    }
  }

  test('decides what was heard, not the clock', async () => {
    const call = await open(MARKS, true)
    await call.says(800)
    await call.wait(100)
    await listen(call, 2000)
    const response = call.last('responseCreated').response.id
    const marked = call.listener.words(response, call.clock.now(), spoken(call), MS_PER_CHAR)
    await call.speak(500)
    call.stt.streams[0]!.says('Stop it')
    await call.silent(640)
    await call.wait(100)
    expect(heardInPrompt(call)).toEqual(marked)
    expect(call.count('outputCleared')).toBeGreaterThan(0)
  })

  test('after a noise gets again what it had not reported, and ends whole', async () => {
    const call = await open(MARKS, true, {
      stt: new FakeStt({ words: ['Tell me a story', ''], finalMs: 30 }),
    })
    await call.says(800)
    await call.wait(100)
    await listen(call, 2000)
    await call.speak(500)
    await call.silent(640)
    await listen(call, 15_000)
    const response = call.last('responseCreated').response.id
    const playedMs = call.listener.playedMs(response, call.clock.now())
    const saidMs = spoken(call).join('').length * MS_PER_CHAR
    expect(playedMs - saidMs).toBeGreaterThanOrEqual(-1)
    // Repeated is at most what was played between the last mark and the clear: the confirmation and a mark's interval.
    expect(playedMs - saidMs).toBeLessThan(600)
    expect(call.transcript).toBe(STORY)
  })
})
