/** What an operator or Ctrl+C asks of a running command, and what keeps it running until then. */
import { MessageChannel } from 'node:worker_threads'

const SIGNALS = ['SIGINT', 'SIGTERM'] as const

/** Calls `onStop` at every SIGINT and SIGTERM, until the function it returns is called. */
export function watchStopSignals(onStop: () => void): () => void {
  const heard = () => onStop()
  for (const signal of SIGNALS) process.on(signal, heard)
  return () => {
    for (const signal of SIGNALS) process.off(signal, heard)
  }
}

/** Holds the process although nothing else would: timers of the one clock do not, and a signal handler neither. */
export function stayAlive(): () => void {
  const { port1 } = new MessageChannel()
  // A port holds the process while someone listens to it.
  port1.on('message', () => {})
  return () => port1.close()
}
