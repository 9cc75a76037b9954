/**
 * Keeps two processes from bringing the same model at once: a lock file whose holder touches it every few
 * seconds. One that was not touched for a while belongs to a process that died, and is taken over. Times of
 * the file are compared with each other's, not process ids, so that it holds on a volume shared by containers.
 */
import { randomUUID } from 'node:crypto'
import { open, readFile, rename, rm, stat, utimes } from 'node:fs/promises'
import { type Clock, delay } from '../../../clock.ts'

/** A holder touches this often … */
const TOUCH_MS = 2_000
/** … and is given up after this long: five touches missed, on a disk that may stall for seconds. */
const STALE_MS = 15_000
/** How often a waiter looks. */
const POLL_MS = 100

/** Runs `work` while holding `path`. Waits for another holder; rejects with the signal's reason at abort. */
export async function withFileLock<T>(
  path: string,
  options: { readonly clock: Clock; readonly signal?: AbortSignal | undefined },
  work: () => Promise<T>,
): Promise<T> {
  const { clock, signal } = options
  const owner = randomUUID()
  while (!(await tryTake(path, owner))) {
    await breakIfStale(path, clock)
    await delay(clock, POLL_MS, signal)
  }
  let done = false
  let timer = clock.setTimer(TOUCH_MS, touch)
  function touch(): void {
    const at = new Date(clock.wallMs())
    utimes(path, at, at).catch(() => {})
    if (!done) timer = clock.setTimer(TOUCH_MS, touch)
  }
  try {
    signal?.throwIfAborted()
    return await work()
  } finally {
    done = true
    timer.cancel()
    if ((await readFile(path, 'utf8').catch(() => '')) === owner) await rm(path, { force: true })
  }
}

async function tryTake(path: string, owner: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx')
    await file.writeFile(owner).finally(() => file.close())
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** Renaming first lets only one of several waiters remove it. */
async function breakIfStale(path: string, clock: Clock): Promise<void> {
  const found = await stat(path).catch(() => undefined)
  if (!found || clock.wallMs() - found.mtimeMs < STALE_MS) return
  const aside = `${path}.${randomUUID()}`
  const moved = await rename(path, aside).then(
    () => true,
    () => false,
  )
  if (moved) await rm(aside, { force: true })
}
