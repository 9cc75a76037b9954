import { describe, expect, test } from 'vitest'
import { climb, fillerPhrase, type LadderFacts, type Rung, type RungName } from '../../src/budget/ladder.ts'
import type { Rung as PipelineRung } from '../../src/config/pipeline.ts'

/** The whole ladder of the contract; typed as the pipeline's, which must fit. */
const CONFIGURED: readonly PipelineRung[] = [
  { rung: 'partial' },
  { rung: 'faster' },
  { rung: 'shorter', maxTokens: 60 },
  { rung: 'filler', afterMs: 1200, say: ['One moment.'] },
  { rung: 'apology', say: 'Sorry.' },
]
const LADDER: readonly Rung[] = CONFIGURED

const CALM: LadderFacts = {
  nowMs: 600,
  phase: 'choosing',
  stage: 'llm',
  slackMs: 700,
  hasStablePartial: true,
  p50Ms: 400,
  fasterP50Ms: 100,
  committed: true,
  expectedInMs: 600,
  filler: { wasSaid: false, lengthMs: 700 },
}

function asked(facts: Partial<LadderFacts>, taken: readonly RungName[] = [], ladder = LADDER) {
  const step = climb(ladder, new Set(taken), { ...CALM, ...facts })
  return step.type === 'take' ? step.rung.rung : step.untilMs
}

describe('the ladder', () => {
  test('in time nothing is given up; the filler’s hour is waited for', () => {
    expect(asked({})).toBe(1200)
    expect(asked({}, [], [])).toBeNull()
  })

  test('a stable partial is promoted when the final words leave no time, not before', () => {
    const recognising = { phase: 'recognising', stage: 'stt' } as const
    expect(asked({ ...recognising, slackMs: 250 })).toBe(850)
    expect(asked({ ...recognising, slackMs: 0 })).toBe('partial')
    expect(asked({ ...recognising, slackMs: -50, hasStablePartial: false })).toBe(1200)
    expect(asked({ ...recognising, slackMs: -50 }, ['partial'])).toBe(1200)
  })

  test('a faster target when the median does not fit, then a smaller answer', () => {
    expect(asked({ slackMs: 399 })).toBe('faster')
    expect(asked({ slackMs: 90, p50Ms: 100, fasterP50Ms: 400 })).toBe('shorter')
    expect(asked({ slackMs: 90 }, ['faster'])).toBe('shorter')
    expect(asked({ slackMs: 90, stage: 'tts' }, ['faster'])).toBe(1200)
    expect(asked({ slackMs: 90 }, ['faster', 'shorter'])).toBe(1200)
  })

  test('in the order of the pipeline', () => {
    const turned = [LADDER[2]!, LADDER[1]!]
    expect(asked({ slackMs: 90 }, [], turned)).toBe('shorter')
    expect(asked({ slackMs: 90 }, [], [LADDER[3]!])).toBe(1200)
  })

  test('a filler after its time', () => {
    const answering = { phase: 'answering', nowMs: 1200 } as const
    expect(asked({ ...answering, nowMs: 1199 })).toBe(1200)
    expect(asked(answering)).toBe('filler')
    expect(asked({ ...answering, expectedInMs: 0 })).toBe('filler')
  })

  test('no filler twice in a row, none that is not in the cache, none into the caller’s words, none over the answer', () => {
    const late = { phase: 'answering', nowMs: 1500 } as const
    expect(asked({ ...late, filler: { wasSaid: true, lengthMs: 700 } })).toBeNull()
    expect(asked({ ...late, filler: { wasSaid: false, lengthMs: null } })).toBeNull()
    expect(asked({ ...late, committed: false })).toBeNull()
    expect(asked({ ...late, phase: 'heard' })).toBeNull()
    expect(asked(late, ['filler'])).toBeNull()
  })

  test('no filler when the answer is about to start; if it does not start, then', () => {
    const near = { phase: 'answering', nowMs: 1500, expectedInMs: 140 } as const
    expect(asked(near)).toBe(1640)
    expect(asked({ ...near, expectedInMs: 340 })).toBe(1840)
    expect(asked({ ...near, expectedInMs: 360 })).toBe('filler')
    expect(asked({ ...near, nowMs: 1640, expectedInMs: 0 })).toBe('filler')
  })

  test('the apology when nobody is left to ask', () => {
    expect(asked({ phase: 'exhausted' })).toBe('apology')
    expect(asked({ phase: 'exhausted' }, ['apology'])).toBeNull()
  })

  test('every turn ends: each rung is taken once, with a reason', () => {
    const taken: RungName[] = []
    const facts = { ...CALM, slackMs: -100, nowMs: 2000, expectedInMs: 0 }
    for (const phase of ['recognising', 'choosing', 'answering', 'exhausted'] as const) {
      for (;;) {
        const step = climb(LADDER, new Set(taken), { ...facts, phase })
        if (step.type === 'wait') break
        expect(step.why).not.toBe('')
        expect(taken).not.toContain(step.rung.rung)
        taken.push(step.rung.rung)
      }
    }
    expect(taken).toEqual(['partial', 'filler', 'faster', 'shorter', 'apology'])
  })
})

describe('filler phrases', () => {
  test('take turns and are not the last one said', () => {
    const say = ['One moment.', 'Let me see.', 'Just a second.']
    let last: string | null = null
    for (let count = 0; count < 20; count++) {
      const phrase: string = fillerPhrase(say, count, last)!
      expect(phrase).not.toBe(last)
      last = phrase
    }
    expect(fillerPhrase(['One moment.'], 3, 'One moment.')).toBe('One moment.')
    expect(fillerPhrase([], 0, null)).toBeUndefined()
  })
})
