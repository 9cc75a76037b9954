import { describe, expect, test } from 'vitest'
import { ALAW_8K, MULAW_8K, PCM16_16K, PCM16_24K } from '../../src/audio/format.ts'
import { openScope } from '../../src/cancel.ts'
import { settled, VirtualClock } from '../../src/clock.ts'
import { patienceFor } from '../../src/listen/patience.ts'
import { fluxRules } from '../../src/provider/deepgram/flux-turns.ts'
import { fluxError, fluxUrl } from '../../src/provider/deepgram/flux-wire.ts'
import { createDeepgram } from '../../src/provider/deepgram/index.ts'
import type { OwnTurns, SttEvent } from '../../src/stage/stt.ts'
import { connectInMemory } from '../../src/testing/carrier/sockets.ts'
import { FAKE_KEY, type SttScript } from '../../src/testing/stt/double.ts'
import { fakeFlux } from '../../src/testing/stt/flux.ts'
import { sound } from '../support/stages.ts'
import { type MakeRig, type SttRig, sttContract, sttNetwork } from './stt-conformance.ts'
import { sttOverSockets } from './stt-sockets.ts'

const MODEL = 'flux-general-en'
/** What ends a turn of ours. */
const FORCE_MS = 750

function rigOf(script: SttScript, words: 'timed' | 'untimed' = 'timed'): SttRig {
  const clock = new VirtualClock()
  const double = fakeFlux({ clock, script, words })
  const memory = connectInMemory(double.server)
  const settings = { name: 'deepgram', apiKey: FAKE_KEY, connect: memory.connect }
  const provider = createDeepgram({ clock, note: () => {} }, settings)
  return { adapter: provider.stt!(MODEL)!, clock, open: () => memory.open, sessions: double.sessions }
}
const make: MakeRig = (script) => rigOf(script)

sttContract('flux', make)
sttNetwork('flux', make, {
  force: ({ silentMs = 0 }) => Math.floor(silentMs / FORCE_MS),
  keepAlive: ({ silentMs = 0 }) => silentMs > FORCE_MS + 80,
  goodbye: 'CloseStream',
  forceMs: FORCE_MS,
  formats: [PCM16_16K, MULAW_8K, PCM16_24K, ALAW_8K],
})
sttOverSockets('flux', MODEL, fakeFlux, createDeepgram)

const OWN: OwnTurns = { eagerness: 'auto', minSilenceMs: 400, maxWaitMs: 4_000 }

async function listen(rig: SttRig, own: { readonly ownTurns?: OwnTurns } = { ownTurns: OWN }) {
  const { clock, adapter } = rig
  const stream = await adapter.open({ format: PCM16_16K, signal: openScope().signal, clock, ...own })
  const events: SttEvent[] = []
  void (async () => {
    for await (const event of stream) events.push(event)
  })().catch(() => {})
  const hear = async (ms: number) => {
    for (let at = 0; at < ms; at += 20) {
      stream.write(sound(PCM16_16K, 20, 'speech'))
      await clock.advance(20)
    }
  }
  const told = () =>
    events.filter(({ type }) => type !== 'partial').map((event) => [event.type, textOf(event)])
  return { ...rig, stream, events, hear, told }
}

function textOf(event: SttEvent): string {
  return event.type === 'resumed' ? '' : event.text
}

