/** The next target takes over while the caller waits, and in the middle of an answer. */
import { describe, expect, test } from 'vitest'
import { type AudioFormat, msToBytes } from '../../src/audio/format.ts'
import { type Clock, delay } from '../../src/clock.ts'
import type { ModelEvent, ModelRequest } from '../../src/dialect/neutral.ts'
import { ProviderError, type StageName } from '../../src/errors.ts'
import type { LlmAdapter } from '../../src/stage/llm.ts'
import type { Sentence, TtsAdapter, TtsEvent, TtsStream } from '../../src/stage/tts.ts'
import { FakeLlm, FakeStt, FakeTts } from '../support/stages.ts'
import { Call, PACED, UNPACED } from './call.ts'

const NO_GUESS = { maxRevisions: 0 }

function broken(stage: StageName): ProviderError {
  return new ProviderError({ provider: 'fake', stage, kind: 'transient', message: 'dropped' })
}

/** Says some text, then breaks or falls silent. */
function halfModel(said: string, then: 'breaks' | 'stalls', prefill = false): LlmAdapter {
  return {
    id: 'fake/llm',
    caps: { tools: true, json: false, prefill },
    async *stream(_request: ModelRequest, { clock, signal }: { clock: Clock; signal: AbortSignal }) {
      for (const text of said.split(/(?<=\s)/)) yield { type: 'text', text } as ModelEvent
      if (then === 'stalls') await delay(clock, 1e9, signal)
      throw broken('llm')
    },
  }
}

/** A voice that breaks after so many milliseconds of sound in its `sentence`th sentence. */
function halfVoice(sentence: number, afterMs: number): TtsAdapter & { readonly said: string[] } {
  const whole = new FakeTts()
  return {
    id: 'fake/tts',
    caps: whole.caps,
    said: whole.said,
    async open(o: {
      voice: string
      format: AudioFormat
      signal: AbortSignal
      clock: Clock
    }): Promise<TtsStream> {
      const stream = await whole.open(o)
      let ms = 0
      async function* until(): AsyncGenerator<TtsEvent> {
        for await (const event of stream) {
          if (event.sentence === sentence && event.type === 'audio') {
            if (ms >= afterMs) throw broken('tts')
            ms += event.audio.length / (msToBytes(o.format, 1000) / 1000)
          }
          yield event
        }
      }
      const events = until()
      return {
        say: (one: Sentence) => stream.say(one),
        end: () => stream.end(),
        [Symbol.asyncIterator]: () => events,
      }
    },
  }
}

async function attempts(call: Call, stage: StageName): Promise<string[]> {
  const record = (await call.records()).at(-1)
  const of = record?.attempts.filter((attempt) => attempt.stage === stage) ?? []
  return of.map(({ provider, status, reason }) => `${provider} ${status} ${reason}`)
}

async function ends(call: Call): Promise<void> {
  await call.hangUp()
  expect(call.clock.pendingTimers).toBe(0)
}

