import { queryObjects } from 'node:v8'
import { describe, expect, test } from 'vitest'
import { SessionLimits } from '../../src/access/session-limits.ts'
import { PCM16_24K } from '../../src/audio/format.ts'
import { settled, VirtualClock } from '../../src/clock.ts'
import { PacerGroup } from '../../src/playout/pacer-group.ts'
import { MAX_ITEM_AUDIO_BYTES } from '../../src/session/item-audio.ts'
import type { WireCaps } from '../../src/session/session.ts'
import { Track } from '../../src/session/track.ts'
import { Metrics } from '../../src/trace/metrics.ts'
import { memoryTurnStore } from '../../src/trace/turn-store.ts'
import { TurnTrace } from '../../src/trace/turn-trace.ts'
import { FakeVad } from '../support/fake-vad.ts'
import { FakeLlm, FakeStt, FakeTts, fixedRouter, sound } from '../support/stages.ts'
import { BRIDGE, Call, type CallOptions, PACED, UNPACED } from './call.ts'

const ANSWER = 'Hello there. How can I help you today?'
const LONG = Array.from({ length: 60 }, (_, i) => `This is sentence number ${i} of many.`).join(' ')
const NO_GUESS = { maxRevisions: 0 }
const CAPS: Record<string, WireCaps> = { UNPACED, PACED, BRIDGE }

const stages = (): CallOptions => ({
  stt: new FakeStt({ finalMs: 50 }),
  llm: new FakeLlm({ firstTokenMs: 100, tokenMs: 20 }),
  tts: new FakeTts({ firstAudioMs: 60 }),
})

describe('a caller who hangs up', () => {
  const states: Record<string, (call: Call) => Promise<void>> = {
    'before a word': async () => {},
    'in silence': (call) => call.silent(500),
    'while speaking': (call) => call.speak(500),
    'in the silence window, the model guessing': async (call) => {
      await call.speak(500)
      await call.silent(400)
    },
    'while recognition is awaited': async (call) => {
      await call.speak(500)
      await call.silent(520)
    },
    'while the model thinks': async (call) => {
      call.llm.next = 'stall'
      await call.says(500)
      await call.wait(100)
    },
    'before the first audio': async (call) => {
      await call.says(500)
      await call.wait(100)
    },
    'while the answer plays': async (call) => {
      await call.says(500)
      await call.wait(1000)
    },
    'while interrupting': async (call) => {
      await call.says(500)
      await call.wait(700)
      await call.speak(300)
    },
    'after an interruption, its words awaited': async (call) => {
      await call.says(500)
      await call.wait(700)
      await call.speak(300)
      await call.silent(530)
    },
    'after the answer': async (call) => {
      await call.says(500)
      await call.wait(20_000)
    },
  }
  for (const [capsName, caps] of Object.entries(CAPS)) {
    for (const [name, until] of Object.entries(states)) {
      test(`${name} (${capsName}) leaves nothing behind`, async () => {
        const call = await Call.open({ ...stages(), caps })
        await until(call)
        const taken = call.count('answerAudio')
        const done = call.session.close('client')
        expect(call.session.close('client')).toBe(done)
        await done
        await settled()
        expect(call.outputsEnded).toBe(true)
        expect(call.closed).toBe(1)
        expect(call.clock.pendingTimers).toBe(0)
        expect(call.listeners).toBe(0)
        expect(call.pacers.size).toBe(0)
        const { taken: before } = call
        const length = before.length
        const asked = call.llm.requests.length
        // Late events of a client that does not know yet.
        call.session.audio(sound(PCM16_24K, 500, 'speech'))
        call.send({ type: 'commit' })
        await call.respond()
        await call.wait(10_000)
        expect(call.taken).toHaveLength(length)
        expect(call.count('answerAudio')).toBe(taken)
        expect(call.llm.requests).toHaveLength(asked)
        expect((await call.records()).every(({ outcome }) => outcome !== 'open')).toBe(true)
      })
    }
  }

  test('in the middle of an answer: the record knows what was heard', async () => {
    const call = await Call.open({ caps: PACED, tts: new FakeTts({ wordTimes: true }) })
    await call.says(500)
    await call.wait(1000)
    const response = call.last('responseCreated').response.id
    const heard = call.listener.words(response, call.clock.now(), call.tts.said, 50)
    await call.hangUp()
    const [record] = await call.records()
    expect(record).toMatchObject({ outcome: 'said', heard: { text: heard.join(' '), interrupted: true } })
  })

  test('with a tool out, or a response out of band running, leaves nothing either', async () => {
    const call = await Call.open({ ...stages(), llm: new FakeLlm({ firstTokenMs: 5000 }) })
    await call.respond({ conversation: 'none', modality: 'text' })
    await call.wait(100)
    await call.hangUp()
    expect(call.llm.aborted).toBe(1)
    expect(call.clock.pendingTimers).toBe(0)
    expect((await call.records()).map(({ outcome }) => outcome)).toEqual(['cancelled'])
  })
})

