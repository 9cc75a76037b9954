/** A final that its preview stood for: which words belong to it, which to the next utterance, and when the provider is asked all the same. */
import { expect, test } from 'vitest'
import { type AudioFormat, MULAW_8K, msToBytes, PCM16_16K, PCM16_24K } from '../../src/audio/format.ts'
import { Quiet } from '../../src/provider/quiet.ts'
import { Stretches } from '../../src/provider/stretches.ts'
import { type Segment, Utterances } from '../../src/provider/utterances.ts'
import type { SttEvent } from '../../src/stage/stt.ts'
import { sound } from '../support/stages.ts'

const said = (startMs: number, endMs: number, text: string): Segment => ({
  startMs,
  endMs,
  text,
  settled: true,
})
const heard = (utterances: Utterances, segment: Segment): SttEvent[] =>
  utterances.parted(segment).flatMap((part) => utterances.hear(part))
const textsOf = (events: readonly SttEvent[]) =>
  events.map(({ type, ...rest }) => [type, 'text' in rest && rest.text])

/** `one` was said until 900 ms, previewed at 1,000, and nobody spoke until the final at 1,400. */
function silentFinal(): Utterances {
  const utterances = new Utterances()
  expect(utterances.ask('preview', 1_000)).toBe(true)
  heard(utterances, said(0, 1_000, 'one'))
  expect(textsOf(utterances.cover(1_000))).toEqual([['partial', 'one']])
  expect(utterances.askSilent(1_400)).toBe(1_000)
  expect(textsOf(utterances.drain())).toEqual([['final', 'one']])
  return utterances
}

test('a correction that comes after the final is nobody’s, and what is made of the silence neither', () => {
  const utterances = silentFinal()
  expect(heard(utterances, said(0, 1_000, 'two'))).toEqual([])
  expect(heard(utterances, said(1_000, 1_300, 'thanks for watching'))).toEqual([])
  expect(utterances.ask('final', 2_400)).toBe(true)
  heard(utterances, said(1_300, 2_400, 'three'))
  expect(textsOf(utterances.cover(2_400))).toEqual([['final', 'three']])
})

test('an utterance shorter than the silence before it keeps its words, where they have no times', () => {
  const utterances = silentFinal()
  expect(utterances.ask('final', 1_600)).toBe(true)
  heard(utterances, said(1_000, 1_600, 'yes'))
  expect(textsOf(utterances.cover(1_600))).toEqual([['final', 'yes']])
})

test('words that may still change after the preview: the provider is asked', () => {
  const utterances = new Utterances()
  utterances.ask('preview', 1_000)
  heard(utterances, said(0, 1_000, 'one'))
  utterances.cover(1_000)
  heard(utterances, { ...said(1_000, 1_300, 'and'), settled: false })
  expect(utterances.askSilent(1_400)).toBeUndefined()
})

test('a preview that is owed answers the final too, in their order', () => {
  const utterances = new Utterances()
  utterances.ask('preview', 1_000)
  expect(utterances.askSilent(1_040)).toBe(1_000)
  expect(utterances.drain()).toEqual([])
  heard(utterances, said(0, 1_000, 'one'))
  expect(textsOf(utterances.cover(1_000))).toEqual([
    ['partial', 'one'],
    ['final', 'one'],
  ])
})

test('without a preview, or with one of the utterance before, there is nothing to stand for the final', () => {
  expect(new Utterances().askSilent(1_000)).toBeUndefined()
  expect(silentFinal().askSilent(2_000)).toBeUndefined()
})

test('what a provider says without times after the silence begins after it', () => {
  const stretches = new Stretches()
  stretches.ask(1_000)
  stretches.silent(1_000, 1_400)
  expect(stretches.end()).toEqual({ fromMs: 0, toMs: 1_000, answers: true })
  expect(stretches.current).toEqual({ fromMs: 1_400, toMs: 1_401 })
  stretches.ask(1_700)
  expect(stretches.end()).toEqual({ fromMs: 1_400, toMs: 1_700, answers: true })
  expect(stretches.current.fromMs).toBe(1_700)
})

const FORMATS = [PCM16_16K, PCM16_24K, MULAW_8K]
const nameOf = ({ encoding, sampleRateHz }: AudioFormat) => `${encoding} ${sampleRateHz}`

test.each(FORMATS.map((format) => [nameOf(format), format] as const))(
  'silence and speech in %s',
  (_name, format) => {
    const quiet = new Quiet(format)
    const write = (ms: number, kind: 'speech' | 'silence') => {
      const frame = sound(format, 20, kind)
      for (let at = 0; at < ms; at += 20) quiet.write(frame.subarray(0, msToBytes(format, 20)))
    }
    // Longer than what is remembered.
    write(5_000, 'speech')
    write(200, 'silence')
    expect(quiet.sincePreview).toBe(false)
    quiet.preview()
    expect(quiet.sincePreview).toBe(true)
    write(8_000, 'silence')
    expect(quiet.sincePreview).toBe(true)
    write(60, 'speech')
    expect(quiet.sincePreview).toBe(false)
    quiet.begin()
    write(500, 'silence')
    quiet.preview()
    expect(quiet.sincePreview).toBe(true)
  },
)
