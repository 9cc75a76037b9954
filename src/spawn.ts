/**
 * Starts worker threads. A worker is named beside the file that starts it,
 * without an ending: in `dist` it is the `.js` file; in a source run (tests, `tsx`) it is the `.ts` file,
 * loaded through tsx. `--import tsx` alone does not reach worker threads on Node 20, its `register()` does.
 */
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { Worker, type WorkerOptions } from 'node:worker_threads'

/**
 * `spawnWorker(import.meta.url, './worker', { name, workerData })` runs `worker.ts` or `worker.js` of the
 * caller's folder in a new thread. The thread does not inherit the parent's execArgv.
 */
export function spawnWorker(
  callerUrl: string,
  path: `./${string}`,
  options: Omit<WorkerOptions, 'execArgv' | 'eval'> = {},
): Worker {
  const fromSource = callerUrl.endsWith('.ts')
  const url = new URL(`${path}${fromSource ? '.ts' : '.js'}`, callerUrl)
  return new Worker(url, { ...options, execArgv: fromSource ? sourceLoader() : [] })
}

function sourceLoader(): string[] {
  // require() resolves to the CommonJS edition, whose register() does not find its loader.
  const path = createRequire(import.meta.url)
    .resolve('tsx/esm/api')
    .replace(/\.cjs$/, '.mjs')
  const api = pathToFileURL(path).href
  const boot = `import * as api from ${JSON.stringify(api)};api.register()`
  return ['--import', `data:text/javascript,${encodeURIComponent(boot)}`]
}
