/** One caller: speaks the questions of a conversation, listens, interrupts, answers tools, hangs up. */
import { msToBytes, PCM16_24K } from '../../src/audio/format.ts'
import { type Clock, delay } from '../../src/clock.ts'
import type { TurnRecord } from '../../src/trace/record.ts'
import { judge, type Verdict, wordsHeard } from './judge.ts'
import type { Line, LineEvents, OpenLine } from './line.ts'
import { Loudspeaker } from './loudspeaker.ts'
import { TOOL } from './model.ts'
import type { Conversation, TurnPlan } from './plan.ts'
import { speechOf } from './words.ts'
import type { World } from './world.ts'

const FRAME_MS = 20
/** Longer than ends a turn. */
const SILENT_MS = 640
const LOOK_EVERY_MS = 40
/** A turn that is not over by then never will be. */
const TURN_LIMIT_MS = 60_000

/** A turn as its caller lived it. */
export interface Lived {
  readonly plan: TurnPlan
  /** The end of the question. */
  spokeUntil: number
  readonly responses: Set<string>
  readonly items: Set<string>
  readonly calls: { readonly id: string; readonly response: string }[]
  status: string | null
  fault: string | null
  doneAt: number
  /** When the caller interrupted. */
  cutAt: number | null
  /** When the caller went on, or away, without waiting for the rest. */
  leftAt: number | null
  record: TurnRecord | null
}

export interface CallerOptions {
  readonly world: World
  readonly clock: Clock
  readonly open: OpenLine
  readonly told: (verdict: Verdict) => void
  /** Before each question: what providers do to idle connections. */
  readonly before: (plan: TurnPlan) => void
  readonly silenceLimitMs: number
}

export class Caller implements LineEvents {
  readonly #options: CallerOptions
  readonly #conversation: Conversation
  readonly #loudspeaker = new Loudspeaker()
  readonly #turns: Lived[] = []
  /** Whose speech is over. */
  #answering: Lived | undefined
  #hungUp = false
  #line!: Line

  constructor(options: CallerOptions, conversation: Conversation) {
    this.#options = options
    this.#conversation = conversation
  }

  async call(): Promise<void> {
    const { open, clock, told, world, silenceLimitMs } = this.#options
    const { lane, turns, ends } = this.#conversation
    this.#line = await open(lane, this)
    for (const plan of turns) {
      const last = plan === turns.at(-1)
      const lived = await this.#ask(plan)
      await this.#listen(lived, last && ends === 'in the middle' ? 300 : plan.bargeInMs)
      if (lived.cutAt === null && !(last && ends === 'in the middle')) await delay(clock, plan.restMs)
    }
    const lastOne = this.#turns.at(-1)
    if (lastOne && this.#loudspeaker.endsAt > clock.now()) this.#cut(lastOne, clock.now())
    this.#hungUp = true
    await this.#line.hangUp()
    for (const lived of this.#turns) {
      this.#settle(lived)
      world.listeners.delete(lived.plan.turn)
      told(
        judge(
          lived,
          this.#loudspeaker.words(lived.items, clock.now()),
          this.#loudspeaker,
          world,
          silenceLimitMs,
        ),
      )
    }
    this.#loudspeaker.forget()
  }

  async #ask(plan: TurnPlan): Promise<Lived> {
    const { world, clock, before } = this.#options
    const lived: Lived = {
      plan,
      spokeUntil: 0,
      responses: new Set(),
      items: new Set(),
      calls: [],
      status: null,
      fault: null,
      doneAt: 0,
      cutAt: null,
      leftAt: null,
      record: null,
    }
    this.#turns.push(lived)
    world.listeners.set(plan.turn, () => this.#settle(lived))
    before(plan)
    world.begin(plan)
    world.note(plan.turn, `asks: ${plan.question.join(' ')}`)
    const speech = speechOf(plan.question, plan.pause)
    await this.#say(speech)
    lived.spokeUntil = clock.now()
    this.#answering = lived
    await this.#say(Buffer.alloc(msToBytes(PCM16_24K, SILENT_MS)))
    return lived
  }

  async #say(audio: Buffer): Promise<void> {
    const bytes = msToBytes(PCM16_24K, FRAME_MS)
    const { clock } = this.#options
    const begunAt = clock.now()
    for (let at = 0; at < audio.length; at += bytes) {
      const dueAt = begunAt + (at / bytes + 1) * FRAME_MS
      if (dueAt > clock.now()) await delay(clock, dueAt - clock.now())
      this.#line.audio(audio.subarray(at, at + bytes))
    }
  }

