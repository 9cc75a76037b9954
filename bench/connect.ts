/**
 * `npm run bench:connect`: what the first request of a quiet call waits for, with and without a connection dialled at the first sound of
 * speech: request → first byte of the answer, over TLS 1.3, every byte 20 ms on its way in each direction. DNS and TCP's own round trip
 * cost nothing here, so that the difference is less than in a real network. The kinds take turns, each with an agent of its own, so that
 * nothing is resumed. 15 s.
 */
import { once } from 'node:events'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { realClock } from '../src/clock.ts'
import { getReady, ReadyAgent } from '../src/provider/ready-agent.ts'
import { selfSigned } from '../test/support/certificate.ts'
import { ms, printTable, printTitle, quantile, SHORT } from './report.ts'

const ROUNDS = SHORT ? 3 : 20
const ONE_WAY_MS = 20
/** A caller speaks longer than that. */
const SPEECH_MS = 300

const certificate = selfSigned()
const server = createTlsServer(certificate, (request, response) => {
  request.resume().on('end', () => response.end('done'))
})
const far = createServer((near) => {
  const there = connect(portOf(server))
  delayed(near, there)
  delayed(there, near)
})
for (const one of [server, far]) {
  one.listen(0, '127.0.0.1')
  await once(one, 'listening')
}
const origin = `https://127.0.0.1:${portOf(far)}`

printTitle('The first request of a quiet call: to the first byte of its answer')
const cold: number[] = []
const ready: number[] = []
const kept: number[] = []
for (let round = 0; round < ROUNDS; round++) {
  cold.push(...(await asked('cold', 1)))
  const [first, second] = await asked('ready', 2)
  ready.push(first!)
  kept.push(second!)
}
const row = (name: string, times: readonly number[]) => [
  name,
  ms(quantile(times, 0.5)),
  ms(quantile(times, 0.95)),
  (quantile(times, 0.5) / quantile(kept, 0.5)).toFixed(2),
]
printTable(
  [`${ROUNDS} each, ${2 * ONE_WAY_MS} ms there and back`, 'p50 ms', 'p95 ms', 'of kept alive'],
  [row('nothing dialled', cold), row('dialled when speech began', ready), row('connection kept alive', kept)],
)
server.close()
far.close()

async function asked(how: 'cold' | 'ready', requests: number): Promise<number[]> {
  const agent = new ReadyAgent({ connect: { ca: certificate.cert }, keepAliveTimeout: 30_000 }, realClock)
  if (how === 'ready') getReady(agent, origin, 'llm')
  await sleep(SPEECH_MS)
  const times: number[] = []
  for (let i = 0; i < requests; i++) {
    const from = performance.now()
    const { body } = await agent.request({ origin, path: '/', method: 'POST', body: '{}' })
    times.push(performance.now() - from)
    await body.text()
    await sleep(10)
  }
  await agent.destroy()
  return times
}

function delayed(from: Socket, to: Socket): void {
  from.on('data', (bytes) => void setTimeout(() => to.writable && to.write(bytes), ONE_WAY_MS))
  from.on('close', () => void setTimeout(() => to.destroy(), ONE_WAY_MS))
  from.on('error', () => {})
}

function portOf(one: { address(): unknown }): number {
  return (one.address() as AddressInfo).port
}
