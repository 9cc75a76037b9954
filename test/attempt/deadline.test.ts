import { describe, expect, test } from 'vitest'
import { type DeadlineOptions, withDeadline } from '../../src/attempt/deadline.ts'
import { openScope, type Scope } from '../../src/cancel.ts'
import { Channel } from '../../src/channel.ts'
import { settled, VirtualClock } from '../../src/clock.ts'
import { ProviderError } from '../../src/errors.ts'

/** A stream of words under deadlines, read to its end. '' is a keep-alive: no useful output. */
class Watched {
  readonly clock = new VirtualClock()
  readonly scope: Scope = openScope()
  readonly source = new Channel<string>({ signal: this.scope.signal })
  readonly got: string[] = []
  /** How it ended; null while it runs. */
  outcome: 'end' | unknown = null
  pauseMs = 0

  constructor(options: Partial<DeadlineOptions<string>> = {}) {
    const stream = withDeadline(this.source, {
      clock: this.clock,
      firstUsefulMs: 1000,
      idleMs: 300,
      isUseful: (word) => word !== '',
      scope: this.scope,
      provider: 'fake',
      stage: 'llm',
      ...options,
    })
    void this.#read(stream)
  }

  async #read(stream: AsyncIterable<string>): Promise<void> {
    try {
      for await (const word of stream) {
        this.got.push(word)
        if (this.pauseMs > 0) await new Promise<void>((resolve) => this.clock.setTimer(this.pauseMs, resolve))
      }
      this.outcome = 'end'
    } catch (error) {
      this.outcome = error
    }
  }

  async say(word: string, afterMs = 0): Promise<void> {
    await this.clock.advance(afterMs)
    this.source.push(word)
    await settled()
  }

  expectTimeout(message: RegExp): void {
    expect(this.outcome).toBeInstanceOf(ProviderError)
    expect(this.outcome).toMatchObject({ kind: 'timeout', provider: 'fake', stage: 'llm' })
    expect((this.outcome as Error).message).toMatch(message)
    expect(this.scope.signal.aborted).toBe(true)
    expect(this.clock.pendingTimers).toBe(0)
  }
}

describe('the first deadline', () => {
  test('is on the first useful item: keep-alives do not stop it', async () => {
    const watched = new Watched()
    for (let i = 0; i < 9; i++) await watched.say('', 100)
    expect(watched.outcome).toBeNull()
    await watched.clock.advance(100)
    watched.expectTimeout(/no useful output within 1000 ms/)
    expect(watched.got).toHaveLength(9)
  })

  test('is over with the first useful item', async () => {
    const watched = new Watched()
    await watched.say('a', 999)
    await watched.say('b', 200)
    expect(watched.outcome).toBeNull()
    watched.source.close()
    await settled()
    expect(watched.outcome).toBe('end')
    expect(watched.clock.pendingTimers).toBe(0)
    expect(watched.scope.signal.aborted).toBe(false)
  })
})

describe('the idle deadline', () => {
  test('is on every later gap', async () => {
    const watched = new Watched()
    for (let i = 0; i < 5; i++) await watched.say('a', 250)
    await watched.clock.advance(299)
    expect(watched.outcome).toBeNull()
    await watched.clock.advance(1)
    watched.expectTimeout(/nothing more within 300 ms/)
  })

  test('rests while the reader is busy', async () => {
    const watched = new Watched()
    watched.pauseMs = 5000
    await watched.say('a')
    await watched.clock.advance(4999)
    expect(watched.outcome).toBeNull()
    await watched.clock.advance(301)
    watched.expectTimeout(/nothing more/)
  })

  test('is not wound up by what is no progress', async () => {
    const watched = new Watched({ isProgress: (word) => word !== '' })
    await watched.say('a')
    await watched.say('', 200)
    await watched.say('', 99)
    expect(watched.outcome).toBeNull()
    await watched.clock.advance(1)
    watched.expectTimeout(/nothing more within 300 ms/)
    const other = new Watched({ isProgress: (word) => word !== '' })
    for (const word of ['a', '', 'b', '', 'c']) await other.say(word, 140)
    expect(other.outcome).toBeNull()
  })

  test('counts from when something is owed, not from the last item', async () => {
    let since: number | null = 0
    const watched = new Watched({ owedSince: () => since })
    await watched.say('a')
    since = null
    await watched.clock.advance(10_290)
    expect(watched.outcome).toBeNull()
    since = watched.clock.now()
    await watched.clock.advance(299)
    expect(watched.outcome).toBeNull()
    await watched.clock.advance(1)
    watched.expectTimeout(/nothing more within 300 ms/)
  })
})

describe('what ends the stream otherwise', () => {
  test('is passed on, without a timer left', async () => {
    const watched = new Watched()
    await watched.say('a')
    const error = new Error('broke')
    watched.source.fail(error)
    await settled()
    expect(watched.outcome).toBe(error)
    expect(watched.clock.pendingTimers).toBe(0)
  })

  test('a cancel from above is no timeout', async () => {
    const watched = new Watched()
    await watched.say('a')
    watched.scope.cancel('barge-in')
    await settled()
    expect(watched.outcome).toMatchObject({ reason: 'barge-in' })
    expect(watched.clock.pendingTimers).toBe(0)
  })

  test('a reader that leaves closes the source', async () => {
    const clock = new VirtualClock()
    const scope = openScope()
    const source = new Channel<string>()
    source.push('a')
    source.push('b')
    const stream = withDeadline(source, {
      clock,
      scope,
      firstUsefulMs: 1000,
      idleMs: 300,
      isUseful: () => true,
      provider: 'fake',
      stage: 'tts',
    })
    for await (const word of stream) {
      expect(word).toBe('a')
      break
    }
    expect(source.ended).toBe(true)
    expect(clock.pendingTimers).toBe(0)
  })
})