  /** Until the answer is over, or it is time to interrupt it. */
  async #listen(lived: Lived, bargeInMs: number | null): Promise<void> {
    const { clock, world } = this.#options
    const limitAt = clock.now() + TURN_LIMIT_MS
    while (clock.now() < limitAt) {
      const now = clock.now()
      const startsAt = this.#loudspeaker.startOf(lived.items)
      const sounds = this.#loudspeaker.endsAt > now
      if (
        bargeInMs !== null &&
        startsAt !== null &&
        now >= startsAt + bargeInMs &&
        (sounds || lived.status === null)
      ) {
        lived.leftAt = now
        return
      }
      if (this.#isOver(lived)) return
      await delay(clock, LOOK_EVERY_MS)
    }
    world.wrong(lived.plan.turn, 'never ended')
  }

  #isOver(lived: Lived): boolean {
    const now = this.#options.clock.now()
    const patienceMs = lived.fault === null ? 0 : 400
    const ended = lived.status !== null || lived.fault !== null
    return ended && now > this.#loudspeaker.endsAt && now > lived.doneAt + patienceMs
  }

  /** What was heard of it so far. */
  #settle(lived: Lived): void {
    const { world, clock } = this.#options
    const words = this.#loudspeaker.words(lived.items, lived.cutAt ?? clock.now())
    Object.assign(world.outcomes.get(lived.plan.turn)!, wordsHeard(words, lived.plan, lived.record))
  }

  #cut(lived: Lived, at: number): void {
    const { world } = this.#options
    lived.cutAt = at
    this.#loudspeaker.clear(at)
    world.note(lived.plan.turn, 'interrupted')
  }

  // -- what the line tells

  created(response: string): void {
    const lived = this.#answering
    if (!lived) return
    lived.responses.add(response)
    lived.status = null
    this.#options.world.note(lived.plan.turn, `response ${response}`)
  }

  audio(response: string, item: string, bytes: Uint8Array): void {
    const { clock, world } = this.#options
    const lived = this.#turns.find(({ responses }) => responses.has(response))
    if (!lived) return world.wrong(null, `sound of an unknown response ${response}`)
    if (this.#hungUp) return
    if (lived.cutAt !== null) return world.wrong(lived.plan.turn, 'sound after the answer was cut')
    if (this.#loudspeaker.startOf(lived.items) === null) world.note(lived.plan.turn, 'sounds')
    lived.items.add(item)
    this.#loudspeaker.hears(item, bytes, clock.now())
  }

  cleared(): void {
    this.#loudspeaker.clear(this.#options.clock.now())
  }

  interrupted(truncates: 'truncates' | 'no'): void {
    const { clock } = this.#options
    const now = clock.now()
    // The question may be taken for one only when its words are known: it interrupts what came before it.
    const lived = this.#turns.at(-2)
    const sounds = this.#loudspeaker.endsAt > now
    if (!lived || lived.cutAt !== null || (!sounds && lived.status !== null)) return
    if (truncates === 'no' || !sounds) return this.#cut(lived, now)
    const item = [...lived.items].at(-1)!
    const playedMs = this.#loudspeaker.playedMs(item, now)
    this.#line.truncate(item, Math.floor(playedMs))
    // Clients tell whole milliseconds.
    this.#cut(lived, now - (playedMs - Math.floor(playedMs)))
  }

  toolCalled(response: string, callId: string, name: string): void {
    const { world } = this.#options
    const lived = this.#turns.find(({ responses }) => responses.has(response))
    if (!lived || name !== TOOL)
      return world.wrong(lived?.plan.turn ?? null, `a call of ${name} out of nowhere`)
    lived.calls.push({ id: callId, response })
    world.outcomes.get(lived.plan.turn)!.toolCalls++
    world.note(lived.plan.turn, `tool ${callId}`)
  }

  done(response: string, status: string): void {
    const { clock, world } = this.#options
    const lived = this.#turns.find(({ responses }) => responses.has(response))
    if (!lived) return
    world.note(lived.plan.turn, `done ${status}`)
    const call = lived.calls.find((one) => one.response === response)
    if (call && status === 'completed' && lived.cutAt === null && lived === this.#turns.at(-1)) {
      this.#line.answerTool(call.id, 'found')
      return
    }
    lived.status = status
    lived.doneAt = clock.now()
  }

  record(record: TurnRecord): void {
    const lived = this.#turns.find(({ responses }) => record.responseIds.some((id) => responses.has(id)))
    if (lived) lived.record = record
  }

  refused(why: string): void {
    this.#options.world.wrong(this.#turns.at(-1)?.plan.turn ?? null, `refused: ${why}`)
  }

  fault(code: string): void {
    const { clock, world } = this.#options
    const lived = this.#answering
    if (!lived) return
    world.note(lived.plan.turn, `fault told: ${code}`)
    lived.fault = code
    lived.doneAt = clock.now()
  }
}
