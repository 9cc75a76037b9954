/** What is to be said of one turn when it is over: the rules, each as a sentence; and how it was recovered. */
import type { AttemptRecord, TurnRecord } from '../../src/trace/record.ts'
import type { Lived } from './caller.ts'
import type { HeardWord, Loudspeaker } from './loudspeaker.ts'
import type { Fault, TurnPlan } from './plan.ts'
import { placesOf } from './plan.ts'
import { PHRASES, wordOf } from './words.ts'
import type { World } from './world.ts'

/** As the voice doubles speak. */
export const MS_PER_CHAR = 30
/** A word is whole within a frame's rounding; the server counts a sentence as heard that lacks 40 ms of its end. */
const ROUNDING_MS = 0.1
const TAIL_MS = 41
/** Of model and voice, within an answer. */
export const IDLE_MS = 5_000

export const RECOVERIES = [
  'none needed',
  'retry',
  'fallback',
  'hedge',
  'continuation',
  'replay',
  'resumed sentence',
  'partial promoted',
  'apology',
] as const
export type Recovery = (typeof RECOVERIES)[number]

export interface Verdict {
  readonly plan: TurnPlan
  readonly struck: readonly Fault[]
  readonly recovery: Recovery
  readonly firstAudioMs: number | null
  readonly restarts: number
  readonly untold: number
  readonly filled: boolean
  readonly interrupted: boolean
  readonly silentMs: number
  readonly record: TurnRecord | null
}

interface Reading {
  /** Whole words from the first on. */
  words: number
  /** One more may count: it lacks less than the server's tolerance. */
  maybe: 0 | 1
  restarts: number
  /** Restarted when all of it had been heard. */
  untold: number
  apology: 'whole' | 'cut' | 'none'
  filled: boolean
  wrong: string[]
}

export function wordsHeard(
  heard: readonly HeardWord[],
  plan: TurnPlan,
  record: TurnRecord | null,
): { words: number; maybe: 0 | 1; less: 0 | 1 } {
  const broke = voiceBroke(plan, record)
  const { words, maybe } = readWords(heard, plan, broke)
  // The end of the last word of a piece is told with the piece's own: a voice that broke before never told.
  const closes = /[.,]$/.test(plan.sentences.flat()[words - 1] ?? '')
  return { words, maybe, less: closes && broke ? 1 : 0 }
}

/** By its own fault, or with the connection that it shared with another conversation's. */
function voiceBroke(plan: TurnPlan, record: TurnRecord | null): boolean {
  if (plan.faults.some(({ stage }) => stage === 'tts')) return true
  return record?.attempts.some(({ stage, status }) => stage === 'tts' && status === 'failed') ?? false
}

/** Holds what was heard against what was to be said. */
export function readWords(heard: readonly HeardWord[], plan: TurnPlan, broke: boolean): Reading {
  const sentences = placesOf(plan)
  const shown = plan.sentences.flat()
  const sentenceOf = (place: number) => sentences.findIndex((places) => places.includes(place))
  const reading: Reading = {
    words: 0,
    maybe: 0,
    restarts: 0,
    untold: 0,
    apology: 'none',
    filled: false,
    wrong: [],
  }
  let apologyWords = 0
  /** Where the voice is: it may go on here, or back to the beginning of a piece of the same sentence. */
  let at = 0
  const restarted = new Map<number, number>()
  for (const { code, ms } of heard) {
    if (!code) reading.wrong.push(`${ms} ms of sound that no voice made`)
    else if (code.turn === PHRASES.apology.turn) apologyWords++
    else if (code.turn === PHRASES.filler.turn) reading.filled = true
    else if (code.turn !== plan.turn) reading.wrong.push(`the word ${JSON.stringify(code)} of another turn`)
    else if (apologyWords > 0) reading.wrong.push(`word ${code.place} after the apology`)
    else {
      const { place } = code
      if (place > at) reading.wrong.push(`words ${at} to ${place - 1} are lost`)
      if (place < at) {
        const sentence = sentenceOf(place)
        const last = sentences[sentence]!.at(-1)!
        // All its sound was there, but the voice broke before it said so: that is a sentence that broke.
        if (last + 1 === at && broke) reading.untold++
        else if (last < at)
          reading.wrong.push(`sentence ${sentence + 1} was complete and is said again from word ${place}`)
        restarted.set(sentence, (restarted.get(sentence) ?? 0) + 1)
        reading.restarts++
      }
      const lacksMs = (shown[place]?.length ?? 0) * MS_PER_CHAR - ms
      at = lacksMs <= ROUNDING_MS ? place + 1 : place
      reading.maybe = lacksMs > ROUNDING_MS && lacksMs <= TAIL_MS ? 1 : 0
      if (at >= reading.words) reading.words = at
      else reading.maybe = 0
    }
  }
  const allowed = Math.max(1, ...plan.faults.filter(({ stage }) => stage === 'tts').map(({ depth }) => depth))
  for (const [sentence, count] of restarted) {
    if (count > allowed) reading.wrong.push(`sentence ${sentence + 1} restarted ${count} times`)
  }
  const whole = PHRASES.apology.text.split(' ').length
  reading.apology = apologyWords === 0 ? 'none' : apologyWords >= whole ? 'whole' : 'cut'
  return reading
}

