/** Turns for the page's tests, with the times a real one could have. */
import type { AttemptRecord, TurnRecord } from '../../src/trace/record.ts'
import type { ScriptedTurn } from './fake-realtime.ts'

type Times = readonly [startMs: number, firstOutputMs: number | null, endMs: number | null]

export function attempt(
  stage: AttemptRecord['stage'],
  target: string,
  [startMs, firstOutputMs, endMs]: Times,
  more: Partial<AttemptRecord> = {},
): AttemptRecord {
  const [provider = '', model = ''] = target.split('/')
  return {
    stage,
    provider,
    model,
    status: 'ok',
    startMs,
    firstOutputMs,
    endMs,
    kind: null,
    hedge: false,
    reason: 'first',
    costUsd: null,
    ...more,
  }
}

export function budget(actualMs: number, more: Partial<TurnRecord['budget']> = {}): TurnRecord['budget'] {
  return { turnMs: 1500, actualMs, brokenBy: null, degraded: [], ...more }
}

/** A question answered at length: long enough to be interrupted. */
export const longAnswer: ScriptedTurn = {
  words: ['What are', ' your', ' opening hours', ' this week?'],
  answer: [
    { text: 'We are open from nine to six on weekdays. ', ms: 3000 },
    { text: 'On Saturday we open at ten and close at two. ', ms: 3500 },
    {
      text: 'On Sunday we are closed, but you can always leave a message and we will call you back.',
      ms: 6000,
    },
  ],
  heardText: 'We are open from nine to',
  record: {
    marks: {
      speechStart: -1840,
      speechEnd: 0,
      speculated: 395,
      committed: 500,
      sttFinal: 528,
      firstSentence: 668,
    },
    attempts: [
      attempt('stt', 'local/moonshine-tiny', [410, 528, 528]),
      attempt('llm', 'local/smollm2', [395, 560, 1190], { reason: 'revision 1' }),
      attempt('tts', 'local/flite', [672, 709, 1260]),
    ],
    budget: budget(712),
  },
}

export const shortAnswer: ScriptedTurn = {
  words: ['And', ' on Saturday?'],
  answer: [{ text: 'Saturday from ten to two.', ms: 700 }],
  record: {
    marks: { speechStart: -900, speechEnd: 0, committed: 500, sttFinal: 541, firstSentence: 1490 },
    attempts: [
      attempt('stt', 'local/moonshine-tiny', [430, 541, 541]),
      attempt('llm', 'openai/gpt-4o-mini', [546, null, 946], { status: 'failed', kind: 'timeout' }),
      attempt('llm', 'groq/llama-3.3-70b', [950, 1405, 1702], { reason: 'fallback', costUsd: 0.0004 }),
      attempt('tts', 'local/flite', [1494, 1531, 1760]),
    ],
    budget: budget(1534, { brokenBy: 'llm' }),
    costUsd: 0.0004,
  },
}

export const writtenTurn: ScriptedTurn = {
  words: [],
  answer: [{ text: 'Nothing is booked for Friday; the afternoon is all yours.', ms: 900 }],
  record: {
    marks: { firstSentence: 236 },
    attempts: [
      attempt('llm', 'local/smollm2', [4, 131, 520]),
      attempt('tts', 'local/flite', [240, 276, 610]),
    ],
    budget: budget(279),
  },
}
