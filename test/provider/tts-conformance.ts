/**
 * What every text-to-speech adapter must do, in memory and on the virtual clock. A bench is one adapter with its
 * double; benches without faults (stand-ins that have no protocol) are held to the rest.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type AudioFormat, bytesPerSample, bytesToMs } from '../../src/audio/format.ts'
import { Cancelled, type CancelReason, openScope, type Scope } from '../../src/cancel.ts'
import type { VirtualClock } from '../../src/clock.ts'
import { ProviderError } from '../../src/errors.ts'
import type { SpokenWord, TtsAdapter, TtsEvent, TtsStream } from '../../src/stage/tts.ts'
import type { TtsFault } from '../../src/testing/tts/double.ts'

export interface TtsBench {
  readonly adapter: TtsAdapter
  readonly clock: VirtualClock
  readonly format: AudioFormat
  /** Length of a sentence's sound. */
  soundMs(text: string): number
  /** The byte a sentence's sound is made of, where the double marks it. */
  mark?(text: string): number
  /** Makes the n-th sentence from now go wrong; without a number, the next connection. */
  fault?(fault: TtsFault, sentence?: number): void
  /** Where a request is made for each sentence: nothing is opened, so what is wrong with a key is told later. */
  readonly connects?: 'with the first sentence'
  /** A key is shown with the first sentence, though the socket is open before. */
  readonly authorizes?: 'with the first sentence'
  /** Answers have nothing in common that could break for all. */
  readonly shares?: 'nothing'
  /** Faults of which nothing shows: a length nobody told, a rate nobody named, an end without a number. */
  readonly blind?: readonly TtsFault[]
  /** What the provider's own SDK does not tell. */
  readonly untold?: 'the time to retry'
  /** What the double objected to. */
  mistakes(): readonly string[]
  /** Sockets and other handles open now. */
  open(): number
  close(): Promise<void>
}

const ONE = 'Hello there, my friend.'
const TWO = 'How are you today?'
const THREE = 'It is raining again.'
/** Longer than any answer here takes to be spoken. */
const LONG_MS = 20_000

/** A reader of one answer: what it got so far, and how it ended. */
class Reader {
  readonly events: TtsEvent[] = []
  end: 'reading' | 'done' | { readonly error: unknown } = 'reading'

  constructor(stream: TtsStream) {
    void this.#read(stream)
  }

  get error(): unknown {
    return typeof this.end === 'object' ? this.end.error : undefined
  }

  done(): number[] {
    return this.events.flatMap((event) => (event.type === 'sentenceDone' ? [event.sentence] : []))
  }

  words(sentence: number): SpokenWord[] {
    return this.events.flatMap((event) =>
      event.type === 'words' && event.sentence === sentence ? event.words : [],
    )
  }

  sound(sentence: number): Buffer {
    const parts = this.events.flatMap((event) =>
      event.type === 'audio' && event.sentence === sentence ? [event.audio] : [],
    )
    return Buffer.concat(parts)
  }

  async #read(stream: TtsStream): Promise<void> {
    try {
      for await (const event of stream) this.events.push(event)
      this.end = 'done'
    } catch (error) {
      this.end = { error }
    }
  }
}

