/**
 * Does anything stay behind when sessions end? Many short ones come and go, in every way a client can go; then live
 * objects, timers, handles and the heap are counted against what they were after a warm-up of the same kind.
 */
import type { GeneratorApi } from './generator.ts'
import { startProcess } from './process.ts'
import type { Sample, ServerApi, ServerConfig } from './server.ts'

export interface LeakOptions {
  readonly sessions: number
  readonly vad: ServerConfig['vad']
  /** Sessions still open when it is counted: 0, or the check itself is being checked. */
  readonly keepOpen: number
}

export interface LeakReport {
  readonly before: Sample
  readonly after: Sample
  /** Live sessions, connections, ears, pacers, sockets … by class, when all have hung up. */
  readonly objects: Readonly<Record<string, number>>
  readonly answered: number
  readonly errors: number
  /** Heap a session left behind, bytes; negative when it shrank. */
  readonly heapEach: number
}

const AT_ONCE = 8
/** Enough for compiled code, pools and caches to be as large as they get. */
const WARM_UP_SESSIONS = 100

export async function checkLeaks({ sessions, vad, keepOpen }: LeakOptions): Promise<LeakReport> {
  const server = startProcess<ServerApi>('server', { core: 0, nodeArgs: ['--expose-gc'] })
  const generator = startProcess<GeneratorApi>('generator', { core: 1 })
  try {
    const { url } = await server.call('start', {
      models: 'bench',
      vad,
      stages: { sttMs: 2, llmMs: 2, ttsMs: 2, answerMs: 1000 },
      pipelines: ['bench'],
      // Records of turns are kept on purpose; few, so that they do not look like a leak.
      turnsKept: 20,
    })
    const visits = { url, pipeline: 'bench', atOnce: AT_ONCE }
    await generator.call('comeAndGo', { ...visits, sessions: WARM_UP_SESSIONS })
    const before = await settledSample(server, 0)
    const { answered, errors } = await generator.call('comeAndGo', { ...visits, sessions })
    if (keepOpen > 0) await generator.call('open', { ...visits, sessions: keepOpen })
    const after = await settledSample(server, keepOpen)
    const objects = await server.call('objects', null)
    await server.call('close', null)
    const heapEach = (after.heapBytes - before.heapBytes) / sessions
    return { before, after, objects, answered, errors, heapEach }
  } finally {
    await Promise.all([server.stop(), generator.stop()])
  }
}

/** The server hears of a vanished client a moment after it vanished. */
async function settledSample(
  server: ReturnType<typeof startProcess<ServerApi>>,
  sessions: number,
): Promise<Sample> {
  for (let tries = 0; ; tries++) {
    const sample = await server.call('sample', { heap: 'clean' })
    if (sample.sessions <= sessions || tries === 100) return sample
  }
}

/** Everything that grew, in words; empty when nothing did. */
export function leftovers({ before, after, objects }: LeakReport): string[] {
  const left = Object.entries(objects).flatMap(([name, count]) => (count > 0 ? [`${count} ${name}`] : []))
  for (const [name, count] of Object.entries(after.resources)) {
    const more = count - (before.resources[name] ?? 0)
    if (more > 0) left.push(`${more} ${name}`)
  }
  if (after.timers > before.timers) left.push(`${after.timers - before.timers} timers`)
  if (after.listeners > before.listeners) left.push(`${after.listeners - before.listeners} listeners`)
  if (after.sessions > 0) left.push(`${after.sessions} sessions`)
  return left
}
