/**
 * What every recogniser's adapter must do, as tests: `sttContract` is what a stream promises its reader, `sttNetwork`
 * what happens when the other side does not do its part. In memory, on the virtual clock.
 */
import { describe, expect, test } from 'vitest'
import { type AudioFormat, PCM16_16K } from '../../src/audio/format.ts'
import { Cancelled, openScope, type Scope } from '../../src/cancel.ts'
import { settled, type VirtualClock } from '../../src/clock.ts'
import { ProviderError } from '../../src/errors.ts'
import type { SttAdapter, SttEvent, SttStream } from '../../src/stage/stt.ts'
import type { HeardWord, SttFaultName, SttScript, SttSessionRecord } from '../../src/testing/stt/double.ts'
import { sound } from '../support/stages.ts'

export interface SttRig {
  readonly adapter: SttAdapter
  readonly clock: VirtualClock
  /** Connections that are open. */
  readonly open: () => number
  readonly sessions: readonly SttSessionRecord[]
}

export type MakeRig = (script: SttScript) => SttRig

/** Two utterances: `Hello there.` until 900 ms, and `Good bye.` from 2,100 to 2,800. */
const WORDS: readonly HeardWord[] = [
  { text: 'Hello', startMs: 100, endMs: 400 },
  { text: 'there.', startMs: 450, endMs: 900 },
  { text: 'Good', startMs: 2100, endMs: 2400 },
  { text: 'bye.', startMs: 2450, endMs: 2800 },
]
const FIRST = 'Hello there.'
const SECOND = 'Good bye.'
const ANSWER_MS = 80

/** One stream and everything that comes out of it. */
class Ear {
  readonly events: SttEvent[] = []
  ended: 'closed' | { readonly error: unknown } | undefined
  readonly scope: Scope = openScope()

  private constructor(
    readonly rig: SttRig,
    readonly format: AudioFormat,
  ) {}

  stream!: SttStream

  static async open(rig: SttRig, given?: AudioFormat, language?: string): Promise<Ear> {
    const format = given ?? bestOf(rig)
    const ear = new Ear(rig, format)
    const { signal } = ear.scope
    const more = language === undefined ? {} : { language }
    ear.stream = await rig.adapter.open({ format, signal, clock: rig.clock, ...more })
    void ear.#read()
    return ear
  }

  async #read(): Promise<void> {
    try {
      for await (const event of this.stream) this.events.push(event)
      this.ended = 'closed'
    } catch (error) {
      this.ended = { error }
    }
  }

  /** Speaks in frames of 20 ms, as fast as time goes. */
  async hear(ms: number, what = sound(this.format, 20, 'speech')): Promise<void> {
    for (let at = 0; at < ms; at += 20) {
      this.stream.write(what)
      await this.rig.clock.advance(20)
    }
  }

  /** The caller's own: doubles take zeros for silence that an adapter made up. */
  async quiet(ms: number): Promise<void> {
    const { format } = this
    const room = sound(format, 20, 'silence')
    await this.hear(
      ms,
      room.fill(format.encoding === 'pcm16' ? 1 : format.encoding === 'mulaw' ? 0xfe : 0xd4),
    )
  }

  get finals(): string[] {
    return this.events.flatMap((event) => (event.type === 'final' ? [event.text] : []))
  }

  get answers(): string[] {
    return this.events.flatMap((event) => (event.type === 'partial' && event.complete ? [event.text] : []))
  }

  get failure(): ProviderError | undefined {
    const error = typeof this.ended === 'object' ? this.ended.error : undefined
    return error instanceof ProviderError ? error : undefined
  }

  /** Closes, and nothing is left: no timer, no connection, nothing more said. */
  async closeAndCheck(): Promise<void> {
    const closing = this.stream.close()
    await this.rig.clock.advance(2_000)
    await closing
    await nothingLeft(this.rig)
  }
}

/** The format an adapter likes best. */
function bestOf({ adapter }: SttRig): AudioFormat {
  return adapter.caps.inputs[0] ?? PCM16_16K
}

