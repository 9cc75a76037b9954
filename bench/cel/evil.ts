/** One evaluation in a thread of its own, since it may never come back: what `bench/cel.ts` times and, if need be, ends. */
import { parentPort, workerData } from 'node:worker_threads'
import { ENGINES } from './engines.ts'

const { engine, expression, text } = workerData as { engine: string; expression: string; text: string }
try {
  const run = ENGINES.find(({ name }) => name === engine)!.compile(expression)
  parentPort?.postMessage('ready')
  const value = run({ text })
  parentPort?.postMessage({ value: String(value) })
} catch {
  parentPort?.postMessage({ value: 'refused' })
}
