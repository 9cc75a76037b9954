/**
 * The chaos run: spoken turns against protocol-faithful doubles that refuse, stall, drip, drop and lie, at every stage. See
 * docs/chaos.md. Run: `npm run chaos`; `--short` is what CI runs; `--seed N`, `--turns N`; `--memory` or `--sockets` for one half.
 */
import { runInMemory } from './chaos/memory.ts'
import { printRun } from './chaos/report.ts'
import { runOverSockets } from './chaos/sockets.ts'
import { option, printTitle, SHORT } from './report.ts'

const seed = Number(option('seed') ?? 1)
const turns = Number(option('turns') ?? (SHORT ? 200 : 1_000))
const socketTurns = Math.min(turns, SHORT ? 24 : 100)
const only = process.argv.includes('--memory')
  ? 'memory'
  : process.argv.includes('--sockets')
    ? 'sockets'
    : 'both'

printTitle('Chaos')
const outcomes: string[] = []
if (only !== 'sockets') {
  const options = { seed, turns, lanes: 8 }
  outcomes.push(printRun('In memory, on the virtual clock', options, await runInMemory(options)))
}
if (only !== 'memory') {
  const options = { seed, turns: socketTurns, lanes: SHORT ? 12 : 16 }
  outcomes.push(printRun('Over real sockets, on the real clock', options, await runOverSockets(options)))
}
process.exitCode = outcomes.includes('failed') ? 1 : 0