async function nothingLeft({ clock, open }: SttRig): Promise<void> {
  await settled()
  expect(open(), 'connections').toBe(0)
  expect(clock.pendingTimers, 'timers').toBe(0)
}

/** What a stream promises its reader. `texts`: the two utterances the rig hears. */
export function sttContract(name: string, make: MakeRig): void {
  const rig = () => make({ words: WORDS, answerMs: ANSWER_MS })

  describe(`${name} keeps the contract of a stream`, () => {
    test('one final for each finalize, in order, though both wait at once', async () => {
      const ear = await Ear.open(rig())
      await ear.hear(1_500)
      ear.stream.finalize()
      await ear.hear(40)
      await ear.rig.clock.advance(3_000)
      expect(ear.finals).toEqual([FIRST])
      await ear.hear(1_500)
      ear.stream.finalize()
      ear.stream.finalize()
      await ear.rig.clock.advance(3_000)
      expect(ear.finals.slice(0, 2)).toEqual([FIRST, SECOND])
      expect(ear.finals).toHaveLength(3)
      await ear.closeAndCheck()
      expect(ear.ended).toBe('closed')
    })

    test('a preview is answered; the caller goes on, and the final has it all', async () => {
      const ear = await Ear.open(rig())
      await ear.hear(1_200)
      ear.stream.preview()
      await ear.rig.clock.advance(500)
      expect(ear.answers).toEqual([FIRST])
      await ear.hear(1_800)
      ear.stream.finalize()
      await ear.rig.clock.advance(3_000)
      expect(ear.finals).toHaveLength(1)
      await ear.closeAndCheck()
    })

    test('aborted while a final is owed: the reader is told at once, and hears nothing more', async () => {
      const ear = await Ear.open(rig())
      await ear.hear(1_000)
      ear.stream.finalize()
      ear.scope.cancel('barge-in')
      await settled()
      expect(ear.ended).toEqual({ error: new Cancelled('barge-in') })
      const { length } = ear.events
      await ear.rig.clock.advance(2_000)
      expect(ear.events).toHaveLength(length)
      await nothingLeft(ear.rig)
      // Deaf, not broken.
      ear.stream.write(sound(ear.format, 20, 'speech'))
      ear.stream.preview()
      ear.stream.finalize()
      ear.stream.discard()
      await ear.closeAndCheck()
    })

    test('closed while a final is owed: the reader ends, nothing late comes through', async () => {
      const ear = await Ear.open(rig())
      await ear.hear(1_000)
      ear.stream.finalize()
      await ear.closeAndCheck()
      expect(ear.ended).toBe('closed')
      expect(ear.finals).toEqual([])
    })
  })
}

export interface NetworkFacts {
  /** Its own message that makes it answer, as the double counts it; or how often it was made to by other means. */
  readonly force: string | ((session: SttSessionRecord) => number)
  readonly keepAlive: string | ((session: SttSessionRecord) => boolean)
  /** Left out: it says none, and closes. */
  readonly goodbye?: string
  /** A message that nobody knows yet, in the provider's shape. */
  readonly unknown?: object
  /** Silence it is sent to make it answer. */
  readonly forceMs?: number
  /** What is wrong with a key is told after the opening, with the first audio. */
  readonly refuses?: 'with the first audio'
  /** Nothing is connected before: a server that hangs is found out by whoever waits for words. */
  readonly connects?: 'with the first audio'
  /** What the provider's own SDK does not tell. */
  readonly untold?: readonly ('malformed_json' | 'the time to retry')[]
  /** Formats in which it is tried. */
  readonly formats: readonly AudioFormat[]
}