describe('a drain', () => {
  test('of an idle session closes it now', async () => {
    const call = await Call.open()
    call.session.finish()
    await settled()
    expect(call.closed).toBe(1)
    expect(call.outputsEnded).toBe(true)
  })

  test('lets the running turn end, played to its last word', async () => {
    const call = await Call.open(stages())
    await call.speak(500)
    call.session.finish()
    await call.silent(640)
    await call.wait(1500)
    expect(call.closed).toBe(0)
    await call.wait(5000)
    expect(call.closed).toBe(1)
    expect(call.transcript).toBe(ANSWER)
    expect((await call.records())[0]).toMatchObject({ outcome: 'said', heard: { text: ANSWER } })
    expect(call.clock.pendingTimers).toBe(0)
  })

  test('waits for a tool and the answer to its result', async () => {
    const llm = new FakeLlm({
      answer: ({ messages }) =>
        messages.some(({ role }) => role === 'tool')
          ? 'Nine.'
          : [
              { type: 'toolCall', call: { callId: 'c', name: 'hours', arguments: '{}' } },
              { type: 'finish', reason: 'tool_calls' },
            ],
    })
    const call = await Call.open({ llm, settings: NO_GUESS })
    await call.says(500)
    await call.wait(100)
    call.session.finish()
    await call.wait(2000)
    expect(call.closed).toBe(0)
    const item = { id: '', type: 'toolResult', callId: 'c', output: 'nine', status: 'completed' } as const
    call.send({ type: 'createItem', item, after: null })
    await settled()
    expect(call.closed).toBe(0)
    await call.respond()
    await call.wait(3000)
    expect(call.transcript).toBe('Nine.')
    expect(call.closed).toBe(1)
  })
})

describe('a reader', () => {
  test('that is slow bounds what is made ahead of it, and gets all of it', async () => {
    const call = await Call.open({
      llm: new FakeLlm({ answer: () => LONG }),
      tts: new FakeTts({ chunkMs: 100 }),
      settings: NO_GUESS,
      reader: 50,
    })
    await call.says(500)
    let most = 0
    for (let i = 0; i < 200 && call.count('responseDone') === 0; i++) {
      await call.wait(500)
      most = Math.max(most, queued(call))
    }
    expect(most).toBeLessThan(64 * 1024 + 4800)
    expect(most).toBeGreaterThan(32 * 1024)
    expect(call.transcript).toBe(LONG)
  })

  test('that never reads holds the answer at the bound', async () => {
    const call = await Call.open({
      llm: new FakeLlm({ answer: () => LONG }),
      settings: NO_GUESS,
      reader: 'never',
    })
    await call.says(500)
    await call.wait(60_000)
    expect(queued(call)).toBeLessThan(64 * 1024 + 4800)
    expect(call.closed).toBe(0)
    await call.hangUp()
    expect(call.clock.pendingTimers).toBe(0)
    expect(call.listeners).toBe(0)
  })

  test('that never reads while its client floods is cut off', async () => {
    const call = await Call.open({ reader: 'never' })
    for (let i = 0; i < 5000 && call.closed === 0; i++) call.send({ type: 'clear' })
    await settled()
    expect(call.closed).toBe(1)
  })

  function queued(call: Call): number {
    return (call.session.outputs as unknown as { answerBytes: number }).answerBytes
  }
})

