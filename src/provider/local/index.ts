/**
 * The embedded provider, `local`: everything that runs on this machine, assembled from what is here.
 *
 *     silero ─► vad        smart-turn ─► vad.endOfTurn
 *     moonshine-tiny, moonshine-base ─► stt
 *     flite ─► tts         smollm2, scripted, scripted/NAME ─► llm
 *
 * Voice detection must be there; each other part that cannot be had is left out, with its reason in `report`.
 */
import type { Vad } from '../../listen/vad.ts'
import type { Provider, ProviderDeps } from '../../stage/provider.ts'
import type { SttCaps } from '../../stage/stt.ts'
import { createFlite, type Flite } from './flite/index.ts'
import { type EnsureOptions, ensureModel, type ModelName, type ModelProgress } from './models/index.ts'
import { createMoonshine, type Moonshine } from './moonshine/index.ts'
import { lazyMoonshine } from './moonshine-lazy.ts'
import { adviceOf, type ModelReport, missing, present } from './report.ts'
import { createScripted } from './scripted/index.ts'
import { OWN_SCRIPTS, ScriptLibrary } from './scripted/library.ts'
import { createSmartTurn, type SmartTurn } from './smart-turn/index.ts'
import { createSmol, type Smol } from './smollm2/index.ts'
import { createSileroVad } from './vad/index.ts'

export type { ModelReport } from './report.ts'

export interface LocalOptions extends ProviderDeps {
  /** Folder of `NAME.script.yaml` files; where it has no `default`, Parley's own stands in. */
  readonly scriptsDir: string
  /** The model cache; default `modelHome()`. */
  readonly home?: string
  /**
   * What to bring when it is not in the cache: `needed` (the default) what listening needs, `all` the language
   * model too, `never` nothing.
   */
  readonly bring?: 'needed' | 'all' | 'never'
  /** Parts to leave out, present or not: tests and benchmarks that need no language model. */
  readonly without?: readonly (
    | 'smart-turn-v3.2'
    | 'smollm2'
    | 'moonshine-tiny'
    | 'moonshine-base'
    | 'flite'
  )[]
  readonly onProgress?: (progress: ModelProgress) => void
  readonly signal?: AbortSignal
}

export interface LocalProvider extends Provider {
  /** Without the model of Smart Turn it judges no pauses. */
  readonly vad: Vad
  readonly report: readonly ModelReport[]
  /** `report` in sentences, what to do first. */
  readonly advice: readonly string[]
}

/** Starts every thread and resolves when all are warm. Throws `ModelUnavailable` when voice detection is not to be had. */
export async function createLocalProvider(options: LocalOptions): Promise<LocalProvider> {
  const parts = new Parts(options)
  // All at once: they load different files in different threads.
  const starting = [
    parts.vad(),
    parts.moonshineTiny(),
    parts.flite(),
    parts.smol(),
    parts.smartTurn(),
  ] as const
  const [vad, tiny, flite, smol, turn] = await Promise.allSettled(starting)
  const base = await parts.moonshineBase(partOf(tiny)?.caps)
  const closeAll = async () => {
    await Promise.all(
      [partOf(vad), partOf(tiny), base, partOf(flite), partOf(smol), partOf(turn)].map((part) =>
        part?.close(),
      ),
    )
  }
  const failed = [vad, tiny, flite, smol, turn].find((part) => part.status === 'rejected')
  if (failed || vad.status === 'rejected') {
    await closeAll()
    throw failed?.reason
  }
  const byId = <A extends { readonly id: string }>(adapters: readonly (A | undefined)[], model: string) =>
    adapters.find((adapter) => adapter?.id === `local/${model}`)
  const scripted = scriptedBy(options)
  return {
    name: 'local',
    vad: judging(vad.value, partOf(turn)),
    report: parts.report,
    advice: adviceOf(parts.report),
    stt: (model) => byId([partOf(tiny), base], model),
    llm: (model) => byId([partOf(smol)], model) ?? scripted(model),
    tts: (model) => byId([partOf(flite)], model),
    close: closeAll,
  }
}

function judging(vad: Vad, endOfTurn: SmartTurn | undefined): Vad {
  return endOfTurn ? { endOfTurn, open: (options) => vad.open(options) } : vad
}

