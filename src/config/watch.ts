/** Pipelines reload while the server runs; a broken one is refused and the old snapshot goes on. */
import { createHash } from 'node:crypto'
import { type FSWatcher, readdirSync, readFileSync, watch } from 'node:fs'
import { join } from 'node:path'
import type { Clock, Timer } from '../clock.ts'
import { RELOAD_QUIET_MS } from './defaults.ts'
import { isPipelineFile, loadPipelines, type PipelineSet } from './pipeline-set.ts'
import { ConfigError, type Problem } from './problem.ts'

export type Reload =
  | { readonly type: 'loaded'; readonly set: PipelineSet }
  /** What was loaded before stays in force. */
  | { readonly type: 'refused'; readonly problems: readonly Problem[] }

export interface Watching {
  /** Idempotent; after it `onChange` never runs. */
  close(): void
}

/** Calls `onEvent` whenever something in `dir` may have changed, `onError` when it cannot be watched any more. */
export type WatchFolder = (dir: string, onEvent: () => void, onError: () => void) => { close(): void }

const watchFolder: WatchFolder = (dir, onEvent, onError) => {
  const watcher: FSWatcher = watch(dir, { persistent: false }, onEvent)
  watcher.on('error', onError)
  return watcher
}

/**
 * Watches the folder and calls `onChange` after each change of its pipelines' text, once it has been quiet for
 * `RELOAD_QUIET_MS`. A folder that cannot be watched is reported once as refused; the server runs without reload.
 */
export function watchPipelines(
  dir: string,
  clock: Clock,
  onChange: (reload: Reload) => void,
  folder: WatchFolder = watchFolder,
): Watching {
  let seen = fingerprint(dir)
  let timer: Timer | undefined
  let closed = false
  const unwatchable = () => {
    if (closed) return
    const message = 'the folder of pipelines cannot be watched: changes need a restart'
    onChange({ type: 'refused', problems: [{ file: dir, line: 1, column: 1, severity: 'warning', message }] })
  }
  const reload = () => {
    const now = fingerprint(dir)
    if (closed || now === seen) return
    seen = now
    onChange(load(dir))
  }
  const soon = () => {
    timer?.cancel()
    if (!closed) timer = clock.setTimer(RELOAD_QUIET_MS, reload)
  }
  let watcher: { close(): void } | undefined
  try {
    watcher = folder(dir, soon, unwatchable)
  } catch {
    unwatchable()
  }
  return {
    close() {
      closed = true
      timer?.cancel()
      watcher?.close()
    },
  }
}

function load(dir: string): Reload {
  try {
    return { type: 'loaded', set: loadPipelines({ dir }) }
  } catch (error) {
    if (error instanceof ConfigError) return { type: 'refused', problems: error.problems }
    throw error
  }
}

/** Editors touch and rename without changing a word; such events are no reload. */
function fingerprint(dir: string): string {
  const hash = createHash('sha256')
  for (const name of names(dir)) hash.update(`${name}\0${textOf(join(dir, name))}\0`)
  return hash.digest('hex')
}

function names(dir: string): string[] {
  try {
    return readdirSync(dir).filter(isPipelineFile).sort()
  } catch {
    return []
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
