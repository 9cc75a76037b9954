/** The fixed phrases of one pipeline (fillers, apology, greeting, what is said to the silent), ready in the voices its sessions speak with. */
import { listsOf, type Pipeline, voiceFor } from '../config/pipeline.ts'
import type { Provider } from '../stage/provider.ts'
import type { PhraseSpeaker } from './lineup.ts'
import type { Phrase, PhraseCache, PhraseVoice } from './phrases.ts'

export class PipelinePhrases {
  readonly #pipeline: Pipeline
  readonly #cache: PhraseCache
  readonly #providers: ReadonlyMap<string, Provider>
  /** Targets of the voice, those of routes without a condition first. */
  readonly #targets: readonly string[]
  readonly #texts: readonly string[]

  constructor(pipeline: Pipeline, providers: ReadonlyMap<string, Provider>, cache: PhraseCache) {
    this.#pipeline = pipeline
    this.#providers = providers
    this.#cache = cache
    this.#texts = textsOf(pipeline)
    const routes = pipeline.tts.routes.toSorted((a, b) => Number(a.when !== null) - Number(b.when !== null))
    const ids = routes.flatMap((route) =>
      listsOf(route).flatMap(({ list }) => list.targets.map(({ id }) => id)),
    )
    this.#targets = [...new Set(ids)]
  }

  /** In the session's own voice if it is ready, else in the first that is: better another voice than silence. */
  get(text: string, speaker: PhraseSpeaker): Phrase | null {
    for (const target of this.#inOrder(speaker)) {
      const voice = this.#voice(target, speaker)
      const phrase = voice && this.#cache.get(voice, text)
      if (phrase) return phrase
    }
    return null
  }

  /** In the first voice that can; the others would cost and seldom be heard. Resolves when all is tried. */
  async prepare(speaker: PhraseSpeaker): Promise<void> {
    for (const target of this.#inOrder(speaker)) {
      const voice = this.#voice(target, speaker)
      if (!voice) continue
      await this.#cache.prepare(voice, this.#texts)
      if (this.#texts.every((text) => this.#cache.get(voice, text))) return
    }
  }

  #inOrder({ target }: PhraseSpeaker): readonly string[] {
    return target === null ? this.#targets : [target, ...this.#targets.filter((id) => id !== target)]
  }

  #voice(target: string, { voice, language }: PhraseSpeaker): PhraseVoice | undefined {
    const slash = target.indexOf('/')
    const provider = target.slice(0, slash)
    const adapter = this.#providers.get(provider)?.tts?.(target.slice(slash + 1))
    if (!adapter) return undefined
    const pipeline = this.#pipeline
    const id =
      voiceFor(pipeline, voice, provider, language) ??
      voiceFor(pipeline, pipeline.voice, provider, language) ??
      ''
    return { adapter, voice: id, language }
  }
}

/** All that a pipeline says of itself, whatever the model says. */
function textsOf({ budget, greeting, idle = null, tools = [] }: Pipeline): string[] {
  const said = budget.ladder.flatMap((rung) => {
    if (rung.rung === 'filler') return rung.say
    return rung.rung === 'apology' ? [rung.say] : []
  })
  const fillers = tools.flatMap(({ filler }) => filler ?? [])
  return [...new Set([...said, ...(greeting === null ? [] : [greeting]), ...(idle?.say ?? []), ...fillers])]
}
