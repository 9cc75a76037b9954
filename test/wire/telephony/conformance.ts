/**
 * What every bridge must do, each against its double, on the virtual clock: an answer is heard whole and without a gap; it falls
 * silent when the caller interrupts, also when all of it was sent; nothing of it is heard afterwards; keys, reconnects and goodbyes.
 */
import { describe, expect, test } from 'vitest'
import { bytesToMs } from '../../../src/audio/format.ts'
import { FakeLlm, FakeStt, FakeTts } from '../../support/stages.ts'
import { Exchange, type ExchangeOptions } from './exchange.ts'

export interface ConformanceOptions
  extends Pick<ExchangeOptions, 'bridge' | 'setting' | 'dialect' | 'phone'> {
  /** Whether the caller's keys come over the media socket. */
  readonly keys: 'sent' | 'none'
}

/** 84 characters at 50 ms: 4.2 s. */
const ANSWER = 'Well, that is a rather long story. It began many years ago in a small town by the sea.'
const MS_PER_CHAR = 50

export function bridgeConformance(options: ConformanceOptions): void {
  const { bridge, dialect } = options
  const { caps } = bridge
  const clears = caps.clear !== 'none'
  /** A frame on its way; silence that was sent before the answer began is a second one. */
  const silenceAheadMs = caps.idle === 'silence' ? 40 : 20

  const open = (more: Partial<ExchangeOptions> = {}) =>
    Exchange.open({
      bridge,
      setting: options.setting,
      dialect,
      ...(options.phone ? { phone: options.phone } : {}),
      stt: new FakeStt({ words: ['Tell me a story', 'Stop it please'], finalMs: 30 }),
      llm: new FakeLlm({ answer: (r) => (r.messages.length <= 2 ? ANSWER : 'Fine.'), firstTokenMs: 50 }),
      tts: new FakeTts({ firstAudioMs: 40, msPerChar: MS_PER_CHAR, sounds: 'speech' }),
      settings: { maxRevisions: 0, interruption: { minSpeechMs: 200, minWords: 0, ignore: [] } },
      ...more,
    })

  /** A call whose first question is asked and whose answer has begun. */
  async function answering(more: Partial<ExchangeOptions> = {}): Promise<Exchange> {
    const call = await open(more)
    call.phone.call()
    await call.wait(100)
    await call.speak(800, 700)
    return call
  }

  describe(`${bridge.name}: a call`, () => {
    test('is greeted at its start, and its facts are metadata', async () => {
      const call = await open({
        greeting: 'Hello there.',
        phone: { call: { from: '+4930111', to: '+4930222', parameters: { tenant: 'acme' } } },
      })
      call.phone.call()
      await call.wait(1_500)
      expect(call.phone.playback.heardMs).toBeGreaterThanOrEqual(12 * MS_PER_CHAR)
      expect(call.origins[0]).toMatchObject({ wire: bridge.name, metadata: { callId: expect.any(String) } })
      await call.end()
    })

    test('hears the whole answer, in whole frames, without a gap, by the bridge’s rules', async () => {
      const call = await answering()
      await call.wait(8_000)
      const { playback, record } = call.phone
      const ms = ANSWER.length * MS_PER_CHAR
      // The space between two sentences has no sound.
      expect(speechMs(call)).toBeGreaterThanOrEqual(ms - MS_PER_CHAR - 20)
      expect(playback.underruns).toBe(0)
      expect(playback.overflowMs).toBe(0)
      expect(record.mistakes).toEqual([])
      expect((await call.records())[0]?.heard).toMatchObject({ text: ANSWER, interrupted: false })
      await call.end()
      expect(call.calls.size).toBe(0)
      expect(call.clock.pendingTimers).toBe(0)
    })

    test('hears an answer of a minute without an underrun, and its buffer never holds more than it may', async () => {
      const minute = `${'This goes on and on and on. '.repeat(45)}End.`
      const call = await answering({ llm: new FakeLlm({ answer: () => minute, firstTokenMs: 50 }) })
      await call.wait(66_000)
      expect(speechMs(call)).toBeGreaterThan(60_000)
      expect(call.phone.playback.underruns).toBe(0)
      expect(call.phone.playback.overflowMs).toBe(0)
      expect(call.phone.playback.mostHeldMs).toBeLessThanOrEqual(
        caps.leadMs + Math.max(caps.messageMs, 40) + silenceAheadMs,
      )
      expect(call.phone.record.mistakes).toEqual([])
      await call.end()
    })
  })

  describe(`${bridge.name}: a caller who interrupts`, () => {
    test('hears nothing of the old answer 300 ms after beginning to speak, and the model knows what was heard', async () => {
      const call = await answering()
      await call.wait(1_200)
      const before = speechMs(call)
      const spokeAt = call.clock.now()
      await call.speak(300)
      const heardAt = speechMs(call)
      if (clears) {
        expect(call.phone.record.clears.length).toBeGreaterThanOrEqual(1)
        expect(call.phone.record.clears[0]! - spokeAt).toBeLessThanOrEqual(300)
      }
      expect(heardAt - before).toBeLessThanOrEqual(300 + (clears ? 0 : caps.leadMs))
      await call.speak(300, 100)
      // The new words stopped it for good: until the next answer there is silence.
      const after = speechMs(call)
      expect(after - heardAt).toBeLessThanOrEqual(clears ? 0 : caps.leadMs + 20)
      await call.wait(2_000)
      const told = call.prompt.find((line) => line.startsWith('assistant: ')) ?? ''
      const toldChars = told.replace('assistant: ', '').replace(' [interrupted]', '').length
      // Within a word of what the far side played.
      expect(Math.abs(toldChars * MS_PER_CHAR - after)).toBeLessThanOrEqual(12 * MS_PER_CHAR)
      expect(call.prompt.at(-1)).toBe('user: Stop it please')
      expect(call.phone.record.mistakes).toEqual([])
      await call.end()
      expect(call.clock.pendingTimers).toBe(0)
    })

    test.runIf(clears)('is obeyed in the tail too, when all of the answer has been sent', async () => {
      const call = await answering()
      // Where silence is no frames, the end of speech is noticed later.
      await call.wait(200)
      // Everything is at the bridge: less than the lead is left.
      const total = ANSWER.length * MS_PER_CHAR
      while (!call.phone.playback.timeline.some(({ bytes }) => loud(bytes))) await call.wait(20)
      const startedAt = call.phone.playback.timeline.find(({ bytes }) => loud(bytes))!.startMs
      await call.wait(startedAt + total - Math.min(600, caps.leadMs - 100) - call.clock.now())
      const clearsBefore = call.phone.record.clears.length
      await call.speak(500, 100)
      expect(call.phone.record.clears.length).toBeGreaterThan(clearsBefore)
      const heard = speechMs(call)
      expect(heard).toBeLessThan(total)
      await call.wait(60)
      expect(speechMs(call)).toBe(heard)
      await call.end()
    })

    test.runIf(clears)(
      'by a noise is not: the answer goes on from where it was heard, and no word is lost',
      async () => {
        const call = await answering({
          stt: new FakeStt({ words: ['Tell me a story', ''], finalMs: 30 }),
        })
        await call.wait(1_000)
        await call.speak(260, 100)
        await call.wait(12_000)
        // What was heard twice is less than a mark's distance and the way to it.
        const ms = ANSWER.length * MS_PER_CHAR
        expect(speechMs(call)).toBeGreaterThanOrEqual(ms - MS_PER_CHAR - 40)
        expect(speechMs(call)).toBeLessThanOrEqual(ms + 300)
        expect((await call.records())[0]?.heard).toMatchObject({ text: ANSWER })
        await call.end()
      },
    )
  })

  describe(`${bridge.name}: a call's life`, () => {
    test.runIf(options.keys === 'sent')('keys stop the answer and become a turn', async () => {
      const call = await answering()
      await call.wait(500)
      call.phone.press('42#')
      await call.wait(1_000)
      expect(call.prompt.at(-1)).toBe('user: Keypad: 42#')
      await call.end()
    })

    test('a caller who hangs up in the middle leaves nothing behind', async () => {
      const call = await answering()
      await call.wait(300)
      call.phone.hangUp()
      await call.wait(100)
      expect(call.calls.size).toBe(0)
      expect(call.sessions[0]?.closedFor).toBe('client')
      await call.wait(10_000)
      expect(call.clock.pendingTimers).toBe(0)
    })

    test('a line that breaks is a call that ends, if it does not come back', async () => {
      const call = await answering()
      call.phone.drop()
      await call.wait(2_100)
      expect(call.calls.size).toBe(0)
      expect(call.sessions[0]?.closedFor).toBe('client')
      await call.wait(10_000)
      expect(call.clock.pendingTimers).toBe(0)
    })

    test.runIf(caps.reconnects === 'yes')(
      'a line that comes back goes on in the middle of the answer',
      async () => {
        const call = await answering()
        await call.wait(1_000)
        call.phone.drop()
        await call.wait(700)
        call.phone.call()
        await call.wait(8_000)
        expect(call.sessions).toHaveLength(1)
        expect(speechMs(call)).toBeGreaterThanOrEqual(ANSWER.length * MS_PER_CHAR - 150)
        expect((await call.records())[0]?.heard).toMatchObject({ text: ANSWER })
        await call.speak(800, 2_000)
        expect(call.llm.requests).toHaveLength(2)
        await call.end()
        expect(call.clock.pendingTimers).toBe(0)
      },
    )

    test('a call that finds no room is closed, and others notice nothing', async () => {
      const call = await open({ full: 'full' })
      call.phone.call()
      await call.wait(100)
      expect(call.phone.record.closes[0]).toMatchObject({ code: 1013 })
      await call.wait(10_000)
      expect(call.clock.pendingTimers).toBe(0)
    })

    test('a second call after the first is a new conversation', async () => {
      const call = await answering()
      call.phone.hangUp()
      await call.wait(3_000)
      const second = call.another({ call: { callId: 'CA-double-2' } })
      second.call()
      await call.wait(100)
      expect(call.sessions).toHaveLength(2)
      second.hangUp()
      second.smash()
      await call.wait(10_000)
      expect(call.clock.pendingTimers).toBe(0)
    })
  })

  /** Of what was heard, what was no silence. */
  function speechMs(call: Exchange): number {
    let ms = 0
    for (const { bytes } of call.phone.playback.timeline) {
      if (loud(bytes)) ms += bytesToMs(dialect.outputFormat, bytes.length)
    }
    return ms
  }

  function loud(bytes: Uint8Array): boolean {
    const quiet =
      dialect.outputFormat.encoding === 'pcm16' ? 0 : dialect.outputFormat.encoding === 'mulaw' ? 0xff : 0xd5
    let different = 0
    for (const byte of bytes) if (byte !== quiet && byte !== (quiet ^ 0x80)) different++
    return different > bytes.length / 8
  }
}
