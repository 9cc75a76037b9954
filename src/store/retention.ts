/** A folder of files that are kept for some days: the old ones are taken away, at the start and then each hour. */
import { accessSync, constants, mkdirSync } from 'node:fs'
import { readdir, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../clock.ts'

export interface KeptFolderOptions {
  readonly dir: string
  /** Only files of such names are ever taken away. */
  readonly ours: RegExp
  /** null: kept for ever. */
  readonly keepDays: number | null
  readonly clock: Clock
  readonly onFailed: (code: string | undefined) => void
}

export interface KeptFolder {
  /** Takes away what is older than `keepDays`. Resolves to how many. */
  sweep(): Promise<number>
  /** No more sweeps. */
  close(): void
}

const DAY_MS = 86_400_000
const SWEEP_MS = 3_600_000

/** Makes the folder, for its owner alone. Throws the system's error when it cannot be made or written to. */
export function keepFolder({ dir, ours, keepDays, clock, onFailed }: KeptFolderOptions): KeptFolder {
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  accessSync(dir, constants.W_OK)

  async function sweep(): Promise<number> {
    if (keepDays === null) return 0
    const before = clock.wallMs() - keepDays * DAY_MS
    let gone = 0
    for (const name of await readdir(dir)) {
      const path = join(dir, name)
      if (!ours.test(name) || (await stat(path)).mtimeMs >= before) continue
      await unlink(path)
      gone++
    }
    return gone
  }

  let timer = clock.setTimer(0, swept)
  function swept(): void {
    sweep().catch((error: NodeJS.ErrnoException) => onFailed(error.code))
    timer = clock.setTimer(SWEEP_MS, swept)
  }
  return { sweep, close: () => timer.cancel() }
}
