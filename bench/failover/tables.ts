/** The matrix as tables of docs/failover.md, between two marked lines. */
import { resolve } from 'node:path'
import type { FaultName } from './break.ts'
import { type Cell, type Stage, titlesOf } from './matrix.ts'
import type { Figures } from './measure.ts'

export const DOCS: string = resolve(import.meta.dirname, '../../docs/failover.md')
const BEGIN = '<!-- failover matrix: begin -->\n'
const END = '<!-- failover matrix: end -->'

const TITLES: Readonly<Record<Stage, string>> = {
  stt: '**Recognition**',
  tts: '**Voices**',
}

/** Everything but silence is told at once. */
const SILENCE: FaultName = 'silent_after_ms'

export function tablesOf(cells: readonly Cell[]): string {
  return (['stt', 'tts'] satisfies Stage[]).map((stage) => `${tableOf(stage, cells)}\n`).join('\n')
}

function tableOf(stage: Stage, cells: readonly Cell[]): string {
  const titles = titlesOf(stage)
  const rows = titles.map((first) => [
    `**${first}**`,
    ...titles.map((second) =>
      first === second
        ? '–'
        : cellOf(
            cells.filter((cell) => cell.stage === stage && cell.first === first && cell.second === second),
          ),
    ),
  ])
  const line = (parts: readonly string[]) => `| ${parts.join(' | ')} |`
  const head = [`breaks ↓ · takes over →`, ...titles]
  return [TITLES[stage], '', line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n')
}

/** The worst of those that are told, then silence; what stands in the docs of one pair. */
export function cellOf(cells: readonly Cell[]): string {
  const told = cells.filter(({ fault }) => fault !== SILENCE).map(({ figures }) => figures)
  const silent = cells.filter(({ fault }) => fault === SILENCE).map(({ figures }) => figures)
  return `${worstOf(told)} · ${worstOf(silent)}`
}

function worstOf(figures: readonly Figures[]): string {
  const most = (of: (one: Figures) => number) => Math.max(...figures.map(of))
  const addedMs = most((one) => one.addedMs)
  return `${most(({ lost }) => lost)}/${most(({ repeated }) => repeated)}/${addedMs < 0 ? '−' : '+'}${Math.abs(addedMs)}`
}

/** What stands between the marked lines. */
export function tablesIn(docs: string): string {
  const [from, to] = boundsIn(docs)
  return docs.slice(from, to)
}

/** The cell of a pair in the tables of the docs; undefined: there is none. */
export function cellIn(tables: string, stage: Stage, first: string, second: string): string | undefined {
  const part = tables.slice(tables.indexOf(TITLES[stage]))
  const row = part.split('\n').find((line) => line.startsWith(`| **${first}** |`))
  return row?.split(' | ')[1 + titlesOf(stage).indexOf(second)]?.replace(/ \|$/, '')
}

export function withTables(docs: string, tables: string): string {
  const [from, to] = boundsIn(docs)
  return docs.slice(0, from) + tables + docs.slice(to)
}

function boundsIn(docs: string): [number, number] {
  const [begin, end] = [docs.indexOf(BEGIN), docs.indexOf(END)]
  if (begin < 0 || end < begin) throw new Error('docs/failover.md has no place for the matrix')
  return [begin + BEGIN.length, end]
}
