/** Everything of the server but its sockets, on the virtual clock: sessions of these pipelines over these providers. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SessionLimits } from '../../src/access/session-limits.ts'
import { Health } from '../../src/attempt/health.ts'
import { PhraseCache } from '../../src/attempt/phrases.ts'
import { Snapshots } from '../../src/attempt/snapshots.ts'
import { traitsOf } from '../../src/attempt/traits.ts'
import type { VirtualClock } from '../../src/clock.ts'
import { loadPipelines } from '../../src/config/pipeline-set.ts'
import { Pricing } from '../../src/price/pricing.ts'
import { Host } from '../../src/session/host.ts'
import type { Provider } from '../../src/stage/provider.ts'
import { Metrics } from '../../src/trace/metrics.ts'
import { memoryTurnStore } from '../../src/trace/turn-store.ts'
import { FakeVad } from '../../test/support/fake-vad.ts'

export interface MemoryHostOptions {
  readonly clock: VirtualClock
  readonly providers: readonly Provider[]
  /** Each pipeline's YAML, by its name. */
  readonly pipelines: ReadonlyMap<string, string>
  /** A phrase of a ladder could not be made in that voice. */
  readonly onFailed: (voice: string) => void
}

export interface MemoryHost {
  readonly host: Host
  readonly limits: SessionLimits
  readonly phrases: PhraseCache
  readonly metrics: Metrics
  readonly vad: FakeVad
}

export function openMemoryHost({ clock, providers, pipelines, onFailed }: MemoryHostOptions): MemoryHost {
  const byName = new Map(providers.map((provider) => [provider.name, provider]))
  const phrases = new PhraseCache({ clock, onFailed })
  const health = new Health({ clock, traits: traitsOf(byName, new Pricing()) })
  const snapshots = new Snapshots(byName, health, { phrases })
  const folder = writePipelines(pipelines)
  try {
    snapshots.load(loadPipelines({ dir: folder }))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  const metrics = new Metrics()
  const limits = new SessionLimits({ limits: { sessions: 1_000, sessionsPerKey: null }, keys: [] })
  const vad = new FakeVad()
  const host = new Host({
    clock,
    vad,
    limits,
    turns: memoryTurnStore(1_000),
    metrics,
    snapshot: (name) => snapshots.get(name),
  })
  return { host, limits, phrases, metrics, vad }
}

/** A folder of its own, which is the caller's to remove. */
export function writePipelines(pipelines: ReadonlyMap<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'parley-bench-'))
  for (const [name, text] of pipelines) writeFileSync(join(folder, `${name}.yaml`), text)
  return folder
}
