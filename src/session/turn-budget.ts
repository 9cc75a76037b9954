/**
 * The budget of the turn at hand, acting: what each stage may take, and which rungs of the pipeline's ladder are taken when
 * time runs short. One turn at a time has a budget, the newest; what belongs to another turn has all the time it wants.
 *
 *     expect ─► open ─► recognising ─► thinking ─► voicing ─► heard
 *        (a guess)        │ partial      │ faster, shorter, filler
 */
import { climb, fillerPhrase, type LadderFacts, type Rung, type RungName } from '../budget/ladder.ts'
import { type BudgetPlan, expectedInMs, planOf, slackMs } from '../budget/plan.ts'
import type { Clock, Timer } from '../clock.ts'
import type { StageName } from '../errors.ts'

const PATIENCE_MS = 5_000
const LONG_PATIENCE_MS = 15_000

export interface TurnBudgetOptions {
  readonly clock: Clock
  readonly turnMs: number
  readonly ladder: readonly Rung[]
  /** Median of the target that is, or would be, in line. */
  readonly medianMs: (stage: StageName) => number
  /** How long a phrase plays; null: it is not in the cache. */
  readonly phraseMs: (text: string) => number | null
  /** Says a phrase into the turn's answer; false when the answer sounds already, or there is none. */
  readonly fill: (turn: string, text: string) => boolean
  /** Begins the turn's answer with a phrase, although the caller's words are not known yet. */
  readonly bridge: (turn: string, text: string) => void
  readonly hasStablePartial: (turn: string) => boolean
  /** Takes the stable partial for the final words; false when there is none. */
  readonly promote: (turn: string) => boolean
  /** What was given up, for the record. */
  readonly degraded: (turn: string, rung: RungName) => void
  readonly planned: (turn: string, plan: BudgetPlan) => void
}

/** Of the model in line and of the quickest other one. */
export interface Medians {
  readonly p50Ms: number
  readonly fasterP50Ms: number | null
}

interface Current {
  readonly turn: string
  /** Counts the session's turns. */
  readonly number: number
  readonly zeroAt: number
  readonly taken: Set<RungName>
  committed: boolean
  plan: BudgetPlan
  phase: LadderFacts['phase'] | 'idle'
  stage: StageName
  sinceAt: number
  /** Since when the caller waits: the end of speech, or, once something was heard, the newest request. */
  waitsSince: number
  /** The deadline was for this. */
  heardAt: number | null
  timer: Timer | undefined
}

