/**
 * A text spoken, however many targets it takes. Before the first sound the next target is asked silently; after it the next goes on
 * with the sentence that broke, from its start. No finished sentence is said twice, and none is lost.
 */
import { AttemptsFailed } from '../../attempt/failure.ts'
import type { HealthView } from '../../attempt/health.ts'
import type { Candidate } from '../../attempt/lineup.ts'
import { voiceMeter } from '../../attempt/meters.ts'
import { type AttemptRun, attempt } from '../../attempt/run.ts'
import { type Converter, createConverter } from '../../audio/convert.ts'
import { openScope, orAborted } from '../../cancel.ts'
import type { Clock } from '../../clock.ts'
import type { Costs } from '../../price/pricing.ts'
import { bestFormat, type Sentence, type TtsAdapter, type TtsEvent } from '../../stage/tts.ts'
import type { TurnTrace } from '../../trace/turn-trace.ts'
import type { StagePlan } from '../stage-plan.ts'
import { SPEECH_PCM } from './encode.ts'
import type { VoiceChoice } from './voices.ts'

export type Voice = Candidate<TtsAdapter>

export interface SpeechOptions {
  /** Not empty; indices rise. */
  readonly sentences: readonly Sentence[]
  readonly plan: StagePlan<TtsAdapter>
  readonly voice: VoiceChoice
  readonly speed: number
  readonly clock: Clock
  readonly health: HealthView
  readonly pricing: Costs
  readonly trace: TurnTrace
  readonly signal: AbortSignal
  readonly windows: { readonly firstOutputMs: number; readonly idleMs: number }
}

/** Sentences given to a voice ahead of the one it says: enough to join them, few to pay for when the client leaves. */
const AHEAD = 2
/** How long the last target is waited for beyond the budget. */
const PATIENCE_MS = 30_000
/** Once it sounded, where somebody else could go on: as in a spoken turn. */
const NEXT_VOICE_MS = 5_000
const IDLE_MS = 2_500

/** Whole samples of `SPEECH_PCM`. Throws `AttemptsFailed`, or the signal's reason. */
export async function* speechOf(options: SpeechOptions): AsyncGenerator<Uint8Array> {
  let owed = options.sentences
  let candidates = options.plan.candidates
  let reason = 'first'
  for (;;) {
    const run = ask(options, candidates, owed, reason)
    let converter: Converter | undefined
    try {
      for await (const event of run) {
        if (event.type === 'sentenceDone') owed = owed.filter(({ index }) => index > event.sentence)
        if (event.type !== 'audio') continue
        converter ??= createConverter(bestFormat((run.chosen as Voice).adapter, SPEECH_PCM), SPEECH_PCM)
        yield converter.process(event.audio)
      }
      if (converter) yield converter.flush()
      return
    } catch (error) {
      if (options.signal.aborted) throw error
      // All was said; how the connection ended is nobody's matter.
      if (owed.length === 0) return
      candidates = whoGoesOn(error)
      if (candidates.length === 0) throw error
      reason = 'continuation'
    } finally {
      converter?.close()
      // Where the reader left; after the last item it does nothing.
      void run.return()
    }
  }
}

function ask(
  options: SpeechOptions,
  candidates: readonly Voice[],
  owed: readonly Sentence[],
  reason: string,
): AttemptRun<Voice, TtsEvent> {
  const { plan, clock, health, pricing, trace, signal, windows } = options
  const startedAt = clock.now()
  const sounded = reason === 'continuation'
  const slackMs = () => (sounded ? NEXT_VOICE_MS : (plan.turnMs ?? 0) - (clock.now() - startedAt))
  const chars = new Map<Voice, { said: number }>()
  const said = (voice: Voice) => {
    const count = chars.get(voice) ?? { said: 0 }
    chars.set(voice, count)
    return count
  }
  const opened = new Set<Voice>()
  return attempt<Voice, TtsEvent>({
    stage: 'tts',
    candidates,
    open: (voice, call) => {
      opened.add(voice)
      const short = opened.size < candidates.length ? 'failed' : 'kept'
      return eventsOf(options, voice, short, owed, said(voice), call.signal)
    },
    // A sentence may have nothing that sounds.
    isUseful: ({ type }) => type !== 'words',
    clock,
    signal,
    health,
    language: plan.language,
    ...(plan.turnMs === null && !sounded ? { windowMs: () => windows.firstOutputMs } : {}),
    budget: { slackMs, patienceMs: sounded ? 0 : PATIENCE_MS },
    idleMs: candidates.length > 1 ? IDLE_MS : windows.idleMs,
    log: trace,
    reason,
    meter: (voice) => voiceMeter(pricing, voice, () => said(voice).said),
  })
}

/** All that one target says of `owed`, given to it a few sentences ahead. */
async function* eventsOf(
  { plan, voice: choice, speed, clock }: SpeechOptions,
  voice: Voice,
  short: 'failed' | 'kept',
  owed: readonly Sentence[],
  chars: { said: number },
  signal: AbortSignal,
): AsyncGenerator<TtsEvent> {
  const scope = openScope(signal)
  try {
    const opening = voice.adapter.open({
      voice: choice.of(voice),
      format: bestFormat(voice.adapter, SPEECH_PCM),
      speed,
      ...(plan.language === null ? {} : { language: plan.language }),
      signal: scope.signal,
      clock,
      // Where nobody else could say it again.
      ...(short === 'kept' && { shortSound: short }),
    })
    const stream = await orAborted(opening, scope.signal)
    let given = 0
    const give = (upTo: number) => {
      for (const sentence of owed.slice(given, upTo)) {
        stream.say(sentence)
        // Providers count what they are given, said or not.
        chars.said += sentence.text.length
        if (++given === owed.length) stream.end()
      }
    }
    give(1 + AHEAD)
    let done = 0
    for await (const event of stream) {
      if (event.type === 'sentenceDone') give(++done + 1 + AHEAD)
      yield event
    }
  } finally {
    // Whatever the adapter still holds goes with its stream.
    scope.cancel('done')
  }
}

/** After a sound: those that did not fail themselves. */
function whoGoesOn(error: unknown): readonly Voice[] {
  if (!(error instanceof AttemptsFailed)) return []
  return (error as AttemptsFailed<Voice>).brokenAfterUseful?.remaining ?? []
}