export function ttsConformance(name: string, make: () => TtsBench): void {
  describe(`${name}: as every voice`, () => {
    let bench: TtsBench
    let scopes: Scope[]

    beforeEach(() => {
      bench = make()
      scopes = []
    })

    afterEach(async () => {
      for (const scope of scopes) scope.cancel('hangup')
      const closing = bench.close()
      await bench.clock.advance(5_000)
      await closing
      expect(bench.mistakes()).toEqual([])
      expect(bench.open(), 'handles left').toBe(0)
      expect(bench.clock.pendingTimers, 'timers left').toBe(0)
    })

    async function opened(format = bench.format, scope = openScope()): Promise<TtsStream> {
      scopes.push(scope)
      const { adapter, clock } = bench
      const opening = adapter.open({ voice: 'anna', format, signal: scope.signal, clock })
      await clock.advance(0)
      return opening
    }

    async function open(format = bench.format): Promise<{ stream: TtsStream; reader: Reader; scope: Scope }> {
      const scope = openScope()
      const stream = await opened(format, scope)
      return { stream, reader: new Reader(stream), scope }
    }

    function whole(reader: Reader, sentence: number, text: string, format = bench.format): void {
      const sound = reader.sound(sentence)
      expect(bytesToMs(format, sound.length)).toBeCloseTo(bench.soundMs(text), 3)
      if (bench.mark) expect([...new Set(sound)]).toEqual([bench.mark(text)])
    }

    function typed(reader: Reader, kind: string): void {
      expect(reader.error).toBeInstanceOf(ProviderError)
      const error = reader.error as ProviderError
      expect({ kind: error.kind, stage: error.stage }).toEqual({ kind, stage: 'tts' })
      expect(`${error.message} ${JSON.stringify(error)}`).not.toMatch(/SECRET|Hello|fake_?-?0123/)
    }

    test('sentences sound in order, each whole, each done after its last sound', async () => {
      const { stream, reader } = await open()
      const texts = [ONE, TWO, THREE]
      for (const [index, text] of texts.entries()) stream.say({ index, text })
      stream.end()
      await bench.clock.advance(LONG_MS)
      expect(reader.end).toBe('done')
      for (const [index, text] of texts.entries()) whole(reader, index, text)
      expect(reader.done()).toEqual([0, 1, 2])
      const order = reader.events.filter((event) => event.type !== 'words').map((event) => event.sentence)
      expect(order).toEqual([...order].sort((a, b) => a - b))
      for (const index of texts.keys()) {
        const own = reader.events.filter((event) => event.sentence === index && event.type !== 'words')
        expect(own.at(-1)?.type).toBe('sentenceDone')
        expect(own.slice(0, -1).every((event) => event.type === 'audio')).toBe(true)
      }
    })

    test('connected ahead of need it waits open, once, and the answer takes it', async () => {
      if (!bench.adapter.warm) return
      // Where calls are what is counted, their connection is not.
      const waiting = bench.connects ? 0 : 1
      for (let i = 0; i < 3; i++) bench.adapter.warm({ voice: 'anna', format: bench.format })
      await bench.clock.advance(0)
      expect(bench.open()).toBe(waiting)
      await bench.clock.advance(30_000)
      const { stream, reader } = await open()
      expect(bench.open()).toBe(waiting)
      stream.say({ index: 0, text: ONE })
      stream.end()
      await bench.clock.advance(LONG_MS)
      expect(reader.end).toBe('done')
      whole(reader, 0, ONE)
      expect(bench.open()).toBe(waiting)
    })

    test('nothing is connected ahead of need for what cannot be said, and a refusal is told to nobody', async () => {
      if (!bench.adapter.warm) return
      bench.adapter.warm({ voice: 'anna', format: { encoding: 'pcm16', sampleRateHz: 11_025 } })
      bench.fault?.('refuse_auth')
      bench.adapter.warm({ voice: 'anna', format: bench.format })
      await bench.clock.advance(0)
      if (bench.fault && bench.authorizes === undefined) expect(bench.open()).toBe(0)
    })

    test('sentences keep the numbers they were given', async () => {
      const { stream, reader } = await open()
      stream.say({ index: 3, text: ONE })
      stream.say({ index: 7, text: TWO })
      stream.end()
      await bench.clock.advance(LONG_MS)
      expect(reader.done()).toEqual([3, 7])
      whole(reader, 7, TWO)
    })

    test('words have times inside their own sentence', async () => {
      if (bench.adapter.caps.times === 'none') return
      const { stream, reader } = await open()
      for (const [index, text] of [ONE, TWO, THREE].entries()) stream.say({ index, text })
      stream.end()
      await bench.clock.advance(LONG_MS)
      for (const [index, text] of [ONE, TWO, THREE].entries()) {
        const words = reader.words(index)
        expect(words.map((word) => word.text).join(' ')).toBe(text)
        expect(words[0]?.startMs).toBe(0)
        expect(words.at(-1)?.endMs).toBeCloseTo(bench.soundMs(text), 0)
        const times = words.flatMap((word) => [word.startMs, word.endMs])
        expect(times).toEqual([...times].sort((a, b) => a - b))
        expect(times.every(Number.isInteger)).toBe(true)
      }
    })

    test('nothing to say: the answer ends', async () => {
      const { stream, reader } = await open()
      stream.end()
      await bench.clock.advance(100)
      expect(reader).toMatchObject({ end: 'done', events: [] })
    })

    test('the end comes after the last sentence is done', async () => {
      const { stream, reader } = await open()
      stream.say({ index: 0, text: ONE })
      await bench.clock.advance(LONG_MS)
      expect(reader.done()).toEqual([0])
      expect(reader.end).toBe('reading')
      stream.end()
      await bench.clock.advance(100)
      expect(reader.end).toBe('done')
    })

    test.each([1_200, 30_000, 300_000])('%i ms of silence, then more text', async (silence) => {
      const { stream, reader } = await open()
      stream.say({ index: 0, text: ONE })
      await bench.clock.advance(LONG_MS)
      await bench.clock.advance(silence)
      stream.say({ index: 1, text: TWO })
      stream.end()
      await bench.clock.advance(LONG_MS)
      expect(reader.end).toBe('done')
      expect(reader.done()).toEqual([0, 1])
      whole(reader, 0, ONE)
      whole(reader, 1, TWO)
      if (bench.adapter.caps.times !== 'none') expect(reader.words(1)[0]?.startMs).toBe(0)
    })

    test.each([1_200, 30_000, 300_000])('the next answer after %i ms of nothing', async (silence) => {
      for (const [index, text] of [ONE, TWO].entries()) {
        const { stream, reader } = await open()
        stream.say({ index, text })
        stream.end()
        await bench.clock.advance(LONG_MS)
        expect(reader.end).toBe('done')
        whole(reader, index, text)
        await bench.clock.advance(silence)
      }
    })

    test('two answers at once do not mix', async () => {
      const [a, b, c] = [await open(), await open(), await open()]
      a.stream.say({ index: 0, text: ONE })
      b.stream.say({ index: 0, text: TWO })
      c.stream.say({ index: 0, text: THREE })
      a.stream.say({ index: 1, text: THREE })
      b.stream.say({ index: 1, text: ONE })
      c.stream.say({ index: 1, text: TWO })
      for (const { stream } of [a, b, c]) stream.end()
      await bench.clock.advance(LONG_MS)
      for (const [{ reader }, first, second] of [
        [a, ONE, THREE],
        [b, TWO, ONE],
        [c, THREE, TWO],
      ] as const) {
        expect(reader.end).toBe('done')
        whole(reader, 0, first)
        whole(reader, 1, second)
      }
    })

    test('every format it offers is what it gives', async () => {
      for (const format of bench.adapter.caps.outputs) {
        const { stream, reader } = await open(format)
        stream.say({ index: 0, text: ONE })
        stream.end()
        await bench.clock.advance(LONG_MS)
        expect(reader.end).toBe('done')
        if (bytesPerSample(format) === 2) expect(reader.sound(0).length % 2).toBe(0)
        expect(bytesToMs(format, reader.sound(0).length)).toBeCloseTo(bench.soundMs(ONE), 3)
      }
    })

    test('a cancelled signal opens nothing', async () => {
      const scope = openScope()
      scope.cancel('hangup')
      const { adapter, clock, format } = bench
      const opening = adapter.open({ voice: 'anna', format, signal: scope.signal, clock })
      if (bench.fault) await expect(opening).rejects.toBe(scope.signal.reason)
      else await opening
    })

    test.each<CancelReason>(['barge-in', 'deadline'])('%s: nothing more comes, at once', async (reason) => {
      const { stream, reader, scope } = await open()
      for (const [index, text] of [ONE, TWO, THREE].entries()) stream.say({ index, text })
      await bench.clock.advance(60)
      scope.cancel(reason)
      const before = reader.events.length
      await bench.clock.advance(0)
      expect(reader.error).toBe(scope.signal.reason)
      stream.say({ index: 3, text: ONE })
      stream.end()
      await bench.clock.advance(LONG_MS)
      expect(reader.events.length).toBe(before)
    })

    test('a reader that waits for text is told of a cancel', async () => {
      const { reader, scope } = await open()
      await bench.clock.advance(10)
      scope.cancel('superseded')
      await bench.clock.advance(0)
      expect(reader.error).toBeInstanceOf(Cancelled)
    })

    test('late sound of a cancelled answer is not in the next', async () => {
      for (let round = 0; round < 6; round++) {
        const cut = await open()
        cut.stream.say({ index: 0, text: ONE })
        cut.stream.say({ index: 1, text: ONE })
        await bench.clock.advance(30)
        cut.scope.cancel('barge-in')
        const next = await open()
        next.stream.say({ index: 0, text: TWO })
        next.stream.end()
        await bench.clock.advance(LONG_MS)
        expect(next.reader.end).toBe('done')
        whole(next.reader, 0, TWO)
      }
    })

    test('a reader that leaves early leaves nothing behind', async () => {
      const stream = await opened()
      for (const [index, text] of [ONE, TWO, THREE].entries()) stream.say({ index, text })
      const leaving = (async () => {
        for await (const event of stream) return event.type
        return 'nothing'
      })()
      await bench.clock.advance(LONG_MS)
      expect(await leaving).not.toBe('nothing')
      stream.say({ index: 3, text: ONE })
      await bench.clock.advance(LONG_MS)
    })

    test('a reader that is slow gets all', async () => {
      const { clock } = bench
      const stream = await opened()
      const texts = Array.from({ length: 60 }, (_, i) => `This is sentence number ${i}.`)
      for (const [index, text] of texts.entries()) stream.say({ index, text })
      stream.end()
      await clock.advance(60_000)
      const reader = new Reader(stream)
      await clock.advance(120_000)
      expect(reader.end).toBe('done')
      for (const [index, text] of texts.entries()) whole(reader, index, text)
    })

    const faulty = (title: string, run: (fault: NonNullable<TtsBench['fault']>) => Promise<void>) =>
      test(title, async (context) => {
        const { fault } = bench
        if (!fault) return context.skip('this one has no protocol to break')
        await run(fault.bind(bench))
      })

    const breaking: readonly (readonly [TtsFault, string])[] = [
      ['drop_mid_stream', 'transient'],
      ['close_clean_early', 'transient'],
      ['malformed_json', 'transient'],
      ['error_without_context', 'transient'],
      ['error_in_context', 'bad_request'],
      ['wrong_sample_rate', 'transient'],
      ['no_sound', 'transient'],
    ]
    for (const [kind, means] of breaking) {
      faulty(`${kind} in the second sentence: the first is whole, then an error`, async (fault) => {
        if (bench.blind?.includes(kind)) return
        fault(kind, 1)
        const { stream, reader } = await open()
        for (const [index, text] of [ONE, TWO, THREE].entries()) stream.say({ index, text })
        stream.end()
        await bench.clock.advance(LONG_MS)
        typed(reader, means)
        if (
          !['drop_mid_stream', 'close_clean_early', 'malformed_json', 'error_without_context'].includes(kind)
        ) {
          expect(reader.done()).toEqual([0])
          whole(reader, 0, ONE)
        }
        expect(reader.done()).not.toContain(1)

        const next = await open()
        next.stream.say({ index: 0, text: THREE })
        next.stream.end()
        await bench.clock.advance(LONG_MS)
        expect(next.reader.end).toBe('done')
        whole(next.reader, 0, THREE)
      })
    }

    for (const kind of ['silent_after_ms', 'no_final', 'slow_drip'] as const) {
      faulty(`${kind}: the deadline's abort is heard, and the next answer speaks`, async (fault) => {
        fault(kind, 0)
        const { stream, reader, scope } = await open()
        stream.say({ index: 0, text: ONE })
        stream.end()
        await bench.clock.advance(3_000)
        expect(reader.end).toBe('reading')
        scope.cancel('deadline')
        await bench.clock.advance(0)
        expect(reader.error).toBe(scope.signal.reason)
        const next = await open()
        next.stream.say({ index: 0, text: TWO })
        next.stream.end()
        await bench.clock.advance(LONG_MS)
        expect(next.reader.end).toBe('done')
        whole(next.reader, 0, TWO)
      })
    }

    faulty('duplicate_final: counted once', async (fault) => {
      if (bench.blind?.includes('duplicate_final')) return
      for (const sentence of [0, 1]) fault('duplicate_final', sentence)
      const { stream, reader } = await open()
      for (const [index, text] of [ONE, TWO, THREE].entries()) stream.say({ index, text })
      stream.end()
      await bench.clock.advance(LONG_MS)
      expect(reader.end).toBe('done')
      expect(reader.done()).toEqual([0, 1, 2])
    })

    faulty('error_without_context: every answer on that socket hears of it', async (fault) => {
      if (bench.shares === 'nothing') return
      const [a, b] = [await open(), await open()]
      fault('error_without_context', 0)
      a.stream.say({ index: 0, text: ONE })
      b.stream.say({ index: 0, text: TWO })
      await bench.clock.advance(LONG_MS)
      typed(a.reader, 'transient')
      typed(b.reader, 'transient')
    })

    for (const [kind, means, after] of [
      ['refuse_auth', 'auth', undefined],
      ['refuse_429', 'rate', 7_000],
    ] as const) {
      faulty(`${kind}: opening says so, or the first sentence`, async (fault) => {
        fault(kind)
        if (bench.connects || (bench.authorizes && kind === 'refuse_auth')) {
          const { stream, reader } = await open()
          stream.say({ index: 0, text: ONE })
          await bench.clock.advance(LONG_MS)
          typed(reader, means)
          return expect((reader.error as ProviderError).retryAfterMs).toBe(bench.untold ? undefined : after)
        }
        const { adapter, clock, format } = bench
        const scope = openScope()
        const opening = adapter.open({ voice: 'anna', format, signal: scope.signal, clock })
        const refused = expect(opening).rejects.toMatchObject({ kind: means, retryAfterMs: after })
        await clock.advance(0)
        await refused
      })
    }

    faulty('hang_on_connect: the abort is heard; without one, a time-out', async (fault) => {
      fault('hang_on_connect')
      if (bench.connects) {
        const { stream, reader, scope } = await open()
        stream.say({ index: 0, text: ONE })
        await bench.clock.advance(LONG_MS)
        expect(reader.end).toBe('reading')
        scope.cancel('deadline')
        await bench.clock.advance(0)
        return expect(reader.error).toBe(scope.signal.reason)
      }
      if (bench.shares === 'nothing') fault('hang_on_connect')
      const { adapter, clock, format } = bench
      const [patient, hasty] = [openScope(), openScope()]
      const opening = { voice: 'anna', format, clock }
      const waits = adapter.open({ ...opening, signal: patient.signal })
      const leaves = adapter.open({ ...opening, signal: hasty.signal })
      const left = expect(leaves).rejects.toBeInstanceOf(Cancelled)
      await clock.advance(100)
      hasty.cancel('hangup')
      await left
      const late = expect(waits).rejects.toMatchObject({ kind: 'timeout' })
      await clock.advance(10_000)
      await late
    })

    faulty('closing the provider while one speaks: the answer hears it', async () => {
      const { stream, reader } = await open()
      stream.say({ index: 0, text: ONE })
      await bench.clock.advance(30)
      const closing = bench.close()
      await bench.clock.advance(5_000)
      await closing
      typed(reader, 'cancelled')
    })
  })
}
