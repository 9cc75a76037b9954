/** A recogniser's timers at times that are no whole milliseconds. */
import { expect, test } from 'vitest'
import { PCM16_16K } from '../../src/audio/format.ts'
import { openScope } from '../../src/cancel.ts'
import { VirtualClock } from '../../src/clock.ts'
import { createDeepgram } from '../../src/provider/deepgram/index.ts'
import { connectInMemory } from '../../src/testing/carrier/sockets.ts'
import { fakeDeepgram } from '../../src/testing/stt/deepgram.ts'
import { FAKE_KEY } from '../../src/testing/stt/double.ts'
import { sound } from '../support/stages.ts'

test('a keep-alive that is due within a rounding of now does not stop the clock', async () => {
  for (let i = 1; i <= 60; i++) {
    const clock = new VirtualClock()
    let timers = 0
    const counted = {
      now: () => clock.now(),
      wallMs: () => clock.wallMs(),
      setTimer(delayMs: number, fire: () => void) {
        if (++timers > 500) throw new Error(`more than 500 timers by ${clock.now()} ms`)
        return clock.setTimer(delayMs, fire)
      },
    }
    const { connect } = connectInMemory(fakeDeepgram({ clock }).server)
    const adapter = createDeepgram({ clock, note: () => {} }, { name: 'deepgram', apiKey: FAKE_KEY, connect })
    const scope = openScope()
    await clock.advance(17_000 + i * 9.1)
    const stream = await adapter.stt!('nova-3')!.open({
      format: PCM16_16K,
      signal: scope.signal,
      clock: counted,
    })
    await clock.advance(1_000.3 + i / 7)
    stream.write(sound(PCM16_16K, 200, 'speech'))
    await clock.advance(30_000)
    expect(timers).toBeLessThan(100)
    await stream.close()
  }
})
