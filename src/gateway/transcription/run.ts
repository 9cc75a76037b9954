/** Pieces of a sound recognised one after the other, each however many targets it takes; who answered one is asked first for the next. */

import { idOf } from '../../attempt/failure.ts'
import type { HealthView } from '../../attempt/health.ts'
import type { Candidate } from '../../attempt/lineup.ts'
import type { Meter } from '../../attempt/log.ts'
import { attempt } from '../../attempt/run.ts'
import { createConverter } from '../../audio/convert.ts'
import { msToBytes, PCM16_16K, sameFormat } from '../../audio/format.ts'
import { openScope, orAborted } from '../../cancel.ts'
import type { Clock } from '../../clock.ts'
import type { Costs } from '../../price/pricing.ts'
import type { SttAdapter, SttEvent, SttStream, Word } from '../../stage/stt.ts'
import type { TurnTrace } from '../../trace/turn-trace.ts'
import type { StagePlan } from '../stage-plan.ts'
import { SOUND } from './decode.ts'
import type { Piece } from './pieces.ts'

export type Recogniser = Candidate<SttAdapter>

export interface RecognitionOptions {
  /** In `SOUND`. */
  readonly pcm: Uint8Array
  readonly pieces: readonly Piece[]
  readonly plan: Pick<StagePlan<SttAdapter>, 'candidates' | 'turnMs'>
  readonly language: string | null
  readonly hints: readonly string[]
  readonly clock: Clock
  readonly health: HealthView
  readonly pricing: Costs
  readonly trace: TurnTrace
  readonly signal: AbortSignal
  readonly windows: { readonly firstOutputMs: number }
}

export interface Recognised {
  readonly piece: Piece
  readonly text: string
  /** In the whole sound's time; empty where the target tells none. */
  readonly words: readonly Word[]
  readonly language: string | null
  readonly confidence: number | null
}

type Final = Extract<SttEvent, { type: 'final' }>

/** While somebody else could be asked: nobody's final takes longer beyond what its sound takes, */
const LEAST_MS = 2_000
/** which is this share of it on one busy core. */
const WORK_SHARE = 0.5
/** Audio is handed over in parts of this, as it would come from a caller. */
const PART_MS = 1_000

/** In the order of the pieces. Throws `AttemptsFailed`, or the signal's reason. */
export async function* recognised(options: RecognitionOptions): AsyncGenerator<Recognised> {
  let first: Recogniser | null = null
  for (const piece of options.pieces) {
    const all: readonly Recogniser[] = options.plan.candidates
    const { final, target } = await recognise(
      options,
      piece,
      first ? [first, ...all.filter((one) => one !== first)] : all,
    )
    first = target
    yield {
      piece,
      text: final.text.trim(),
      words: (final.words ?? []).map(({ text, startMs, endMs }) => ({
        text,
        startMs: piece.startMs + startMs,
        endMs: piece.startMs + endMs,
      })),
      language: final.language ?? null,
      confidence: final.confidence ?? null,
    }
  }
}

async function recognise(
  options: RecognitionOptions,
  piece: Piece,
  candidates: readonly Recogniser[],
): Promise<{ readonly final: Final; readonly target: Recogniser }> {
  const { plan, language, clock, health, trace, signal, windows } = options
  const ms = piece.endMs - piece.startMs
  const run = attempt<Recogniser, Final>({
    stage: 'stt',
    candidates,
    open: (target, call) => hear(options, target, piece, call.signal),
    // Noise has no words; that it is none is an answer.
    isUseful: () => true,
    windowMs: ({ adapter }, next) => {
      const replayMs = ms / adapter.caps.maxReplaySpeed
      const waitMs = next ? Math.max(plan.turnMs ?? 0, LEAST_MS + ms * WORK_SHARE) : windows.firstOutputMs
      return waitMs + replayMs
    },
    // A piece of half a minute says nothing of a caller's short answer.
    teaches: 'outcome',
    clock,
    signal,
    health,
    language,
    log: trace,
    meter: (target) => meterOf(options, target, ms),
  })
  const { value, done } = await run.next()
  if (done || !run.chosen) throw new TypeError('a run ended without an answer and without an error')
  const target = run.chosen
  // Its end settles the attempt.
  await run.next()
  return { final: value, target }
}

/** Whoever was asked was given all of the piece. */
function meterOf({ pricing }: RecognitionOptions, target: Recogniser, ms: number): Meter<Final> {
  return { item() {}, end: () => ({ costUsd: pricing.audio(idOf(target), ms), unitsPerSecond: null }) }
}

async function* hear(
  { pcm, language, hints, clock }: RecognitionOptions,
  { adapter }: Recogniser,
  { startMs, endMs }: Piece,
  signal: AbortSignal,
): AsyncGenerator<Final> {
  const { inputs } = adapter.caps
  const format = inputs.find((one) => sameFormat(one, SOUND)) ?? inputs[0] ?? PCM16_16K
  const scope = openScope(signal)
  const converter = createConverter(SOUND, format)
  let stream: SttStream | undefined
  try {
    const opening = adapter.open({
      format,
      ...(language === null ? {} : { language }),
      ...(hints.length > 0 ? { hints } : {}),
      signal: scope.signal,
      clock,
    })
    // One that opens after all is not left standing.
    opening.then((late) => (scope.signal.aborted ? late.close() : undefined)).catch(() => {})
    stream = await orAborted(opening, scope.signal)
    const end = msToBytes(SOUND, endMs)
    const part = msToBytes(SOUND, PART_MS)
    for (let at = msToBytes(SOUND, startMs); at < end; at += part) {
      stream.write(converter.process(pcm.subarray(at, Math.min(end, at + part))))
    }
    const rest = converter.flush()
    if (rest.length > 0) stream.write(rest)
    stream.finalize()
    for await (const event of stream) {
      if (event.type !== 'final') continue
      yield event
      return
    }
  } finally {
    converter.close()
    await stream?.close()
    // Whatever the adapter still waits for goes with its stream.
    scope.cancel('done')
  }
}