export class TurnBudget {
  readonly #options: TurnBudgetOptions
  #current: Current | undefined
  #turns = 0
  readonly #fillers: { count: number; last: string | null; inTurn: number } = {
    count: 0,
    last: null,
    inTurn: Number.NEGATIVE_INFINITY,
  }

  constructor(options: TurnBudgetOptions) {
    this.#options = options
  }

  /** The caller may be done since `zeroAt`: the model begins on a guess. */
  expect(turn: string, zeroAt: number): void {
    if (this.#current?.turn === turn && this.#current.zeroAt === zeroAt) return
    this.#begin(turn, zeroAt)
  }

  /** The turn is certain; its deadline counts from `zeroAt`. */
  open(turn: string, zeroAt: number): void {
    const known = this.#current
    if (known?.turn !== turn || known.zeroAt !== zeroAt) this.#begin(turn, zeroAt)
    const current = this.#current as Current
    if (!current.committed) this.#turns++
    current.committed = true
    this.#plan(current)
  }

  /** The final words are awaited. */
  recognising(turn: string): void {
    this.#enter(turn, 'recognising', 'stt')
  }

  /** There are other words of it than before. */
  changed(turn: string): void {
    if (this.#current?.turn === turn) this.#watch(this.#current)
  }

  /** The model was asked, and what it says may be heard. */
  thinking(turn: string): void {
    this.#enter(turn, 'answering', 'llm')
  }

  /** The voice was asked. */
  voicing(turn: string): void {
    if (this.#current?.turn === turn && this.#current.phase === 'answering') {
      this.#enter(turn, 'answering', 'tts')
    }
  }

  /** The answer sounds. */
  heard(turn: string): void {
    this.#enter(turn, 'heard', 'tts')
  }

  /** Nothing of it is under way: a tool is awaited, the caller goes on, or it is over. */
  rest(turn: string): void {
    this.#enter(turn, 'idle', 'llm')
  }

  /** What `stage` may take from now on; infinite for what belongs to another turn. Below 0: late already. */
  slackMs(turn: string, stage: StageName): number {
    const current = this.#current
    if (current?.turn !== turn || current.heardAt !== null) return Number.POSITIVE_INFINITY
    return slackMs(current.plan, stage, this.#options.clock.now())
  }

  /** How long the last target is waited for beyond that: not for ever when there is an apology to be said. */
  get patienceMs(): number {
    return this.#options.ladder.some(({ rung }) => rung === 'apology') ? PATIENCE_MS : LONG_PATIENCE_MS
  }

  /** Before the model is asked: the next rung that the time left asks for. Ask until there is none. */
  choose(turn: string, medians: Medians): Extract<Rung, { rung: 'faster' | 'shorter' }> | null {
    const current = this.#current
    if (current?.turn !== turn || current.heardAt !== null) return null
    const facts = { ...this.#facts(current), ...medians, phase: 'choosing', stage: 'llm' } as const
    const step = climb(this.#options.ladder, current.taken, facts)
    if (step.type === 'wait' || (step.rung.rung !== 'faster' && step.rung.rung !== 'shorter')) return null
    this.#note(current, step.rung.rung)
    return step.rung
  }

  /** Nobody is left to ask: what is said then; null when the ladder has no such rung, or it was taken. */
  exhausted(turn: string): string | null {
    const rung = this.#options.ladder.find((one) => one.rung === 'apology')
    const current = this.#current
    if (rung?.rung !== 'apology') return null
    if (current?.turn !== turn) return rung.say
    if (current.taken.has('apology')) return null
    this.#note(current, 'apology')
    return rung.say
  }

  close(): void {
    this.#current?.timer?.cancel()
    this.#current = undefined
  }

  #begin(turn: string, zeroAt: number): void {
    this.#current?.timer?.cancel()
    const current: Current = {
      turn,
      number: this.#turns + 1,
      zeroAt,
      taken: new Set(),
      committed: false,
      plan: planOf({ turnMs: this.#options.turnMs, zeroAt, endpointMs: 0, stages: [] }),
      phase: 'idle',
      stage: 'stt',
      sinceAt: this.#options.clock.now(),
      waitsSince: zeroAt,
      heardAt: null,
      timer: undefined,
    }
    this.#current = current
    this.#plan(current)
  }

  /** What is over has no place in the plan: its time is spent. */
  #plan(current: Current): void {
    const { clock, turnMs, medianMs, planned } = this.#options
    const stages: StageName[] = current.phase === 'recognising' ? ['stt', 'llm', 'tts'] : ['llm', 'tts']
    current.plan = planOf({
      turnMs,
      zeroAt: current.zeroAt,
      endpointMs: Math.max(0, clock.now() - current.zeroAt),
      stages: stages.map((stage) => ({ stage, p50Ms: medianMs(stage) })),
    })
    if (current.committed) planned(current.turn, current.plan)
  }

  #enter(turn: string, phase: Current['phase'], stage: StageName): void {
    const current = this.#current
    if (current?.turn !== turn) return
    current.phase = phase
    current.stage = stage
    const now = this.#options.clock.now()
    current.sinceAt = now
    if (phase === 'heard') current.heardAt ??= now
    else if (stage === 'llm' && current.heardAt !== null) current.waitsSince = now
    if (phase === 'recognising') this.#plan(current)
    this.#watch(current)
  }

  /** Takes what is to be taken now, and comes back when more may be. */
  #watch(current: Current): void {
    const { clock, ladder } = this.#options
    current.timer?.cancel()
    current.timer = undefined
    while (current.phase === 'recognising' || current.phase === 'answering') {
      const step = climb(ladder, current.taken, this.#facts(current))
      if (step.type === 'take') this.#take(current, step.rung)
      else {
        if (step.untilMs === null) return
        const waitMs = Math.max(1, current.waitsSince + step.untilMs - clock.now())
        current.timer = clock.setTimer(waitMs, () => this.#watch(current))
        return
      }
    }
  }

  #take(current: Current, rung: Rung): void {
    current.taken.add(rung.rung)
    if (rung.rung === 'partial') {
      // Said first: the promoted words set the next stage going at once.
      this.#options.degraded(current.turn, 'partial')
      this.#options.promote(current.turn)
    } else if (rung.rung === 'filler') {
      const text = this.#phrase(rung)
      if (text === undefined) return
      if (current.phase === 'recognising') this.#options.bridge(current.turn, text)
      else if (!this.#options.fill(current.turn, text)) return
      this.#options.degraded(current.turn, 'filler')
      this.#fillers.count++
      this.#fillers.last = text
      this.#fillers.inTurn = current.number
    }
  }

  #note(current: Current, rung: RungName): void {
    current.taken.add(rung)
    this.#options.degraded(current.turn, rung)
  }

  #phrase(rung: Extract<Rung, { rung: 'filler' }>): string | undefined {
    return fillerPhrase(rung.say, this.#fillers.count, this.#fillers.last)
  }

  #facts(current: Current): LadderFacts {
    const { clock, ladder, phraseMs, hasStablePartial, medianMs } = this.#options
    const now = clock.now()
    const { stage, plan, phase, turn } = current
    const filler = ladder.find((one) => one.rung === 'filler')
    const phrase = filler?.rung === 'filler' ? this.#phrase(filler) : undefined
    return {
      nowMs: now - current.waitsSince,
      phase: phase === 'idle' ? 'heard' : phase,
      stage,
      slackMs: slackMs(plan, stage, now),
      hasStablePartial: phase === 'recognising' && hasStablePartial(turn),
      p50Ms: medianMs(stage),
      fasterP50Ms: null,
      committed: current.committed,
      expectedInMs: expectedInMs(plan, stage, current.sinceAt, now),
      filler: {
        wasSaid: current.number - this.#fillers.inTurn === 1,
        lengthMs: phrase === undefined ? null : phraseMs(phrase),
      },
    }
  }
}