describe('a paced answer of a minute', () => {
  test('never lets the listener run dry, never runs ahead', async () => {
    const call = await Call.open({
      caps: PACED,
      llm: new FakeLlm({ answer: () => LONG, tokenMs: 5 }),
      tts: new FakeTts({ firstAudioMs: 30, msPerChar: 30 }),
      settings: NO_GUESS,
    })
    await call.says(500)
    await call.wait(90_000)
    expect(call.audioMs).toBeGreaterThan(55_000)
    const pieces = call.listener.played
    for (let i = 1; i < pieces.length; i++) {
      const before = pieces[i - 1]!
      expect(pieces[i]!.startsAt - (before.startsAt + before.ms)).toBeLessThan(0.001)
    }
    let endsAt = Number.NEGATIVE_INFINITY
    for (const { at, output } of call.taken) {
      if (output.type !== 'answerAudio') continue
      endsAt = Math.max(endsAt, at) + output.audio.length / 48
      expect(endsAt - at).toBeLessThanOrEqual(200 + 20 + 5)
    }
    expect((await call.records())[0]).toMatchObject({ underruns: 0, heard: { text: LONG } })
  })
})

describe('audio faster than real time', () => {
  /** Three utterances with silences, as one recording. */
  const recording = () =>
    Buffer.concat(
      [1000, 2000, 3000].flatMap((ms) => [
        sound(PCM16_24K, 700, 'silence'),
        sound(PCM16_24K, ms, 'speech'),
        sound(PCM16_24K, 800, 'silence'),
      ]),
    )

  for (const [name, bytesAtOnce] of [
    ['in one write', Number.POSITIVE_INFINITY],
    ['a hundred times too fast', 9600 * 10],
    ['in odd pieces', 4801],
  ] as const) {
    test(`${name}: each utterance is recognised by itself, in full`, async () => {
      const call = await Call.open({ settings: NO_GUESS, stt: new FakeStt({ words: ['a', 'b', 'c'] }) })
      const whole = recording()
      for (let at = 0; at < whole.length; at += bytesAtOnce) {
        call.session.audio(whole.subarray(at, at + bytesAtOnce))
        await call.wait(1)
      }
      await call.workOff()
      await call.wait(20_000)
      expect(call.all('transcript').map(({ transcript }) => transcript)).toEqual(['a', 'b', 'c'])
      const { heardMs } = call.stt.streams[0]!
      for (const [i, ms] of [1000, 2000, 3000].entries()) {
        expect(heardMs[i]).toBeGreaterThan(ms + 700)
        expect(heardMs[i]).toBeLessThan(ms + 300 + 800)
      }
    })
  }

  test('a minute of speech in one write is recognised whole', async () => {
    const call = await Call.open({ settings: NO_GUESS })
    call.session.audio(sound(PCM16_24K, 55_000, 'speech'))
    await call.silent(700)
    await call.workOff()
    await call.wait(100)
    expect(call.stt.streams[0]!.heardMs[0]).toBeGreaterThan(55_000 + 450)
  })

  test('bytes that split samples keep the recogniser in step', async () => {
    const call = await Call.open({ settings: NO_GUESS })
    let loudest = 0
    const stream = () => call.stt.streams[0]
    const speech = Buffer.from(sound(PCM16_24K, 2000, 'speech').map((_, i) => (i % 2 ? 0x20 : 0)))
    let patched = false
    for (let at = 0; at < speech.length; at += 961) {
      call.session.audio(speech.subarray(at, at + 961))
      await settled()
      const open = stream()
      if (!open || patched) continue
      patched = true
      const write = open.write.bind(open)
      open.write = (audio) => {
        const view = new DataView(audio.buffer, audio.byteOffset, audio.length)
        for (let i = 0; i + 1 < audio.length; i += 2)
          loudest = Math.max(loudest, Math.abs(view.getInt16(i, true)))
        write(audio)
      }
    }
    expect(patched).toBe(true)
    // Every sample is 0x2000; out of step they would be 0x0020.
    expect(loudest).toBeGreaterThan(0x1f00)
    expect(loudest).toBeLessThan(0x2400)
  })
})