export function judge(
  lived: Lived,
  heard: readonly HeardWord[],
  loudspeaker: Loudspeaker,
  world: World,
  silenceLimitMs: number,
): Verdict {
  const { plan, record, cutAt, leftAt, items, spokeUntil } = lived
  const reading = readWords(heard, plan, voiceBroke(plan, record))
  const wrong = (what: string) => world.wrong(plan.turn, what)
  for (const what of reading.wrong) wrong(what)
  const all = plan.sentences.flat().length
  const interrupted = cutAt !== null || leftAt !== null
  const complete = reading.words === all
  if (!interrupted && !complete && reading.apology !== 'whole') {
    wrong(
      `${reading.words} of ${all} words were heard, and no apology (${lived.status}, next ${wordOf({ turn: plan.turn, place: reading.words })})`,
    )
  }
  if (!interrupted && complete && reading.apology !== 'none')
    wrong('an apology for an answer that was complete')
  const untilAt = cutAt ?? leftAt ?? Math.max(lived.doneAt, spokeUntil)
  const silentMs = loudspeaker.longestSilenceMs(items, spokeUntil, untilAt)
  if (silentMs > silenceLimitMs) wrong(`silent for ${Math.round(silentMs)} ms`)
  const { toolCalls } = world.outcomes.get(plan.turn)!
  const due = plan.kind === 'tool' ? 1 : 0
  if (toolCalls > due || (toolCalls < due && complete)) wrong(`${toolCalls} tool calls where ${due} is due`)
  checkQuestion(record, plan, wrong)
  const startsAt = loudspeaker.startOf(items)
  return {
    plan,
    struck: plan.faults.filter(({ stage }) => world.struck.has(`${plan.turn} ${stage}`)),
    recovery:
      reading.apology === 'none' ? recoveryOf(record, plan, world.attemptsOf(plan.turn, 'stt')) : 'apology',
    firstAudioMs: startsAt === null ? null : startsAt - spokeUntil,
    restarts: reading.restarts,
    untold: reading.untold,
    filled: reading.filled,
    interrupted,
    silentMs,
    record,
  }
}

/** What was recognised is what was asked, to the word; a promoted partial may lack its end. */
function checkQuestion(record: TurnRecord | null, plan: TurnPlan, wrong: (what: string) => void): void {
  const text = record?.text.user?.toLowerCase() ?? null
  if (text === null) return
  const question = plan.question.join(' ')
  const promoted = record?.budget.degraded.includes('partial') ?? false
  if (promoted ? !question.startsWith(text) : text !== question) {
    wrong(`"${text}" was recognised where "${question}" was said`)
  }
}

/** By the main fault's stage. */
function recoveryOf(record: TurnRecord | null, plan: TurnPlan, streams: number): Recovery {
  const stage = plan.faults[0]?.stage
  if (!record || !stage) return 'none needed'
  const of = record.attempts.filter((attempt) => attempt.stage === stage)
  const has = (test: (attempt: AttemptRecord) => boolean) => of.some(test)
  const because = (reason: RegExp) => has((attempt) => reason.test(attempt.reason))
  if (stage === 'stt' && record.budget.degraded.includes('partial')) return 'partial promoted'
  // A stream that breaks while the caller speaks is replaced without an attempt in the record.
  if (stage === 'stt' && (streams > 1 || because(/^(fallback|retry)/))) return 'replay'
  if (because(/^continuation/)) return stage === 'tts' ? 'resumed sentence' : 'continuation'
  if (has(({ hedge, status }) => hedge && status === 'ok')) return 'hedge'
  if (because(/^(fallback|instead)/)) return 'fallback'
  return because(/^(retry|rollover|last resort)/) ? 'retry' : 'none needed'
}
