/** Who ends the turns of a call under `semantic_vad`, and what its records say of that. */
import { describe, expect, test } from 'vitest'
import { ownTurnsOf } from '../../src/session/own-turns.ts'
import { FakeLlm, FakeStt } from '../support/stages.ts'
import { Call, type CallOptions } from './call.ts'
import { SETTINGS } from './story.ts'

const SEMANTIC = { ...SETTINGS.turnDetection!, type: 'semantic_vad', eagerness: 'auto' } as const

/** The caller has been speaking long enough for a stream to be level. A judge of ours takes every pause for the end. */
async function speaking(options: CallOptions & { readonly stt: FakeStt }) {
  const asked: (string | null)[] = []
  const call = await Call.open({
    settings: { turnDetection: SEMANTIC },
    endOfTurn: {
      judge: async ({ words }) => {
        asked.push(words)
        return { probability: 0.95, by: 'model' }
      },
    },
    ...options,
  })
  await call.speak(1_500)
  const endedBy = async () => {
    await call.wait(10_000)
    return (await call.records()).map((record) => record.endedBy)
  }
  return { call, asked, endedBy }
}

const judging = (words: string[] = ['one two']) => new FakeStt({ words, endOfTurn: 'model' })

describe('a recogniser that ends turns', () => {
  test('is asked to, by the session’s eagerness, and ends them; nobody else judges', async () => {
    const stt = judging()
    const { call, asked, endedBy } = await speaking({ stt })
    await call.silent(1_000)
    expect(call.types).not.toContain('speechStopped')
    const before = call.spokeUntil
    stt.streams[0]!.endsTurn('one two')
    await call.silent(40)
    expect(call.types).toContain('speechStopped')
    expect(stt.ownTurns).toEqual([{ eagerness: 'auto', minSilenceMs: 400, maxWaitMs: 4_000 }])
    expect(asked).toEqual([])
    expect(await endedBy()).toEqual(['recogniser'])
    // The clock counts from the end of speech as we heard it, whoever ended the turn.
    const [record] = await call.records()
    expect(record!.marks.speechEnd).toBe(0)
    expect(record!.marks.committed).toBeGreaterThan(1_000)
    expect(call.at('speechStopped') - before).toBeLessThanOrEqual(1_040)
    await call.hangUp()
  })

  test('that says nothing is not waited for longer than the eagerness has patience', async () => {
    const { call, asked, endedBy } = await speaking({ stt: judging() })
    await call.silent(3_900)
    expect(call.types).not.toContain('speechStopped')
    await call.silent(300)
    expect(call.types).toContain('speechStopped')
    expect([asked, await endedBy()]).toEqual([[], ['wait']])
    await call.hangUp()
  })

  test('is not believed while the caller speaks', async () => {
    const stt = judging()
    const { call, endedBy } = await speaking({ stt })
    stt.streams[0]!.endsTurn('one')
    await call.speak(500)
    await call.silent(1_000)
    expect(call.types).not.toContain('speechStopped')
    stt.streams[0]!.endsTurn('one two')
    await call.silent(100)
    expect(await endedBy()).toEqual(['recogniser'])
    expect(call.count('speechStopped')).toBe(1)
    await call.hangUp()
  })

  test('and is lost in a pause is replaced within it: our judge ends the turn', async () => {
    const stt = judging()
    const { call, asked, endedBy } = await speaking({
      stt,
      spare: { stt: new FakeStt({ words: ['spare'] }) },
    })
    await call.silent(1_000)
    expect(asked).toEqual([])
    stt.streams[0]!.breaks()
    await call.silent(200)
    expect(call.types).toContain('speechStopped')
    expect(asked).toHaveLength(1)
    expect(await endedBy()).toEqual(['model'])
    expect(call.last('transcript').transcript).toBe('spare')
    await call.hangUp()
  })

  test('and is replaced by another that can judges again from the next pause on', async () => {
    const stt = judging()
    const spare = judging(['spare'])
    const { call, asked, endedBy } = await speaking({ stt, spare: { stt: spare } })
    stt.streams[0]!.breaks()
    await call.speak(1_000)
    await call.silent(1_000)
    expect(call.types).not.toContain('speechStopped')
    spare.streams[0]!.endsTurn('spare')
    await call.silent(60)
    expect([asked, await endedBy()]).toEqual([[], ['recogniser']])
    await call.hangUp()
  })

  test('hears a replay of an earlier pause, and does not end the turn by it', async () => {
    const stt = judging()
    const spare = judging(['spare'])
    const { call, asked, endedBy } = await speaking({ stt, spare: { stt: spare } })
    stt.streams[0]!.breaks()
    await call.silent(100)
    spare.streams[0]!.endsTurn('spare')
    await call.silent(60)
    expect(call.types).not.toContain('speechStopped')
    await call.silent(500)
    expect(asked.length).toBeGreaterThan(0)
    expect(await endedBy()).toEqual(['model'])
    await call.hangUp()
  })

  test.each([
    ['after our ear', 300],
    ['before it', 60],
  ])('and tells a probable end early, %s, has the model asked then, once', async (_name, silentMs) => {
    const stt = judging()
    const llm = new FakeLlm({ firstTokenMs: 100 })
    const { call, endedBy } = await speaking({ stt, llm })
    // What the fake answers a preview with is another's guess.
    stt.streams[0]!.preview = () => {}
    await call.silent(silentMs)
    expect(llm.requests).toHaveLength(0)
    stt.streams[0]!.mayEndTurn('one two')
    await call.silent(260)
    expect(llm.requests).toHaveLength(1)
    expect(call.types).not.toContain('speechStopped')
    await call.silent(300)
    stt.streams[0]!.endsTurn('one two')
    await call.silent(60)
    expect(await endedBy()).toEqual(['recogniser'])
    expect(llm.requests).toHaveLength(1)
    await call.hangUp()
  })

  test('is asked anew when the client changes its mind, with the next utterance', async () => {
    const stt = judging()
    const { call } = await speaking({ stt })
    await call.silent(400)
    stt.streams[0]!.endsTurn('one two')
    await call.silent(1_000)
    const turnDetection = { ...SEMANTIC, eagerness: 'low' } as const
    call.send({ type: 'settings', patch: { turnDetection } })
    await call.says(500)
    call.send({ type: 'settings', patch: { turnDetection: SETTINGS.turnDetection } })
    await call.silent(9_000)
    await call.says(500)
    expect(stt.ownTurns.map((own) => own?.eagerness)).toEqual(['auto', 'low', undefined])
    await call.hangUp()
  })
})

