import { describe, expect, test } from 'vitest'
import type { TurnReport } from '../../src/console/web/talk/events.ts'
import { place, waterfall } from '../../src/console/web/timing/waterfall.ts'
import type { TurnRecord } from '../../src/trace/record.ts'
import { attempt, budget, shortAnswer, writtenTurn } from './scripts.ts'

const report = (facts: Partial<TurnRecord> | undefined): TurnReport => ({
  turnId: 't',
  pipeline: 'p',
  route: {},
  attempts: facts?.attempts ?? [],
  budget: facts?.budget ?? budget(0),
  costUsd: null,
})
const record = (facts: Partial<TurnRecord> | undefined) =>
  ({ ...report(facts), marks: {}, ...facts }) as TurnRecord

describe('a turn’s waterfall', () => {
  test('a spoken turn: silence, then every attempt in the order of the stages', () => {
    const fall = waterfall(report(shortAnswer.record), record(shortAnswer.record))
    expect(fall.zero).toBe('end of speech')
    expect(fall.rows.map((row) => [row.label, row.who, row.note, row.fate])).toEqual([
      ['Silence', 'in case you go on', '', ''],
      ['STT', 'local/moonshine-tiny', '', ''],
      ['LLM', 'openai/gpt-4o-mini', '', 'failed: timeout'],
      ['LLM', 'groq/llama-3.3-70b', 'fallback', ''],
      ['TTS', 'local/flite', '', ''],
    ])
    expect(fall.rows[2]?.moments).toEqual([])
    expect(fall.rows[3]?.moments).toEqual([
      { name: 'first token', ms: 1405 },
      { name: 'sentence', ms: 1490 },
    ])
  })

  test('the scale shows both the budget and the first audio', () => {
    for (const actualMs of [200, 1499, 4000]) {
      const fall = waterfall(report({ budget: budget(actualMs) }), null)
      expect(place(fall, 1500)).toBeLessThan(1)
      expect(place(fall, actualMs)).toBeLessThan(1)
      expect(fall.ticks.length).toBeLessThanOrEqual(6)
    }
  })

  test('a written turn has no silence and counts from the request', () => {
    const fall = waterfall(report(writtenTurn.record), record(writtenTurn.record))
    expect(fall.zero).toBe('request')
    expect(fall.rows.map((row) => row.stage)).toEqual(['llm', 'tts'])
  })

  test('a recogniser that began long before is shown from the edge, not from far left', () => {
    const facts = { attempts: [attempt('stt', 'deepgram/nova-3', [-6000, 80, 80])], budget: budget(600) }
    const fall = waterfall(report(facts), null)
    expect(fall.fromMs).toBeGreaterThan(-200)
    expect(place(fall, -6000)).toBe(0)
  })

  test('an interrupted answer keeps its moments, a superseded guess has none', () => {
    const cancelled = [attempt('llm', 'local/smollm2', [300, 420, 800], { status: 'cancelled' })]
    const guess = waterfall(report({ attempts: cancelled }), null)
    expect(guess.rows[0]).toMatchObject({ fate: 'dropped', moments: [] })
    const facts = { attempts: cancelled, marks: { interrupted: 1500 } }
    expect(waterfall(report(facts), record(facts)).rows[0]?.moments).toEqual([
      { name: 'first token', ms: 420 },
    ])
  })

  test('a sentence belongs to the model that said it, not to the guess before it nor to the round with the tool', () => {
    const attempts = [
      attempt('llm', 'a/guess', [300, 410, 480], { status: 'cancelled' }),
      attempt('llm', 'a/tool', [500, 600, 640]),
      attempt('llm', 'a/answer', [700, 790, 1100], { status: 'cancelled' }),
    ]
    const facts = { attempts, marks: { firstSentence: 850, interrupted: 2000 } }
    expect(waterfall(report(facts), record(facts)).rows.map((row) => [row.fate, row.moments.length])).toEqual(
      [
        ['dropped', 0],
        ['', 1],
        ['', 2],
      ],
    )
  })

  test('a guess that was through before the words changed is dropped as well', () => {
    const attempts = [
      attempt('llm', 'a/guess', [230, 340, 480]),
      attempt('llm', 'a/answer', [735, 770, 1250], { reason: 'revision 1' }),
    ]
    const facts = { attempts, marks: { committed: 500, llmFirstToken: 770, firstSentence: 850 } }
    const rows = waterfall(report(facts), record(facts)).rows.filter((row) => row.stage === 'llm')
    expect(rows.map((row) => [row.fate, row.moments.length])).toEqual([
      ['dropped', 0],
      ['', 2],
    ])
  })

  test('with nothing but the report there is still something to see', () => {
    const fall = waterfall(report({ ...shortAnswer.record, marks: {} }), null)
    expect(fall.firstAudioMs).toBe(1534)
    expect(fall.rows.map((row) => row.stage)).toEqual(['stt', 'llm', 'llm', 'tts'])
  })
})