/** `scripted` is the script named `default`, `scripted/NAME` the one of that name. */
function scriptedBy({ scriptsDir, note }: LocalOptions) {
  const library = new ScriptLibrary(scriptsDir, note)
  const own = new ScriptLibrary(OWN_SCRIPTS, note)
  return (model: string) => {
    const [kind, name = 'default', ...rest] = model.split('/')
    if (kind !== 'scripted' || rest.length > 0) return undefined
    const script = library.get(name) ?? (name === 'default' ? own.get(name) : undefined)
    return script && createScripted({ id: `local/${model}`, script })
  }
}

function partOf<T>(part: PromiseSettledResult<T>): T | undefined {
  return part.status === 'fulfilled' ? part.value : undefined
}

/** Brings and starts the parts one by one, writing down how each went. */
class Parts {
  readonly report: ModelReport[] = []
  readonly #options: LocalOptions

  constructor(options: LocalOptions) {
    this.#options = options
  }

  /** The only part that throws when it is missing: nothing works without it. */
  async vad() {
    const { clock, note } = this.#options
    const { files } = await this.#ensure('silero-vad-v6', 'needed')
    const vad = await createSileroVad({ clock, note, model: files['model']! })
    this.report.push(present('silero-vad-v6'))
    return vad
  }

  moonshineTiny(): Promise<Moonshine | undefined> {
    return this.#attempt('moonshine-tiny', async () => {
      const { files } = await this.#ensure('moonshine-tiny', 'needed')
      return createMoonshine(this.#options, {
        model: 'tiny',
        files: { encoder: files['encoder']!, decoder: files['decoder']! },
      })
    })
  }

  /** Started at its first use: few pipelines name it, and it takes 250 MB. `caps` are those of its smaller sister. */
  moonshineBase(caps: SttCaps | undefined): Promise<Moonshine | undefined> {
    return this.#attempt('moonshine-base', async () => {
      const { files } = await this.#ensure('moonshine-base', 'never')
      const start = () =>
        createMoonshine(this.#options, {
          model: 'base',
          files: { encoder: files['encoder']!, decoder: files['decoder']! },
        })
      return caps ? lazyMoonshine('local/moonshine-base', caps, start) : start()
    })
  }

  flite(): Promise<Flite | undefined> {
    const { clock, note } = this.#options
    return this.#attempt('flite', () => createFlite({ clock, note }))
  }

  smol(): Promise<Smol | undefined> {
    return this.#attempt('smollm2', async () => {
      const runtime = (await this.#ensure('smollm2-runtime', 'all')).files['entry']!
      const model = (await this.#ensure('smollm2', 'all')).files['model']!
      const { clock, note } = this.#options
      return createSmol({ clock, note, runtime, model })
    })
  }

  smartTurn(): Promise<SmartTurn | undefined> {
    return this.#attempt('smart-turn-v3.2', async () => {
      const model = (await this.#ensure('smart-turn-v3.2', 'all')).files['model']!
      const { clock, note } = this.#options
      return createSmartTurn({ clock, note, model })
    })
  }

  /** `wanted`: from which `bring` on it is brought. */
  #ensure(name: ModelName, wanted: 'needed' | 'all' | 'never') {
    const { home, clock, signal, onProgress, bring = 'needed' } = this.#options
    const brings = bring !== 'never' && (wanted === 'needed' || (wanted === 'all' && bring === 'all'))
    const options: EnsureOptions = {
      clock,
      bring: brings ? 'if-missing' : 'never',
      ...(home !== undefined && { home }),
      ...(signal !== undefined && { signal }),
      ...(onProgress !== undefined && { onProgress }),
    }
    return ensureModel(name, options)
  }

  async #attempt<T>(
    model: ModelReport['model'],
    start: () => Promise<T | undefined>,
  ): Promise<T | undefined> {
    if (this.#options.without?.some((name) => name === model)) return undefined
    try {
      const part = await start()
      if (part !== undefined) this.report.push(present(model))
      return part
    } catch (error) {
      this.#options.signal?.throwIfAborted()
      this.report.push(missing(model, error instanceof Error ? error.message : String(error)))
      return undefined
    }
  }
}