describe('turns that no recogniser ends', () => {
  test('are not given to one under server_vad, whatever it can', async () => {
    const stt = judging()
    const { call, asked, endedBy } = await speaking({
      stt,
      settings: { turnDetection: SETTINGS.turnDetection },
    })
    stt.streams[0]!.endsTurn('one two')
    await call.silent(300)
    expect(call.types).not.toContain('speechStopped')
    await call.silent(400)
    expect([stt.ownTurns, asked, await endedBy()]).toEqual([[undefined], [], ['silence']])
    await call.hangUp()
  })

  test('are judged by us where the recogniser cannot', async () => {
    const stt = new FakeStt({ words: ['one two'] })
    const { call, endedBy } = await speaking({ stt })
    await call.silent(600)
    expect([stt.ownTurns, await endedBy()]).toEqual([[undefined], ['model']])
    await call.hangUp()
  })

  test('are the client’s where it commits by hand', async () => {
    const stt = judging()
    const { call, endedBy } = await speaking({ stt, settings: { turnDetection: null } })
    call.send({ type: 'commit' })
    await call.respond()
    expect([stt.ownTurns, await endedBy()]).toEqual([[undefined], ['client']])
    await call.hangUp()
  })
})

test('eagerness is told as waits, and of semantic_vad only', () => {
  const of = (turnDetection: typeof SETTINGS.turnDetection) => ownTurnsOf({ ...SETTINGS, turnDetection })
  expect(of(null)).toBeUndefined()
  expect(of(SETTINGS.turnDetection)).toBeUndefined()
  expect(of({ ...SEMANTIC, eagerness: 'high' })).toEqual({
    eagerness: 'high',
    minSilenceMs: 200,
    maxWaitMs: 2_000,
  })
})