describe('the model', () => {
  test('that fails before a word is replaced, and nobody hears of it', async () => {
    const llm = new FakeLlm()
    llm.next = broken('llm')
    const spare = new FakeLlm({ answer: () => 'The spare answers.' })
    const call = await Call.open({ settings: NO_GUESS, llm, spare: { llm: spare } })
    await call.says()
    await call.wait(4000)
    expect(call.transcript.trim()).toBe('The spare answers.')
    expect(call.last('responseDone').response.ending).toEqual({ status: 'completed' })
    expect(spare.requests[0]).toEqual(llm.requests[0])
    expect(await attempts(call, 'llm')).toEqual(['fake failed first', 'spare ok fallback: transient'])
    await ends(call)
  })

  test('that breaks before a clause was whole is replaced as if it had said nothing', async () => {
    const spare = new FakeLlm({ answer: () => 'The spare answers.' })
    const llm = halfModel('Once upon a', 'breaks')
    const call = await Call.open({ settings: NO_GUESS, llm, spare: { llm: spare } })
    await call.says()
    await call.wait(4000)
    expect(call.transcript.trim()).toBe('The spare answers.')
    expect(spare.requests[0]?.messages.at(-1)?.role).toBe('user')
    expect(await attempts(call, 'llm')).toEqual(['fake failed first', 'spare ok fallback: transient'])
    await ends(call)
  })

  test('that will not answer for the content’s sake is replaced; when nobody will, the answer is incomplete', async () => {
    const refusing = () => new FakeLlm({ answer: () => [{ type: 'finish', reason: 'content_filter' }] })
    const replaced = await Call.open({ settings: NO_GUESS, llm: refusing(), spare: { llm: new FakeLlm() } })
    await replaced.says()
    await replaced.wait(4000)
    expect(await attempts(replaced, 'llm')).toEqual([
      'fake failed first',
      'spare ok fallback: content_refusal',
    ])
    await ends(replaced)
    const refused = await Call.open({ settings: NO_GUESS, llm: refusing(), spare: { llm: refusing() } })
    await refused.says()
    await refused.wait(4000)
    const ending = { status: 'incomplete', reason: 'content_filter' }
    expect(refused.last('responseDone').response.ending).toEqual(ending)
    await ends(refused)
  })

  test('that failed three turns is not asked in the fourth, until its circuit lets a probe through', async () => {
    const llm = new FakeLlm()
    const spare = new FakeLlm()
    const call = await Call.open({ settings: NO_GUESS, llm, spare: { llm: spare } })
    for (const turn of [1, 2, 3]) {
      llm.next = broken('llm')
      await call.text(`Turn ${turn}`)
      await call.respond()
      await call.wait(0)
    }
    expect(llm.requests).toHaveLength(3)
    await call.text('Turn 4')
    await call.respond()
    await call.wait(0)
    expect([llm.requests.length, spare.requests.length]).toEqual([3, 4])
    await call.wait(60_000)
    await call.text('Turn 5')
    await call.respond()
    await call.wait(10_000)
    expect([llm.requests.length, spare.requests.length]).toEqual([4, 4])
    expect(await attempts(call, 'llm')).toEqual(['fake ok first'])
    await ends(call)
  })

  test('that was quick so far may take its time over a longer prompt', async () => {
    const options = { firstTokenMs: 50 }
    const [llm, spare] = [new FakeLlm(options), new FakeLlm()]
    const call = await Call.open({ settings: { ...NO_GUESS, modality: 'text' }, llm, spare: { llm: spare } })
    for (let turn = 0; turn < 60; turn++) {
      await call.text(`Turn ${turn}`)
      await call.respond()
      await call.wait(100)
    }
    options.firstTokenMs = 1500
    await call.text('And now?')
    await call.respond()
    await call.wait(4000)
    expect([llm.requests.length, spare.requests.length]).toEqual([61, 0])
    await ends(call)
  })

  test('that accepts and stays silent is given up, its request closed', async () => {
    const llm = new FakeLlm()
    llm.next = 'stall'
    const call = await Call.open({ settings: NO_GUESS, llm, spare: { llm: new FakeLlm() } })
    await call.says()
    await call.wait(9000)
    expect(call.last('responseDone').response.ending).toEqual({ status: 'completed' })
    expect(llm.aborted).toBe(1)
    await ends(call)
  })

  test('that begins a word and stalls is replaced before the caller has waited long: nothing of it could be spoken', async () => {
    const spare = new FakeLlm({ answer: () => 'The spare answers.' })
    const call = await Call.open({
      settings: NO_GUESS,
      llm: halfModel('Wel', 'stalls'),
      spare: { llm: spare },
    })
    await call.says()
    await call.wait(2500)
    expect(call.transcript.trim()).toBe('The spare answers.')
    await call.wait(4000)
    expect(await attempts(call, 'llm')).toEqual(['fake failed first', 'spare ok fallback: timeout'])
    await ends(call)
  })

  test.each(['breaks', 'stalls'] as const)(
    'that %s in the middle is continued where its words end',
    async (then) => {
      const spare = new FakeLlm({ answer: () => 'And they lived happily ever after.' })
      const llm = halfModel('Once upon a time there was a king. He had ', then)
      const call = await Call.open({ settings: NO_GUESS, llm, spare: { llm: spare } })
      await call.says()
      await call.wait(15_000)
      expect(call.transcript.replace(/\s+/g, ' ').trim()).toBe(
        'Once upon a time there was a king. And they lived happily ever after.',
      )
      const asked = spare.requests[0]?.messages.slice(-2) ?? []
      expect(asked[0]).toEqual({ role: 'assistant', text: 'Once upon a time there was a king.' })
      expect(asked[1]?.role).toBe('user')
      expect(await attempts(call, 'llm')).toEqual(['fake failed first', 'spare ok continuation'])
      expect(call.last('responseDone').response.ending).toEqual({ status: 'completed' })
      await ends(call)
    },
  )

  test('that stalls like the one before it: together they are one silence of five seconds, not two', async () => {
    const call = await Call.open({
      settings: NO_GUESS,
      llm: halfModel('Once upon a time there was a king. He had ', 'stalls'),
      spare: { llm: halfModel('And ', 'stalls') },
    })
    await call.says()
    await call.wait(6_000)
    expect(call.last('responseDone').response.ending?.status).not.toBe('completed')
    expect(await attempts(call, 'llm')).toEqual(['fake failed first', 'spare failed continuation'])
    await ends(call)
  })

  test('with prefill goes on from the words themselves', async () => {
    const requests: ModelRequest[] = []
    const spare = halfModel('', 'breaks', true)
    const call = await Call.open({
      settings: NO_GUESS,
      llm: halfModel('Once upon a time there was a king. He had ', 'breaks'),
      spare: {
        llm: {
          ...spare,
          async *stream(request) {
            requests.push(request)
            yield { type: 'text', text: 'The end.' }
            yield { type: 'finish', reason: 'stop' }
          },
        },
      },
    })
    await call.says()
    await call.wait(9000)
    expect(requests[0]?.messages.at(-1)?.role).toBe('assistant')
    await ends(call)
  })

  test('that called a tool is not asked again elsewhere: the call would run twice', async () => {
    const spare = new FakeLlm()
    const llm: LlmAdapter = {
      ...halfModel('', 'breaks'),
      async *stream() {
        yield { type: 'toolCall', call: { callId: 'c', name: 't', arguments: '{}' } }
        throw broken('llm')
      },
    }
    const call = await Call.open({
      settings: { ...NO_GUESS, tools: [{ name: 't' }] },
      llm,
      spare: { llm: spare },
    })
    await call.says()
    await call.wait(3000)
    expect(spare.requests).toHaveLength(0)
    expect(call.last('responseDone').response.ending).toMatchObject({ status: 'failed' })
    await ends(call)
  })

  test('without any target left the turn fails and the session goes on', async () => {
    const [llm, spare] = [new FakeLlm(), new FakeLlm()]
    llm.next = broken('llm')
    spare.next = broken('llm')
    const call = await Call.open({ settings: NO_GUESS, llm, spare: { llm: spare } })
    await call.says()
    await call.wait(3000)
    expect(call.last('responseDone').response.ending).toMatchObject({ status: 'failed' })
    await call.says()
    await call.wait(5000)
    expect(call.last('responseDone').response.ending).toEqual({ status: 'completed' })
    await ends(call)
  })
})