describe('what a session holds', () => {
  test('does not grow over a thousand turns', async () => {
    const call = await Call.open({
      settings: NO_GUESS,
      turns: memoryTurnStore(10),
      tts: new FakeTts({ msPerChar: 2 }),
    })
    let timers = 0
    let listeners = 0
    let sizes = ''
    for (let i = 0; i < 1000; i++) {
      call.session.audio(sound(PCM16_24K, 200, 'speech'))
      call.session.audio(sound(PCM16_24K, 600, 'silence'))
      await call.wait(2000)
      call.taken.length = 0
      call.listener.played.length = 0
      call.llm.requests.length = 0
      if (i !== 50 && i !== 999) continue
      if (i === 50) [timers, listeners] = [call.clock.pendingTimers, call.listeners]
      const size = JSON.stringify([call.clock.pendingTimers, call.listeners, call.pacers.size])
      if (i === 999) expect(size).toBe(sizes)
      sizes = size
    }
    expect(call.stt.utterances).toBe(1000)
    expect(timers).toBe(0)
    expect(listeners).toBeLessThan(8)
  })

  test('of turns and tracks is a handful, after hundreds of turns and of noises that interrupted nothing', async () => {
    const words = Array.from({ length: 600 }, (_, i) => (i % 2 ? '' : 'hello'))
    const call = await Call.open({
      caps: BRIDGE,
      settings: NO_GUESS,
      turns: memoryTurnStore(10),
      stt: new FakeStt({ words }),
      tts: new FakeTts({ msPerChar: 20 }),
    })
    for (let i = 0; i < 300; i++) {
      call.session.audio(sound(PCM16_24K, 300, 'speech'))
      call.session.audio(sound(PCM16_24K, 600, 'silence'))
      await call.wait(100)
      call.session.audio(sound(PCM16_24K, 300, 'speech'))
      call.session.audio(sound(PCM16_24K, 600, 'silence'))
      await call.wait(5000)
      call.taken.length = 0
      call.listener.played.length = 0
      call.llm.requests.length = 0
    }
    expect(call.stt.utterances).toBe(600)
    // Those of other tests may not be collected yet, but this session's alone would be hundreds.
    expect(queryObjects(TurnTrace)).toBeLessThan(60)
    expect(queryObjects(Track)).toBeLessThan(60)
    await call.hangUp()
  })

  test('is nothing after it closed, two hundred times', async () => {
    const clock = new VirtualClock()
    const pacers = new PacerGroup(clock)
    const metrics = new Metrics()
    const turns = memoryTurnStore(10)
    const names = Object.keys(CAPS)
    for (let i = 0; i < 200; i++) {
      const call = await Call.open({ ...stages(), clock, pacers, metrics, turns, caps: CAPS[names[i % 3]!]! })
      call.session.audio(sound(PCM16_24K, 300, 'speech'))
      call.session.audio(sound(PCM16_24K, 600, 'silence'))
      await call.wait(i * 7)
      await call.hangUp()
      expect([clock.pendingTimers, call.listeners, pacers.size]).toEqual([0, 0, 0])
    }
  })

  test('of items’ audio is capped: the oldest lose theirs', async () => {
    const call = await Call.open({ settings: { turnDetection: null } })
    const ids: string[] = []
    for (let i = 0; i < 4; i++) {
      call.session.audio(sound(PCM16_24K, 60_000, 'speech'))
      call.send({ type: 'commit' })
      await call.wait(10)
      ids.push(call.last('committed').itemId)
    }
    expect(4 * 60_000 * 48).toBeGreaterThan(MAX_ITEM_AUDIO_BYTES)
    const kept: boolean[] = []
    for (const itemId of ids) {
      call.send({ type: 'retrieveItem', itemId })
      await settled()
      kept.push(call.last('itemRetrieved').audio !== null)
    }
    expect(kept).toEqual([false, false, true, true])
  })
})

