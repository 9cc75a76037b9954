/**
 * The model's answer to one request, however many targets it takes: in a provider's own events where it speaks the client's dialect, in
 * translation otherwise. Before anything useful the next target is asked silently; after some text another may go on with it.
 */
import { AttemptsFailed } from '../../attempt/failure.ts'
import type { HealthView } from '../../attempt/health.ts'
import type { Meter } from '../../attempt/log.ts'
import { usageMeter } from '../../attempt/meters.ts'
import { type AttemptOptions, attempt } from '../../attempt/run.ts'
import type { Clock } from '../../clock.ts'
import type { ClientCodec, ClientRequest, Frame } from '../../dialect/codec.ts'
import type { ModelEvent } from '../../dialect/neutral.ts'
import type { Costs } from '../../price/pricing.ts'
import type { WholeAnswer } from '../../stage/llm.ts'
import type { TurnTrace } from '../../trace/turn-trace.ts'
import { tokensIn } from './facts.ts'
import type { Plan, Target } from './plan.ts'
import { openFrames, openWhole } from './target-call.ts'

export interface RunOptions {
  readonly codec: ClientCodec
  readonly client: ClientRequest
  readonly body: Readonly<Record<string, unknown>>
  /** Of the client, for targets of its own dialect. */
  readonly headers: Readonly<Record<string, string>>
  /** Of the body as it came. */
  readonly bytes: number
  readonly plan: Plan
  readonly clock: Clock
  readonly health: HealthView
  readonly pricing: Costs
  readonly trace: TurnTrace
  readonly signal: AbortSignal
  readonly windows: Windows
  /** What could not be said to a target: for the record. */
  readonly dropped: (target: Target, members: readonly string[]) => void
}

export interface Windows {
  /** To the first useful output of a request that names no pipeline; others have the pipeline's budget, and what is learned. */
  readonly firstOutputMs: number
  readonly idleMs: number
  /** Of a whole answer. */
  readonly answerMs: number
}

/** Its prompt is longer than a spoken one, and what it thinks counts as output: nobody is given less. */
const LEAST_MS = 1_000
const LEAST_MS_PER_BYTE = 0.4
/** How long the last target is waited for beyond the budget. */
const PATIENCE_MS = 30_000

/** `passed`: the frames are of the client's own dialect, and from the beginning of the answer. */
export interface Batch {
  readonly frames: readonly Frame[]
  readonly passed: 'passed' | 'translated'
  readonly target: Target
}

/** Throws `AttemptsFailed`, `RequestFault`, or the signal's reason. */
export async function* streamed(options: RunOptions): AsyncGenerator<Batch> {
  const { clock, codec, plan, windows } = options
  const said = new Said()
  let candidates = plan.candidates
  let reason = 'first'
  for (;;) {
    const startedAt = clock.now()
    const run = attempt<Target, readonly Frame[]>({
      open: (target, { signal }) => openFrames(options, target, said.text, signal),
      declinedBy: (frames) =>
        frames.some(({ events }) => events.some(isRefusal)) ? 'content_refusal' : null,
      windowMs: ({ timeoutMs = null }) =>
        timeoutMs ?? plan.firstTokenMs ?? (plan.turnMs === null ? windows.firstOutputMs : null),
      leastMs: LEAST_MS + LEAST_MS_PER_BYTE * options.bytes,
      budget: {
        slackMs: () => (plan.turnMs ?? 0) - (clock.now() - startedAt),
        patienceMs: PATIENCE_MS,
      },
      idleMs: windows.idleMs,
      hedge: said.text === '' ? plan.hedge : null,
      meter: meterOf(options, eachOfFrames),
      ...common(options, candidates, reason, isUsefulFrames),
    })
    try {
      for await (const frames of run) {
        const target = run.chosen as Target
        for (const { events, own } of frames) {
          if (own === 'asks') said.asked()
          for (const event of events) said.add(event)
        }
        const same = target.adapter.wire?.dialect === codec.dialect && reason !== 'continuation'
        yield { frames, target, passed: same ? 'passed' : 'translated' }
      }
      return
    } catch (error) {
      candidates = whoGoesOn(error)
      if (candidates.length === 0 || !said.continuable || plan.resume === 'off') throw error
      reason = 'continuation'
    } finally {
      // Where the reader left; after the last item it does nothing.
      void run.return()
    }
  }
}

