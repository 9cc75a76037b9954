/** Reports how a folder grows while a package manager fills it: the only progress these tools give alike. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../../clock.ts'
import { sizeOf } from './verify.ts'

const LOOK_EVERY_MS = 500

/** Calls `report` with the folder's bytes until `stop`. Looking never overlaps itself. */
export function watchFolderSize(
  folder: string,
  clock: Clock,
  report: (bytes: number) => void,
): { stop(): void } {
  let stopped = false
  let timer = clock.setTimer(LOOK_EVERY_MS, look)
  function look(): void {
    folderBytes(folder).then((bytes) => {
      if (stopped) return
      report(bytes)
      timer = clock.setTimer(LOOK_EVERY_MS, look)
    })
  }
  return {
    stop() {
      stopped = true
      timer.cancel()
    },
  }
}

async function folderBytes(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  let sum = 0
  for (const entry of entries) {
    if (entry.isFile()) sum += (await sizeOf(join(entry.parentPath, entry.name))) ?? 0
  }
  return sum
}