describe('the host', () => {
  test('gives the place back when a session cannot be opened, and when one closes', async () => {
    const { Host } = await import('../../src/session/host.ts')
    const limits = new SessionLimits({ limits: { sessions: 1, sessionsPerKey: null }, keys: [] })
    const clock = new VirtualClock()
    let broken = true
    const vad = new FakeVad()
    const facts = { provider: 'fake', model: 'm', route: 'any' }
    const host = new Host({
      clock,
      limits,
      turns: memoryTurnStore(10),
      metrics: new Metrics(),
      vad: {
        open(options) {
          if (broken) throw new Error('no worker')
          return vad.open(options)
        },
      },
      snapshot: () => ({
        pipeline: {
          name: 'p',
          instructions: '',
          voice: 'warm',
          language: null,
          turnDetection: null,
          interruption: { minSpeechMs: 200, minWords: 0, ignore: [] },
          speculation: { maxRevisions: 3 },
          budget: { turnMs: 1500, ladder: [] },
          greeting: null,
          clientMay: [],
        } as never,
        canListen: true,
        router: fixedRouter({
          stt: [{ adapter: new FakeStt(), ...facts }],
          llm: [{ adapter: new FakeLlm(), ...facts }],
          tts: [{ adapter: new FakeTts(), ...facts }],
          voice: () => undefined,
        }),
      }),
    })
    const origin = { wire: 'test', caps: UNPACED, pipeline: null, key: null, metadata: {}, user: null }
    expect(() => host.open(origin)).toThrow('no worker')
    expect(limits.open).toBe(0)
    broken = false
    const session = host.open(origin)
    expect(() => host.open(origin)).toThrow('as many sessions')
    host.finishAll()
    await settled()
    expect([host.size, limits.open]).toEqual([0, 0])
    await session.close('client')
    await host.closeAll('drain')
  })

  test('joins the wire’s tools with the pipeline’s, by what the pipeline allows', async () => {
    const { Host } = await import('../../src/session/host.ts')
    const { callTools } = await import('../../src/wire/telephony/call/tools.ts')
    const { loadPipeline } = await import('../../src/config/pipeline-set.ts')
    const facts = { provider: 'fake', model: 'm', route: 'any' }
    const llm = new FakeLlm()
    const { pipeline } = loadPipeline('name: p\ncall: { hangUp: true }', 'p.yaml').loaded!
    const host = new Host({
      clock: new VirtualClock(),
      limits: new SessionLimits({ limits: { sessions: 1, sessionsPerKey: null }, keys: [] }),
      turns: memoryTurnStore(10),
      metrics: new Metrics(),
      vad: new FakeVad(),
      snapshot: () => ({
        pipeline,
        canListen: true,
        router: fixedRouter({
          stt: [{ adapter: new FakeStt(), ...facts }],
          llm: [{ adapter: llm, ...facts }],
          tts: [{ adapter: new FakeTts(), ...facts }],
          voice: () => undefined,
        }),
      }),
    })
    const origin = { wire: 'test', caps: UNPACED, pipeline: null, key: null, metadata: {}, user: null }
    const session = host.open({
      ...origin,
      tools: ({ call }) => callTools(call, { hangUp: () => {}, transfer: async () => {} }),
    })
    expect(session.settings.serverTools?.map(({ name }) => name)).toEqual(['hang_up'])
    await session.close('client')
  })
})