describe('the voice', () => {
  const story = 'This is the first sentence. Here comes the second sentence. And that was the third one.'

  test.each([
    ['before any sound', 0, 0],
    ['in its first sentence', 0, 300],
    ['in its second sentence', 1, 400],
  ] as const)(
    'that breaks %s is replaced: no word lost, no finished sentence twice',
    async (_, sentence, afterMs) => {
      for (const caps of [UNPACED, PACED]) {
        const [tts, spare] = [halfVoice(sentence, afterMs), new FakeTts()]
        const llm = new FakeLlm({ answer: () => story })
        const call = await Call.open({ settings: NO_GUESS, caps, llm, tts, spare: { tts: spare } })
        await call.says()
        await call.wait(15_000)
        expect(call.transcript.trim()).toBe(story)
        expect(call.last('responseDone').response.ending).toEqual({ status: 'completed' })
        const sentences = tts.said.slice(0, sentence)
        expect([...sentences, ...spare.said].join(' ')).toBe(story)
        expect(spare.voices).toEqual(['spare-warm'])
        const why = sentence + afterMs === 0 ? 'fallback: transient' : 'continuation'
        expect(await attempts(call, 'tts')).toEqual(['fake failed first', `spare ok ${why}`])
        // The broken sentence is heard from its start once more, and nothing else twice.
        const whole = story.split(/(?<=\.) /).join('').length * 50
        expect(call.audioMs).toBeGreaterThanOrEqual(whole)
        expect(call.audioMs).toBeLessThanOrEqual(whole + afterMs + 240)
        await ends(call)
      }
    },
  )

  test('that took over stays for the session', async () => {
    const call = await Call.open({ settings: NO_GUESS, tts: halfVoice(0, 0), spare: { tts: new FakeTts() } })
    await call.says()
    await call.wait(6000)
    const record = (await call.records()).at(-1)
    expect(record?.heard).toMatchObject({ interrupted: false })
    expect(record?.heard?.text).toBe('Hello there. How can I help you today?')
    await ends(call)
  })
})

