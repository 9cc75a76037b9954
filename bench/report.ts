/** What every benchmark prints: the machine, tidy tables, aims met or missed. */
import { cpus, loadavg, totalmem } from 'node:os'
import { canPin } from './harness/process.ts'

export const SHORT: boolean = process.argv.includes('--short')

/** The value of `--NAME VALUE`, if given. */
export function option(name: string): string | undefined {
  const at = process.argv.indexOf(`--${name}`)
  return at < 0 ? undefined : process.argv[at + 1]
}

/** `pinned`: server on one core, load on the other. */
export function printTitle(title: string, cores: 'pinned' | 'all' = 'all'): void {
  const machine = cpus()
  const gigabytes = Math.round(totalmem() / 2 ** 30)
  const placed = canPin ? 'server on core 0, load on core 1' : 'not pinned (no taskset)'
  console.log(`\n${title}`)
  console.log(
    `${machine[0]?.model.trim()} × ${machine.length}, ${gigabytes} GB, Node ${process.version}; ${cores === 'all' ? 'all on all cores' : placed}; load average before: ${loadavg()[0]!.toFixed(1)}\n`,
  )
}

/** Columns as wide as they need; the first to the left, numbers to the right. */
export function printTable(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = head.map((name, i) => Math.max(name.length, ...rows.map((row) => (row[i] ?? '').length)))
  const line = (cells: readonly string[]) =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ')
  console.log(line(head))
  console.log(widths.map((width) => '─'.repeat(width)).join('  '))
  for (const row of rows) console.log(line(row))
  console.log()
}

/** Prints one aim; a missed one is no failure of the run: machines differ. */
export function printAim(aim: string, met: 'met' | 'missed', figure: string): void {
  console.log(`aim: ${aim}: ${met} (${figure})`)
}

/** `q` from 0 to 1, of unsorted values; NaN for none. */
export function quantile(values: ArrayLike<number>, q: number): number {
  const sorted = Float64Array.from(values).sort()
  if (sorted.length === 0) return Number.NaN
  return sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)] ?? sorted[0]!
}

export function ms(value: number): string {
  return Number.isNaN(value) ? '–' : value.toFixed(value < 100 ? 2 : 0)
}

export function kB(bytes: number): string {
  return `${Math.round(bytes / 1024)} kB`
}

export function mB(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MB`
}
