/**
 * Does anything stay behind? Run: `npm run leak`, half a minute: 1,000 short sessions with the real voice detector;
 * `-- --short`: 150, without a model. Ends with 1 when something was left.
 */
import { checkLeaks, leftovers } from './harness/leaks.ts'
import { mB, printAim, printTable, printTitle, SHORT } from './report.ts'

const sessions = SHORT ? 150 : 1000
const vad = SHORT ? 'loudness' : 'silero'
/** A record and its strings of each session would be more; over few sessions compiled code still weighs. */
const HEAP_EACH_BYTES = SHORT ? 4096 : 1024

printTitle(`What ${sessions} short sessions leave behind`, 'pinned')
const report = await checkLeaks({ sessions, vad, keepOpen: 0 })
const { before, after, objects, answered, errors, heapEach } = report
const resources = (one: typeof before) =>
  Object.entries(one.resources)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ')
printTable(
  ['', 'before', 'after'],
  [
    ['heap', mB(before.heapBytes), mB(after.heapBytes)],
    ['RSS', mB(before.rssBytes), mB(after.rssBytes)],
    ['sessions', String(before.sessions), String(after.sessions)],
    ['timers', String(before.timers), String(after.timers)],
    ['listeners of the process and of its HTTP server', String(before.listeners), String(after.listeners)],
    ['handles', resources(before), resources(after)],
    ...Object.entries(objects).map(([name, count]) => [`objects: ${name}`, '0', String(count)]),
  ],
)
console.log(`${answered} sessions heard their answer, the others hung up before; ${errors} errors`)
const left = leftovers(report)
const clean = left.length === 0 && heapEach <= HEAP_EACH_BYTES && errors === 0
printAim(
  'nothing left',
  clean ? 'met' : 'missed',
  `${left.join(', ') || 'nothing'}; heap ${Math.round(heapEach)} bytes a session`,
)
if (!clean) process.exitCode = 1