describe('recognition', () => {
  test('that takes the audio and stays silent is replaced in time, and nothing of it is lost', async () => {
    const stt = new FakeStt({ finalMs: 1e6 })
    const spare = new FakeStt({ words: ['every word of it'] })
    const call = await Call.open({ settings: NO_GUESS, stt, spare: { stt: spare } })
    await call.says(1000)
    await call.wait(2000)
    expect(call.last('transcript').transcript).toBe('every word of it')
    expect(await attempts(call, 'stt')).toEqual(['fake failed first', 'spare ok fallback: timeout'])
    expect(Math.abs((spare.streams[0]?.heardMs[0] ?? 0) - (stt.streams[0]?.heardMs[0] ?? 1))).toBeLessThan(21)
    await call.wait(6000)
    await ends(call)
  })

  test('that breaks while the caller speaks goes on elsewhere with all of the audio', async () => {
    const [stt, spare] = [new FakeStt(), new FakeStt({ words: ['heard in full'] })]
    const call = await Call.open({ settings: NO_GUESS, stt, spare: { stt: spare } })
    await call.speak(1000)
    stt.streams[0]?.breaks()
    await call.speak(1000)
    await call.silent(640)
    await call.wait(3000)
    expect(call.last('transcript').transcript).toBe('heard in full')
    expect(spare.streams[0]?.heardMs[0]).toBeGreaterThanOrEqual(2000)
    await ends(call)
  })

  test('that breaks while its final is awaited is asked elsewhere, and both are in the record', async () => {
    const [stt, spare] = [new FakeStt({ finalMs: 5000 }), new FakeStt({ words: ['spared'] })]
    const call = await Call.open({ settings: NO_GUESS, stt, spare: { stt: spare } })
    await call.says()
    stt.streams[0]?.breaks()
    await call.wait(4000)
    expect(call.last('transcript').transcript).toBe('spared')
    expect(await attempts(call, 'stt')).toEqual(['fake failed first', 'spare ok fallback: transient'])
    await ends(call)
  })

  test('a target that was lost is not the first choice again at once', async () => {
    const [stt, spare] = [new FakeStt(), new FakeStt()]
    const call = await Call.open({ settings: NO_GUESS, stt, spare: { stt: spare } })
    await call.speak(500)
    stt.streams[0]?.breaks()
    await call.silent(640)
    await call.wait(4000)
    await call.says()
    await call.wait(4000)
    expect([stt.streams.length, spare.streams.length]).toEqual([1, 1])
    expect(spare.utterances).toBe(2)
    await ends(call)
  })
})