/** A whole answer: JSON text where the target speaks the client's dialect, events always. Throws as `streamed`. */
export async function whole(
  options: RunOptions,
): Promise<{ readonly answer: WholeAnswer; readonly target: Target }> {
  const { plan, windows } = options
  const run = attempt<Target, WholeAnswer>({
    open: (target, { signal }) => openWhole(options, target, signal),
    declinedBy: ({ events }) => (events.some(isRefusal) && !events.some(isUseful) ? 'content_refusal' : null),
    windowMs: ({ timeoutMs }) => timeoutMs ?? windows.answerMs,
    teaches: 'outcome',
    // What is learned of first outputs says nothing of whole ones.
    hedge: typeof plan.hedge?.after === 'object' ? plan.hedge : null,
    meter: meterOf(options, eachOfAnswer),
    ...common(options, plan.candidates, 'first', isUsefulAnswer),
  })
  const { value, done } = await run.next()
  if (done || !run.chosen) throw new TypeError('a run ended without an answer and without an error')
  const target = run.chosen
  // Its end settles the attempt.
  await run.next()
  return { answer: value, target }
}

function common<T>(
  { plan, clock, signal, health, trace }: RunOptions,
  candidates: readonly Target[],
  reason: string,
  useful: (item: T) => boolean,
): Pick<
  AttemptOptions<Target, T>,
  | 'stage'
  | 'candidates'
  | 'insteadOf'
  | 'isUseful'
  | 'clock'
  | 'signal'
  | 'health'
  | 'log'
  | 'reason'
  | 'retriesOf'
  | 'goesOn'
> {
  const { insteadOf } = plan
  return {
    stage: 'llm',
    candidates,
    insteadOf,
    isUseful: useful,
    clock,
    signal,
    health,
    log: trace,
    reason,
    retriesOf: ({ retries = null }) => retries,
    goesOn: ({ nextOn = null }, kind) => nextOn?.includes(kind) ?? true,
  }
}

/** What each target used and cost, those that lost or broke too. */
function meterOf<T>(
  { pricing, client, clock }: RunOptions,
  each: (item: T, meter: Meter<ModelEvent>) => void,
) {
  return (target: Target): Meter<T> => {
    const meter = usageMeter(pricing, target, () => tokensIn(client), clock)
    return { item: (item) => each(item, meter), end: () => meter.end() }
  }
}

function eachOfFrames(frames: readonly Frame[], meter: Meter<ModelEvent>): void {
  for (const { events } of frames) for (const event of events) meter.item(event)
}

function eachOfAnswer({ events }: WholeAnswer, meter: Meter<ModelEvent>): void {
  for (const event of events) meter.item(event)
}

/** After text that broke off: those that did not fail themselves. */
function whoGoesOn(error: unknown): readonly Target[] {
  if (!(error instanceof AttemptsFailed)) return []
  return (error as AttemptsFailed<Target>).brokenAfterUseful?.remaining ?? []
}

/** What was sent of an answer, and whether it is text alone. */
class Said {
  text = ''
  #other: 'none' | 'some' = 'none'

  add(event: ModelEvent): void {
    if (event.type === 'text') this.text += event.text
    else if (event.type === 'toolCallDelta' || event.type === 'toolCall' || event.type === 'logprobs')
      this.#other = 'some'
  }

  /** The client was asked to do something, and may have begun. */
  asked(): void {
    this.#other = 'some'
  }

  get continuable(): boolean {
    return this.text.trim() !== '' && this.#other === 'none'
  }
}

function isUseful({ type }: ModelEvent): boolean {
  return type === 'text' || type === 'toolCall' || type === 'toolCallDelta' || type === 'reasoning'
}

function isRefusal(event: ModelEvent): boolean {
  return event.type === 'finish' && event.reason === 'content_filter'
}

function isUsefulFrames(frames: readonly Frame[]): boolean {
  return frames.some(({ events, own }) => own !== undefined || events.some(isUseful))
}

/** An empty answer is an answer: nothing more comes of it. */
function isUsefulAnswer(): boolean {
  return true
}
