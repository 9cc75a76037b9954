/** What a program imports from `parley`: the server, started from settings and pipelines as `parley serve` starts it from files. */
import { buildApp } from './app.ts'
import { loadPipelines } from './config/pipeline-set.ts'
import { parseSettings } from './config/settings.ts'

export interface ParleyOptions {
  /** As `parley.yaml` has them. `listen.port` 0 takes any free one. Secrets may be written out; `${NAME}` reads `env`. */
  readonly settings: Readonly<Record<string, unknown>>
  /** The folder of pipelines. */
  readonly pipelines: string
  /** Left out: that of the process. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Whether embedded models that listening needs are fetched when they are missing; left out: they are. */
  readonly bring?: 'needed' | 'never'
}

export interface Parley {
  /** `http://127.0.0.1:PORT`, without a slash at the end. */
  readonly url: string
  /** Refuses new conversations; resolves when the running turns have ended. */
  drain(): Promise<void>
  /** Ends everything. */
  close(): Promise<void>
}

/** Resolves when it listens. Rejects with a `ConfigError` that names the mistakes, or with the system's error. */
export async function startParley(options: ParleyOptions): Promise<Parley> {
  const { env = process.env, bring } = options
  // Every JSON text is YAML.
  const settings = parseSettings(JSON.stringify(options.settings, null, 2), 'settings', { env })
  const pipelines = loadPipelines({ dir: options.pipelines })
  const app = await buildApp(settings, pipelines, bring === undefined ? {} : { bring })
  try {
    const url = (await app.listen()).replace(/\/$/, '')
    return { url, drain: () => app.drain(), close: () => app.close() }
  } catch (error) {
    await app.close()
    throw error
  }
}
