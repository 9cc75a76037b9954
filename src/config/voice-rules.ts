/**
 * What a caller would hear when another voice takes over: told at load, since nobody listens to a standby before the day it
 * speaks. Facts of voices are the operator's own, else the catalogue's; what is not known is no reason to warn.
 */
import type { Gender } from '../catalog/voice-entry.ts'
import { defaultVoice, languagesOf, voiceFacts } from '../catalog/voice-facts.ts'
import { speaks } from '../route/language.ts'
import { pathOfTarget } from './path-of-target.ts'
import { listsOf, type Pipeline } from './pipeline.ts'
import type { Problem } from './problem.ts'
import type { Target } from './target.ts'
import { voiceIdIn } from './voice.ts'
import type { YamlSource } from './yaml-source.ts'

/** Below it a voice sounds as over a telephone. */
const WIDE_HZ = 16_000

interface Heard {
  readonly target: Target
  /** For messages: `male voice of local/flite (kal)`. */
  readonly name: string
  readonly gender: Gender | null
  readonly languages: readonly string[] | 'any' | null
  readonly sampleRateHz: number | null
}

/** Warnings, each at the target that changes the voice. */
export function voiceProblems(pipeline: Pipeline, source: YamlSource): Problem[] {
  return pipeline.tts.routes.flatMap((route, r) =>
    listsOf(route).flatMap(({ path, list: { targets } }) => {
      const anyNamed = targets.some((target) => named(pipeline, target) !== undefined)
      const heard = targets.map((target) => heardOf(pipeline, target))
      return targets.flatMap((target, t) => {
        const [first, own] = [heard[0], heard[t]]
        const messages = [
          unnamed(pipeline, target, anyNamed ? 'others are named' : 'none is named'),
          own && foreign(own, pipeline.language),
          first && own && t > 0 ? otherGender(first, own) : null,
          first && own && t > 0 ? narrower(first, own) : null,
        ]
        const at = pathOfTarget(source, ['tts', 'routes', r, ...path], t)
        return messages.flatMap((message) => (message ? [source.problem(at, message, 'warning')] : []))
      })
    }),
  )
}

function named({ voices, voice, language }: Pipeline, { provider }: Target): string | undefined {
  return voiceIdIn(voices, voice, provider, language)
}

function heardOf(pipeline: Pipeline, target: Target): Heard | undefined {
  const { provider, model, id } = target
  const voice = named(pipeline, target) ?? defaultVoice(provider, model)
  if (voice === undefined || voice === null) return undefined
  const told = pipeline.voices[pipeline.voice]?.[provider]
  const known = voiceFacts(provider, model, voice)
  return {
    target,
    name: `${id}${known ? ` (${known.name})` : ''}`,
    gender: told?.gender ?? known?.gender ?? null,
    languages: told?.languages ?? known?.languages ?? languagesOf(provider, model),
    sampleRateHz: told?.sampleRateHz ?? known?.sampleRateHz ?? null,
  }
}

function unnamed(
  pipeline: Pipeline,
  target: Target,
  others: 'others are named' | 'none is named',
): string | null {
  const { provider, model, id } = target
  if (named(pipeline, target) !== undefined) return null
  const where = `voices.${pipeline.voice} names no voice of ${provider}`
  const spare = defaultVoice(provider, model)
  if (spare === null) return `${where}, which has no default: ${id} will not speak`
  if (others === 'none is named' || spare === model) return null
  return `${where}: its default${spare === undefined ? '' : `, ${spare},`} speaks where ${id} takes over`
}

function foreign({ name, languages }: Heard, language: string | null): string | null {
  if (language === null || languages === null || speaks(languages, language)) return null
  const list = languages === 'any' ? 'any' : languages.join(', ')
  return `the voice of ${name} does not speak ${language}; it speaks ${list}`
}

function otherGender(first: Heard, own: Heard): string | null {
  if (!first.gender || !own.gender || own.gender === first.gender) return null
  if (own.gender === 'neutral' || first.gender === 'neutral') return null
  return `the voice changes from ${first.gender}, ${first.name}, to ${own.gender} when ${own.name} takes over`
}

function narrower(first: Heard, own: Heard): string | null {
  const [was, is] = [first.sampleRateHz ?? WIDE_HZ, own.sampleRateHz]
  if (is === null || is >= WIDE_HZ || was < WIDE_HZ) return null
  return `the voice of ${own.name} has ${is} Hz: it sounds as over a telephone after ${first.name}`
}