/** What an adapter of a provider across the network must get right. */
export function sttNetwork(name: string, make: MakeRig, facts: NetworkFacts): void {
  const rig = (more: SttScript = {}) => make({ words: WORDS, answerMs: ANSWER_MS, ...more })
  const { force, keepAlive, forceMs = 0 } = facts
  const forcesOf = (session: SttSessionRecord) =>
    typeof force === 'string' ? session.messages.filter((one) => one === force).length : force(session)
  const forces = (ear: Ear) => ear.rig.sessions.reduce((sum, session) => sum + forcesOf(session), 0)

  describe(`${name} hears`, () => {
    test.each(facts.formats.map((format) => [`${format.encoding} ${format.sampleRateHz}`, format] as const))(
      'partials before the final, then the final with its words in milliseconds: %s',
      async (_name, format) => {
        const ear = await Ear.open(rig(), format, 'en')
        await ear.hear(1_200)
        const before = ear.events.length
        expect(before).toBeGreaterThan(1)
        ear.stream.finalize()
        await ear.rig.clock.advance(ANSWER_MS + 20)
        const final = ear.events.at(-1)
        expect(final).toMatchObject({
          type: 'final',
          text: FIRST,
          ...(ear.rig.adapter.caps.wordTimes && {
            words: [
              { text: 'Hello', startMs: 100, endMs: 400 },
              { text: 'there.', startMs: 450, endMs: 900 },
            ],
          }),
        })
        for (const event of ear.events) {
          if (event.type !== 'partial') continue
          expect(event.complete).toBe(false)
          expect(event.text.startsWith(event.stable)).toBe(true)
          expect(FIRST.startsWith(event.text)).toBe(true)
        }
        await ear.closeAndCheck()
        expect(ear.rig.sessions.flatMap(({ mistakes }) => mistakes)).toEqual([])
        if (facts.goodbye !== undefined) expect(ear.rig.sessions[0]?.messages.at(-1)).toBe(facts.goodbye)
      },
    )

    test('the final as soon as the preview, when nobody spoke in between', async () => {
      const ear = await Ear.open(rig())
      await ear.hear(1_200)
      ear.stream.preview()
      await ear.rig.clock.advance(ANSWER_MS + 20)
      expect(ear.answers).toEqual([FIRST])
      ear.stream.finalize()
      await settled()
      expect(ear.finals).toEqual([FIRST])
      expect(forces(ear)).toBe(1)
      await ear.closeAndCheck()
    })

    test('a final after an answered preview is told at once, and the next utterance is whole', async () => {
      const ear = await Ear.open(rig())
      await ear.hear(1_000)
      await ear.quiet(200)
      ear.stream.preview()
      await ear.quiet(400)
      expect(ear.answers).toEqual([FIRST])
      ear.stream.finalize()
      await settled()
      expect(ear.finals).toEqual([FIRST])
      expect(forces(ear)).toBe(1)
      await ear.hear(1_400)
      ear.stream.finalize()
      await ear.rig.clock.advance(3_000)
      expect(ear.finals).toEqual([FIRST, SECOND])
      await ear.closeAndCheck()
      expect(ear.rig.sessions.flatMap(({ mistakes }) => mistakes)).toEqual([])
    })

    test('a final while the preview is owed comes with it', async () => {
      const ear = await Ear.open(rig())
      await ear.hear(1_000)
      await ear.quiet(200)
      ear.stream.preview()
      await ear.quiet(40)
      ear.stream.finalize()
      await ear.rig.clock.advance(ANSWER_MS)
      expect(ear.answers).toEqual([FIRST])
      expect(ear.finals).toEqual([FIRST])
      expect(forces(ear)).toBe(1)
      await ear.hear(1_760)
      ear.stream.finalize()
      await ear.rig.clock.advance(3_000)
      expect(ear.finals).toEqual([FIRST, SECOND])
      await ear.closeAndCheck()
    })

    test('a preview is answered and the caller goes on: the final is asked for', async () => {
      const ear = await Ear.open(rig())
      await ear.hear(420)
      await ear.quiet(20)
      ear.stream.preview()
      await ear.rig.clock.advance(400)
      expect(ear.answers).toEqual(['Hello'])
      await ear.hear(760)
      ear.stream.finalize()
      await ear.rig.clock.advance(2_000)
      expect(ear.finals).toEqual([FIRST])
      expect(forces(ear)).toBe(2)
      await ear.closeAndCheck()
    })

    test('asked twice for the same audio, the provider is asked once', async () => {
      const ear = await Ear.open(rig())
      await ear.hear(1_200)
      ear.stream.preview()
      ear.stream.finalize()
      await ear.rig.clock.advance(ANSWER_MS + 20)
      expect(ear.finals).toEqual([FIRST])
      expect(forces(ear)).toBe(1)
      await ear.closeAndCheck()
    })

    test('a preview in mid-sentence, and the whole sentence in the end', async () => {
      const ear = await Ear.open(rig())
      await ear.hear(440)
      ear.stream.preview()
      await ear.rig.clock.advance(400)
      expect(ear.answers).toEqual(['Hello'])
      await ear.hear(760)
      ear.stream.finalize()
      await ear.rig.clock.advance(2_000)
      expect(ear.finals).toEqual([FIRST])
      await ear.closeAndCheck()
    })

    test('what is discarded is nobody’s, also when it is recognised later', async () => {
      const ear = await Ear.open(rig())
      await ear.hear(1_200)
      ear.stream.discard()
      const { length } = ear.events
      await ear.hear(1_800)
      ear.stream.finalize()
      await ear.rig.clock.advance(2_000)
      expect(ear.finals).toEqual([SECOND])
      const later = ear.events
        .slice(length)
        .flatMap((event) => (event.type === 'partial' ? [event.text] : []))
      expect(later.every((text) => SECOND.startsWith(text))).toBe(true)
      await ear.closeAndCheck()
    })

    test('a noise without a word is an empty final, and the next utterance is whole', async () => {
      const ear = await Ear.open(rig({ words: WORDS.slice(2) }))
      await ear.hear(1_000)
      ear.stream.finalize()
      await ear.rig.clock.advance(4_000)
      expect(ear.finals).toEqual([''])
      await ear.hear(2_000)
      ear.stream.finalize()
      await ear.rig.clock.advance(4_000)
      expect(ear.finals).toEqual(['', SECOND])
      await ear.closeAndCheck()
    })

    test('finalize with nothing written', async () => {
      const ear = await Ear.open(rig())
      ear.stream.finalize()
      await settled()
      expect(ear.finals).toEqual([''])
      expect(forces(ear)).toBe(0)
      await ear.closeAndCheck()
    })

    test('every split of the same audio gives the same words', async () => {
      const ear = await Ear.open(rig())
      const audio = sound(ear.format, 1_200, 'speech')
      for (let at = 0, size = 2; at < audio.length; at += size, size = (size * 3) % 4098) {
        ear.stream.write(audio.subarray(at, at + size))
      }
      ear.stream.finalize()
      await ear.rig.clock.advance(3_000)
      expect(ear.finals).toEqual([FIRST])
      await ear.closeAndCheck()
      expect(ear.rig.sessions[0]?.mistakes).toEqual([])
      expect(ear.rig.sessions[0]?.audioMs).toBeGreaterThanOrEqual(1_200)
    })

    test('30 s of silence in a conversation, and before it', async () => {
      const ear = await Ear.open(rig())
      await ear.rig.clock.advance(30_000)
      expect(ear.ended).toBeUndefined()
      await ear.hear(1_200)
      ear.stream.finalize()
      await ear.rig.clock.advance(30_000)
      expect(ear.ended).toBeUndefined()
      expect(ear.finals).toEqual([FIRST])
      const [session] = ear.rig.sessions
      const isKept =
        typeof keepAlive === 'string' ? session?.messages.includes(keepAlive) : keepAlive(session!)
      expect(isKept).toBe(true)
      const [final] = ear.events.filter((event) => event.type === 'final')
      const words = (final?.type === 'final' && final.words) || []
      // Silence sent to keep it alive is no audio of the caller's.
      expect(words.at(-1)?.endMs ?? 0).toBeLessThanOrEqual(1_200)
      await ear.closeAndCheck()
    })

    test('idle for very long: a planned end, no failure of anybody’s health', async () => {
      const ear = await Ear.open(rig())
      await ear.hear(1_200)
      ear.stream.finalize()
      await ear.rig.clock.advance(600_000)
      expect(ear.failure).toMatchObject({ kind: 'expired', stage: 'stt' })
      await nothingLeft(ear.rig)
    })
  })

  describe(`${name} is not served`, () => {
    test.each([
      ['refuse_auth', { kind: 'auth', retryable: false }],
      ['refuse_quota', { kind: 'quota', retryable: false }],
      ['refuse_429', { kind: 'rate', retryAfterMs: 7_000 }],
      ['hang_on_connect', { kind: 'timeout' }],
    ] as const)('%s', async (fault, error) => {
      const one = rig({ fault })
      const opening = Ear.open(one).catch((error) => error)
      await one.clock.advance(1_500)
      const outcome = await opening
      if (fault === 'hang_on_connect' && facts.connects) {
        await outcome.hear(100)
        expect(outcome.ended).toBeUndefined()
        return outcome.closeAndCheck()
      }
      if (outcome instanceof Ear) {
        expect(facts.refuses).toBe('with the first audio')
        await outcome.hear(100)
      }
      const failure = outcome instanceof Ear ? outcome.failure : outcome
      expect(failure).toBeInstanceOf(ProviderError)
      const { retryAfterMs, ...told } = { retryAfterMs: undefined, ...error }
      expect(failure).toMatchObject({ stage: 'stt', ...told })
      if (!facts.untold?.includes('the time to retry')) expect(failure.retryAfterMs).toBe(retryAfterMs)
      expect(failure.message).not.toContain('fake-key')
      await one.clock.advance(1_000)
      await nothingLeft(one)
    })

    test('aborted before it was opened', async () => {
      const one = rig()
      const scope = openScope()
      scope.cancel('hangup')
      const opening = one.adapter.open({ format: bestOf(one), signal: scope.signal, clock: one.clock })
      await expect(opening).rejects.toEqual(new Cancelled('hangup'))
      await nothingLeft(one)
    })

    test('aborted while it connects', async () => {
      const one = rig({ fault: 'hang_on_connect' })
      const scope = openScope()
      const opening = one.adapter.open({ format: bestOf(one), signal: scope.signal, clock: one.clock })
      const outcome = opening.catch((error) => error)
      await one.clock.advance(100)
      if (facts.connects) {
        const stream = await opening
        stream.write(sound(bestOf(one), 100, 'speech'))
        await one.clock.advance(100)
        expect(one.open()).toBe(1)
        scope.cancel('hangup')
        return nothingLeft(one)
      }
      scope.cancel('hangup')
      expect(await outcome).toEqual(new Cancelled('hangup'))
      await nothingLeft(one)
    })

    test('its audio is not what it was told', async () => {
      const one = rig({ fault: 'wrong_sample_rate' })
      const outcome = await Ear.open(one).catch((error) => error)
      if (outcome instanceof Ear) await outcome.hear(100)
      const error = outcome instanceof Ear ? outcome.failure : outcome
      expect(error).toMatchObject({ kind: 'bad_request', retryable: false })
      await one.clock.advance(1_000)
      await nothingLeft(one)
    })
  })

  describe(`${name} breaks`, () => {
    const kinds: readonly (readonly [SttFaultName, string, number])[] = [
      ['drop_mid_stream', 'transient', 100],
      ['close_clean_early', 'transient', 100],
      // A reader that stopped is as silent as a server.
      ...(facts.untold?.includes('malformed_json')
        ? ([['malformed_json', 'timeout', 6_000]] as const)
        : ([['malformed_json', 'transient', 100]] as const)),
      ['error_without_context', 'transient', 100],
      ['silent_after_ms', 'timeout', 6_000],
      ['no_final', 'timeout', 6_000],
    ]
    test.each(kinds)('%s: %s within %d ms', async (fault, kind, withinMs) => {
      const ear = await Ear.open(rig({ fault, faultAtMs: 800 }))
      await ear.hear(1_200)
      ear.stream.finalize()
      await ear.rig.clock.advance(withinMs)
      expect(ear.failure).toMatchObject({ stage: 'stt', kind, retryable: true })
      expect(ear.finals).toEqual([])
      await ear.rig.clock.advance(2_000)
      await nothingLeft(ear.rig)
      const { length } = ear.events
      ear.stream.write(sound(ear.format, 20, 'speech'))
      ear.stream.finalize()
      await ear.rig.clock.advance(6_000)
      expect(ear.events).toHaveLength(length)
    })

    test('while nobody speaks', async () => {
      const ear = await Ear.open(rig({ fault: 'drop_mid_stream', faultAtMs: 1_240 + forceMs }))
      await ear.hear(1_200)
      ear.stream.finalize()
      await ear.rig.clock.advance(500)
      await ear.hear(100)
      expect(ear.finals).toEqual([FIRST])
      expect(ear.failure).toMatchObject({ kind: 'transient' })
      await nothingLeft(ear.rig)
    })

    test('finals said twice are given once, and no word twice', async () => {
      const ear = await Ear.open(rig({ fault: 'duplicate_final' }))
      await ear.hear(1_400)
      ear.stream.preview()
      await ear.rig.clock.advance(1_000)
      await ear.hear(400)
      ear.stream.finalize()
      await ear.rig.clock.advance(2_000)
      await ear.hear(1_500)
      ear.stream.finalize()
      await ear.rig.clock.advance(2_000)
      expect(ear.finals).toEqual([FIRST, SECOND])
      await ear.closeAndCheck()
    })

    test('slow to answer: late, but whole and in order', async () => {
      const ear = await Ear.open(rig({ fault: 'slow_drip' }))
      await ear.hear(1_500)
      ear.stream.finalize()
      await ear.hear(1_500)
      ear.stream.finalize()
      await ear.rig.clock.advance(10_000)
      expect(ear.finals).toEqual([FIRST, SECOND])
      await ear.closeAndCheck()
    })

    test('it goes on talking after goodbye: nobody hears', async () => {
      const ear = await Ear.open(rig({ fault: 'late_after_cancel' }))
      await ear.hear(1_200)
      const { length } = ear.events
      ear.scope.cancel('hangup')
      await ear.rig.clock.advance(2_000)
      expect(ear.events).toHaveLength(length)
      await nothingLeft(ear.rig)
    })

    test.skipIf(facts.goodbye === undefined)(
      'it does not answer goodbye: the connection is ended a second later',
      async () => {
        const ear = await Ear.open(rig({ answerMs: 60_000 }))
        await ear.hear(200)
        const closing = ear.stream.close()
        await ear.rig.clock.advance(900)
        expect(ear.rig.open()).toBe(1)
        await ear.rig.clock.advance(200)
        await closing
        await nothingLeft(ear.rig)
      },
    )

    test('messages nobody knows yet are no reason to break', async () => {
      const { unknown = { type: 'InventedLater', anything: [1] } } = facts
      const steps = [{ atAudioMs: 300, send: unknown }]
      const ear = await Ear.open(rig({ steps }))
      await ear.hear(1_200)
      ear.stream.finalize()
      await ear.rig.clock.advance(2_000)
      expect(ear.finals).toEqual([FIRST])
      await ear.closeAndCheck()
    })

    test.each([['[]'], ['null'], ['{}'], ['"text"'], ['{"type":1}']])(
      'a message that is none: %s',
      async (send) => {
        const ear = await Ear.open(rig({ steps: [{ atAudioMs: 100, send }] }))
        await ear.hear(200)
        if (facts.untold?.includes('malformed_json')) {
          ear.stream.finalize()
          await ear.rig.clock.advance(6_000)
          expect(ear.failure).toMatchObject({ kind: 'timeout' })
        } else expect(ear.failure).toMatchObject({ kind: 'transient' })
        expect(ear.failure?.message).not.toContain(send)
        await ear.rig.clock.advance(2_000)
        await nothingLeft(ear.rig)
      },
    )
  })
}
