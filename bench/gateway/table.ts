/** What `bench:gateway` prints: costs, added times, and whether the aims were met. */
import { mB, ms, printAim, printTable, quantile } from '../report.ts'
import { CHUNKS } from './answer.ts'
import { FLOOR_REWRITE, PARLEY, PORTKEY } from './contenders.ts'
import { CHUNK_MS, PACED_STREAMS, type Phase, type Round, type Subject } from './phases.ts'

export interface Measured {
  readonly subject: Subject
  readonly rounds: readonly Round[]
}

interface Figures {
  readonly name: string
  readonly perSecond: number
  readonly busy: number
  readonly loadBusy: number
  readonly requestUs: number
  readonly streamUs: number
  /** What a stream costs more than a plain request, a chunk. */
  readonly chunkUs: number
  readonly pacedChunkUs: number
  readonly peakBytes: number
  /** By round. */
  readonly totalMs: readonly Float64Array[]
  readonly firstTokenMs: readonly Float64Array[]
}

const median = (values: ArrayLike<number>) => quantile(values, 0.5)

function figuresOf({ subject, rounds }: Measured): Figures {
  const each = (phase: Phase) => median(rounds.map((r) => (r[phase].cpuMs * 1000) / r[phase].result.answers))
  const requestUs = each('plain')
  const streamUs = each('burst')
  return {
    name: subject.name,
    perSecond: median(rounds.map(({ plain: { result } }) => (1000 * result.answers) / result.tookMs)),
    busy: median(rounds.map(({ plain }) => plain.cpuMs / plain.result.tookMs)),
    loadBusy: median(rounds.map(({ plain }) => plain.loadBusy)),
    requestUs,
    streamUs,
    chunkUs: (streamUs - requestUs) / CHUNKS,
    pacedChunkUs: (each('paced') - requestUs) / CHUNKS,
    peakBytes: subject.contender?.peakBytes() ?? Number.NaN,
    totalMs: rounds.map(({ serial }) => serial.result.totalMs),
    firstTokenMs: rounds.map(({ paced }) => paced.result.firstTokenMs),
  }
}

const QUANTILES = [0.5, 0.95, 0.99]

/**
 * Beyond the same quantile of asking the upstream itself in the same round; the median of the rounds, so that one the machine
 * disturbed does not decide.
 */
function added(figures: Figures, direct: Figures, of: 'totalMs' | 'firstTokenMs'): number[] {
  return QUANTILES.map((q) =>
    median(figures[of].map((samples, round) => quantile(samples, q) - quantile(direct[of][round]!, q))),
  )
}

const fewest = (all: readonly Figures[], of: 'totalMs' | 'firstTokenMs') =>
  Math.min(...all.map((one) => one[of].reduce((sum, samples) => sum + samples.length, 0)))
const typical = (rounds: readonly Float64Array[]) => ms(median(rounds.map(median)))
const us = (value: number) => (Number.isNaN(value) ? '–' : value.toFixed(value < 100 ? 1 : 0))
const times = (value: number) => (Number.isNaN(value) ? '–' : value.toFixed(2))
const percent = (value: number) => (Number.isNaN(value) ? '–' : `${(100 * value).toFixed(0)} %`)

/** The first is the upstream without a gateway. */
export function printFigures(all: readonly Measured[]): void {
  const figures = all.map(figuresOf)
  const [direct, ...rest] = figures
  const floor = figures.find(({ name }) => name === FLOOR_REWRITE)
  if (!direct || !floor) throw new Error('neither the upstream nor the floor was measured')
  printTable(
    [
      'CPU, all threads',
      'requests/s',
      'core busy',
      'load busy',
      'µs a request',
      '× floor',
      `µs a stream`,
      'µs a chunk',
      '× floor',
      'peak',
    ],
    figures.map((one) => [
      one.name,
      one.perSecond.toFixed(0),
      percent(one.busy),
      percent(one.loadBusy),
      us(one.requestUs),
      times(one.requestUs / floor.requestUs),
      us(one.streamUs),
      us(one.chunkUs),
      times(one.chunkUs / floor.chunkUs),
      Number.isNaN(one.peakBytes) ? '–' : mB(one.peakBytes),
    ]),
  )
  console.log(
    `A stream is ${CHUNKS} chunks at once, each a write of its own; µs a chunk: (a stream − a request) / ${CHUNKS}. Medians of the rounds.\n`,
  )
  printTable(
    ['added, ms', 'serial p50', 'p95', 'p99', 'first token p50', 'p95', 'p99', 'µs a chunk, paced'],
    rest.map((one) => [
      one.name,
      ...added(one, direct, 'totalMs').map(ms),
      ...added(one, direct, 'firstTokenMs').map(ms),
      us(one.pacedChunkUs),
    ]),
  )
  console.log(
    `Beyond the upstream itself: ${typical(direct.totalMs)} ms serial at p50; ${typical(direct.firstTokenMs)} ms to the first token with ${PACED_STREAMS} streams of a chunk every ${CHUNK_MS} ms. Medians of the rounds; at least ${fewest(rest, 'totalMs')} and ${fewest(rest, 'firstTokenMs')} samples.\n`,
  )
  const parley = figures.find(({ name }) => name === PARLEY)
  if (parley)
    printAims(
      parley,
      floor,
      direct,
      figures.find(({ name }) => name === PORTKEY),
    )
}

function printAims(parley: Figures, floor: Figures, direct: Figures, portkey: Figures | undefined): void {
  const aim = (what: string, met: boolean, figure: string) => printAim(what, met ? 'met' : 'missed', figure)
  const request = parley.requestUs / floor.requestUs
  aim('CPU a request within 2 times the rewriting floor', request <= 2, `${times(request)} times`)
  const chunk = parley.chunkUs / floor.chunkUs
  aim('CPU a chunk within 1.5 times the rewriting floor', chunk <= 1.5, `${times(chunk)} times`)
  if (portkey) {
    const faster = parley.perSecond / portkey.perSecond
    aim(
      "at least 5 times Portkey's requests a second",
      faster >= 5,
      `${times(faster)} times; ${times(portkey.requestUs / parley.requestUs)} by CPU`,
    )
  }
  const [p50, , p99] = added(parley, direct, 'firstTokenMs') as [number, number, number]
  aim(
    `added to the first token with ${PACED_STREAMS} paced streams, p50 within 1 ms`,
    p50 <= 1,
    `${ms(p50)} ms`,
  )
  aim('the same, p99 within 5 ms', p99 <= 5, `${ms(p99)} ms`)
}
