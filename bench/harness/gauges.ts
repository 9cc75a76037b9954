/** The server's gauges while it works: samples once a second, the core it took, what was left when all had gone. */
import type { Sample } from './server.ts'

/** Samples once a second until stopped. */
export function watch(sample: () => Promise<Sample>) {
  const samples: Sample[] = []
  const timer = setInterval(() => void sample().then((one) => samples.push(one)), 1000)
  return {
    async stop() {
      clearInterval(timer)
      samples.push(await sample())
      return samples
    },
  }
}

/** Of the core; opening hundreds of sockets at once is no conversation, so callers leave out the first seconds. */
export function share(samples: readonly Sample[], gauge: 'cpuMs' | 'mainCpuMs'): number {
  const [from, to] = [samples[0], samples.at(-1)]
  return from && to ? (to[gauge] - from[gauge]) / (to.atMs - from.atMs) : Number.NaN
}
