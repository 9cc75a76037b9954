/** The process's own figures: memory, CPU, and how late the event loop runs. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Gauge, type Registry } from 'prom-client'

export interface ProcessWatch {
  close(): void
}

/** A frame lasts 20 ms; finer than this is noise of the timer itself. */
const RESOLUTION_MS = 10
const NANOSECONDS = 1e9

/** Delays are since the last scrape, so that a bad minute does not fade into a good day. */
export function watchProcess(registry: Registry): ProcessWatch {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  delay.enable()
  const registers = [registry]
  new Gauge({
    name: 'parley_event_loop_delay_seconds',
    help: 'How late the main thread ran its timers since the last scrape.',
    labelNames: ['quantile'],
    registers,
    collect() {
      const late = (ns: number) => Math.max(0, ns / NANOSECONDS - RESOLUTION_MS / 1000)
      const measured = delay.count > 0
      this.set({ quantile: '0.5' }, measured ? late(delay.percentile(50)) : 0)
      this.set({ quantile: '0.99' }, measured ? late(delay.percentile(99)) : 0)
      this.set({ quantile: '1' }, measured ? late(delay.max) : 0)
      delay.reset()
    },
  })
  gauge('process_resident_memory_bytes', 'Resident memory.', () => process.memoryUsage.rss())
  gauge('nodejs_heap_size_used_bytes', 'JavaScript heap in use.', () => process.memoryUsage().heapUsed)
  gauge(
    'nodejs_external_memory_bytes',
    'Memory of buffers and native parts.',
    () => process.memoryUsage().external,
  )
  gauge('process_cpu_seconds_total', 'CPU time used.', () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1e6
  })
  return { close: () => void delay.disable() }

  function gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read())
      },
    })
  }
}
