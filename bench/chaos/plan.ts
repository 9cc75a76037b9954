/** What a run will do, drawn from its seed before it begins: who says what when, what is answered, and what breaks. */
import type { StageName } from '../../src/errors.ts'
import { type Random, seeded } from './random.ts'
import { MAX_PLACES, questionWords, wordOf } from './words.ts'

export const FAULTS = [
  'refuse',
  'rate-limit',
  'accept-then-silence',
  'keep-alives only',
  'slow first token',
  'drip',
  'stall',
  'drop',
  'malformed',
  'late-after-cancel',
] as const
export type FaultName = (typeof FAULTS)[number]
export const STAGES: readonly StageName[] = ['stt', 'llm', 'tts']

export interface Fault {
  readonly stage: StageName
  readonly name: FaultName
  /**
   * Whether it strikes before or after speech started: the answer's, for model and voice; the caller's, for recognition (before:
   * at the opening of the stream or its first audio; after: in the middle of the utterance).
   */
  readonly when: 'before' | 'after'
  /** How many of the stage's attempts it strikes: 2 is everybody. */
  readonly depth: 1 | 2
  /** At the opening of a connection, where the provider's double can tell whose it is. */
  readonly atConnection: boolean
}

export interface TurnPlan {
  readonly turn: number
  readonly lane: number
  readonly faults: readonly Fault[]
  /** `tool`: the model calls a tool, the client answers, and then it is answered. */
  readonly kind: 'plain' | 'tool'
  /** The model breaks right after the call, if its fault is `after`. */
  readonly breaksAtCall: boolean
  readonly question: readonly string[]
  readonly pause: { readonly after: number; readonly ms: number } | null
  /** Sentences of words; with a tool the first is said before the call when `prelude`. */
  readonly sentences: readonly (readonly string[])[]
  readonly prelude: boolean
  /** The caller speaks again so long after the first sound of the answer. */
  readonly bargeInMs: number | null
  /** Before the next question, when nobody interrupts. */
  readonly restMs: number
  readonly seed: number
}

export interface Conversation {
  readonly lane: number
  readonly turns: readonly TurnPlan[]
  /** The last caller hangs up in the middle of the answer. */
  readonly ends: 'afterwards' | 'in the middle'
}

/** Of 80 turns: each fault at each stage, before and after; then two stages at once, everybody at a stage, and none. */
const DECK_PAIRS = 4
const DECK_ALL = 6
const DECK_CLEAN = 10

export interface RunPlan {
  readonly seed: number
  readonly conversations: readonly Conversation[]
}

export function planRun(seed: number, turns: number, lanes: number): RunPlan {
  const random = seeded(seed)
  const hands: (readonly Fault[])[] = []
  while (hands.length < turns) hands.push(...random.shuffle(deck(random)))
  const conversations: Conversation[] = []
  const next = new Array<number>(lanes).fill(0)
  for (let turn = 0; turn < turns; ) {
    const lane = next.indexOf(Math.min(...next))
    const length = Math.min(turns - turn, random.int(4, 10))
    next[lane]! += length
    const plans = Array.from({ length }, (_, i) => planTurn(turn + i, lane, hands[turn + i]!, random))
    turn += length
    conversations.push({ lane, turns: plans, ends: random.chance(0.3) ? 'in the middle' : 'afterwards' })
  }
  return { seed, conversations }
}

function deck(random: Random): (readonly Fault[])[] {
  const fault = (
    stage: StageName,
    name: FaultName,
    when: Fault['when'],
    depth: Fault['depth'] = 1,
  ): Fault => ({
    stage,
    name,
    when,
    depth,
    atConnection: random.chance(0.5),
  })
  const whens = ['before', 'after'] as const
  const one = (stage: StageName, depth: Fault['depth']) =>
    fault(stage, random.pick(FAULTS), random.pick(whens), depth)
  const cells = STAGES.flatMap((stage) =>
    FAULTS.flatMap((name) => whens.map((when) => [fault(stage, name, when)])),
  )
  const pairs = Array.from({ length: DECK_PAIRS }, () => {
    const [first, second] = random.shuffle(STAGES)
    return [one(first!, 1), one(second!, 1)]
  })
  const all = Array.from({ length: DECK_ALL }, (_, i) => [one(STAGES[i % STAGES.length]!, 2)])
  const clean = Array.from({ length: DECK_CLEAN }, () => [])
  return [...cells, ...pairs, ...all, ...clean]
}

function planTurn(turn: number, lane: number, faults: readonly Fault[], random: Random): TurnPlan {
  const kind = random.chance(0.15) ? 'tool' : 'plain'
  const question = questionWords(
    turn,
    Array.from({ length: random.int(2, 5) }, () => random.int(0, 15)),
  )
  const late = faults.some(({ name }) => name === 'late-after-cancel')
  return {
    turn,
    lane,
    faults,
    kind,
    breaksAtCall: random.chance(0.5),
    question,
    pause: random.chance(0.12)
      ? { after: random.int(4, question.length - 1), ms: random.int(260, 420) }
      : null,
    sentences: sentencesOf(turn, random),
    prelude: random.chance(0.5),
    bargeInMs: late || random.chance(0.2) ? random.int(20, 3_500) : null,
    restMs: random.int(100, 1_500),
    seed: random.int(1, 1_000_000),
  }
}

function sentencesOf(turn: number, random: Random): string[][] {
  let place = 0
  return Array.from({ length: random.int(3, 5) }, () => {
    const length = random.int(4, 9)
    return Array.from({ length }, (_, i) => {
      const word = wordOf({ turn, place: Math.min(place++, MAX_PLACES - 1) })
      const shown = i === 0 ? word[0]!.toUpperCase() + word.slice(1) : word
      return i === length - 1 ? `${shown}.` : i === 2 && length > 6 ? `${shown},` : shown
    })
  })
}

/** The places of the words of each sentence. */
export function placesOf({ sentences }: TurnPlan): number[][] {
  let place = 0
  return sentences.map((words) => words.map(() => place++))
}