describe('flux ends turns', () => {
  const hello = { text: 'Hello', startMs: 100, endMs: 400, endsTurn: 0.9 }
  const there = { text: 'there.', startMs: 1_000, endMs: 1_400, endsTurn: 0.9 }

  test('early and then for good, and the final is there as soon as it is asked for', async () => {
    const { hear, stream, told, sessions } = await listen(make({ words: [hello], answerMs: 100 }))
    await hear(300)
    // A preview asks nothing: silence would end the turn.
    stream.preview()
    await hear(400)
    expect(told()).toEqual([['eagerEnd', 'Hello']])
    await hear(200)
    stream.finalize()
    await settled()
    expect(told().slice(1)).toEqual([
      ['endOfTurn', 'Hello'],
      ['final', 'Hello'],
    ])
    expect(sessions[0]).toMatchObject({ messages: [], mistakes: [] })
    // No more than makes up a frame.
    expect(sessions[0]?.silentMs).toBeLessThan(80)
    void stream.close()
  })

  test('and takes the early end back when the caller goes on', async () => {
    const words = [{ ...hello, endsTurn: 0.6 }, there]
    const { hear, stream, told } = await listen(make({ words }))
    await hear(1_800)
    expect(told()).toEqual([
      ['eagerEnd', 'Hello'],
      ['resumed', ''],
      ['eagerEnd', 'Hello there.'],
      ['endOfTurn', 'Hello there.'],
    ])
    void stream.close()
  })

  test.each(['timed', 'untimed'] as const)(
    'unless we end one it leaves open: what it heard is final, and the next has its own words (%s)',
    async (times) => {
      const words = [
        { ...hello, endsTurn: 0 },
        { ...there, endsTurn: 0 },
      ]
      const rig = rigOf({ words, answerMs: 100 }, times)
      const { hear, stream, told, clock } = await listen(rig)
      await hear(600)
      stream.finalize()
      await clock.advance(700)
      expect(told()).toEqual([['final', 'Hello']])
      await hear(1_000)
      stream.finalize()
      await clock.advance(2_000)
      // Its turn goes on over our boundary. Without the words' times nobody can tell where.
      expect(told()[1]).toEqual(['final', times === 'timed' ? 'there.' : 'Hello there.'])
      void stream.close()
    },
  )

  test('by silence of ours where the session ends them, and is never sent what ends the session', async () => {
    const { hear, stream, told, clock, sessions } = await listen(make({ words: [hello] }), {})
    await hear(500)
    stream.finalize()
    await clock.advance(200)
    expect(told().at(-1)).toEqual(['final', 'Hello'])
    expect(sessions[0]).toMatchObject({ messages: [], mistakes: [] })
    expect(sessions[0]?.silentMs).toBeGreaterThanOrEqual(FORCE_MS)
    void stream.close()
  })
})

describe('flux asks', () => {
  const query = { model: MODEL, format: MULAW_8K, language: 'de-CH', hints: ['Parley'] }

  test('for the format, and for short turns where we end them', () => {
    const url = new URL(fluxUrl('wss://api.deepgram.com', { ...query, turns: fluxRules(undefined) }))
    expect(url.pathname).toBe('/v2/listen')
    expect(Object.fromEntries(url.searchParams)).toEqual({
      model: MODEL,
      encoding: 'mulaw',
      sample_rate: '8000',
      eot_threshold: '0.7',
      eot_timeout_ms: '500',
      keyterm: 'Parley',
    })
  })

  test.each([
    ['high', '0.5', '0.4', '2000'],
    ['auto', '0.7', '0.5', '4000'],
    ['medium', '0.7', '0.5', '4000'],
    ['low', '0.9', '0.5', '8000'],
  ] as const)('to end turns, %s', (eagerness, sure, eager, timeout) => {
    const { minSilenceMs, maxWaitMs } = patienceFor(eagerness, 500)
    const turns = fluxRules({ eagerness, minSilenceMs, maxWaitMs })
    const { searchParams } = new URL(fluxUrl('wss://x', { ...query, turns }))
    expect(searchParams.get('eot_threshold')).toBe(sure)
    expect(searchParams.get('eager_eot_threshold')).toBe(eager)
    expect(searchParams.get('eot_timeout_ms')).toBe(timeout)
  })

  test('for a language where the model knows several', () => {
    const turns = fluxRules(undefined)
    const url = new URL(fluxUrl('wss://x', { ...query, model: 'flux-general-multi', turns }))
    expect(url.searchParams.get('language_hint')).toBe('de')
  })

  test('what it says of an error is not passed on', () => {
    expect(fluxError('UNPARSABLE_CLIENT_MESSAGE')).toMatchObject({ kind: 'bad_request' })
    const { kind, message } = fluxError('caller said: my number is 12')
    expect([kind, message]).toEqual(['transient', 'Deepgram ended the session (no code)'])
  })
})
