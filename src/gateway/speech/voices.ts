/** Which of a provider's voices speaks: by the pipeline's `voices`, by OpenAI's names for voices that are nobody's here, or by its own id. */
import type { AttemptTarget } from '../../attempt/failure.ts'
import { voiceIdIn } from '../../config/voice.ts'
import type { TtsAdapter } from '../../stage/tts.ts'
import type { StagePlan } from '../stage-plan.ts'
import type { AskedVoice } from './request.ts'

/** Of the `openai` package 7.57, `SpeechCreateParams.voice`: clients have one of these by default. */
const OPENAI_VOICES: ReadonlySet<string> = new Set([
  'alloy',
  'ash',
  'ballad',
  'coral',
  'echo',
  'fable',
  'onyx',
  'nova',
  'sage',
  'shimmer',
  'verse',
  'marin',
  'cedar',
])

export interface VoiceChoice {
  /** Whether the client named a provider's own voice, which that provider may not have. */
  readonly kind: 'ours' | 'own id'
  /** The provider's own id; '' for its default. */
  of(target: AttemptTarget): string
}

export function chooseVoice(
  asked: AskedVoice,
  plan: Pick<StagePlan<TtsAdapter>, 'voices' | 'voice' | 'language' | 'candidates'>,
): VoiceChoice {
  const { voices, voice, language, candidates } = plan
  const idOf = (name: string, { provider }: AttemptTarget) => voiceIdIn(voices, name, provider, language)
  const usual = (target: AttemptTarget) => idOf(voice, target) ?? ''
  if (asked.type === 'default') return { kind: 'ours', of: usual }
  if (asked.type === 'name' && voices[asked.voice]) {
    return { kind: 'ours', of: (target) => idOf(asked.voice, target) ?? usual(target) }
  }
  if (asked.type === 'name' && OPENAI_VOICES.has(asked.voice)) return { kind: 'ours', of: usual }
  // An id is of the provider that is asked first; with another who takes over it means nothing.
  const whose = candidates[0]?.provider
  return {
    kind: 'own id',
    of: (target) => (target.provider === whose ? asked.voice : usual(target)),
  }
}
