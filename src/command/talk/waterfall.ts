/**
 * One turn as a picture in text: each attempt on a line of time that begins at the caller's end of speech.
 *
 *     stt local/moonshine-tiny   ░░░░██                           ┊     120 → 310 ms
 *     first audio                        ◆                        ┊     548 ms
 *                                0      500      1,000      1,500 ms
 *
 * `░` waits for the first output, `█` gives output, `┊` is the turn's budget.
 */
import type { AttemptRecord, TurnRecord } from '../../trace/record.ts'
import { formatMs } from '../format.ts'
import type { Paint } from '../terminal.ts'

export interface WaterfallOptions {
  /** Characters a line may take. */
  readonly columns: number
  readonly paint: Paint
}

const LABEL = 26
const FIGURES = 20
/** The axis ends this far behind the budget or the first audio, whichever is later. */
const MARGIN = 1.08
/** Speculation begins before the end of speech; more than this share of the budget is cut off on the left. */
const EARLY_SHARE = 0.25
/** A mark and the attempt that made it are written down one after the other. */
const SAME_MOMENT_MS = 2

export function waterfall(record: TurnRecord, options: WaterfallOptions): string[] {
  const { paint } = options
  const scale = makeScale(record, Math.max(24, options.columns - LABEL - FIGURES - 4))
  const { committed, firstAudioSent, interrupted } = record.marks
  const lines = []
  if (committed !== undefined && committed > 0) {
    lines.push(row(paint.dim('silence, end of turn'), scale.bar(0, 0, committed, paint.dim), committed))
  }
  for (const attempt of record.attempts) lines.push(attemptRow(attempt, record, scale, paint))
  if (firstAudioSent !== undefined) {
    lines.push(row(paint.bold('first audio'), scale.point(firstAudioSent, paint.bold('◆')), firstAudioSent))
  }
  if (interrupted !== undefined) {
    lines.push(row(paint.yellow('interrupted'), scale.point(interrupted, paint.yellow('✕')), interrupted))
  }
  lines.push(`  ${' '.repeat(LABEL)}${paint.dim(scale.ruler())}`)
  return lines
}

/** What came of the budget, in one line. */
export function verdict(record: TurnRecord, paint: Paint): string {
  const { turnMs, actualMs, brokenBy, degraded } = record.budget
  const helped = degraded.length > 0 ? ` Helped by: ${degraded.join(', ')}.` : ''
  if (actualMs === null) return paint.yellow(`No audio was sent in this turn.${helped}`)
  const took = `First audio ${formatMs(actualMs)} after the end of speech; the budget is ${formatMs(turnMs)}`
  if (actualMs <= turnMs) return paint.green(`${took}: ${formatMs(turnMs - actualMs)} to spare.`) + helped
  const by =
    brokenBy === null ? '' : `, broken by ${brokenBy === 'endpoint' ? 'the wait for silence' : brokenBy}`
  return paint.red(`${took}: ${formatMs(actualMs - turnMs)} over${by}.`) + helped
}

function attemptRow(attempt: AttemptRecord, record: TurnRecord, scale: Scale, paint: Paint): string {
  const colour = { stt: paint.cyan, llm: paint.magenta, tts: paint.blue }[attempt.stage]
  const first = attempt.firstOutputMs ?? attempt.endMs ?? scale.toMs
  const end = attempt.endMs ?? scale.toMs
  const label = `${attempt.stage} ${attempt.provider}/${attempt.model}`
  const bar = scale.bar(attempt.startMs, first, end, attempt.status === 'failed' ? paint.red : colour)
  const ending = attempt.endMs === null ? '…' : formatMs(end)
  const figures = `${Math.round(attempt.startMs)} → ${ending}${describe(attempt, record)}`
  return `  ${colour(column(label))}${bar}  ${figures}`
}

/** What is unusual about an attempt; nothing for a first try that went well. */
function describe(attempt: AttemptRecord, record: TurnRecord): string {
  const notes = []
  const early = earlyGuess(attempt, record)
  if (attempt.status === 'failed') notes.push(`failed: ${attempt.kind ?? 'unknown'}`)
  if (attempt.status === 'cancelled' && early !== 'dropped') notes.push('cancelled')
  if (attempt.hedge) notes.push('hedge')
  if (early !== 'no') notes.push(early === 'kept' ? 'begun early' : 'begun early, dropped')
  if (!/^(first|revision \d+)?$/.test(attempt.reason)) notes.push(attempt.reason)
  return notes.length > 0 ? `  (${notes.join('; ')})` : ''
}

/** The model may begin while it is still unsure whether the caller has finished: on words that hold, or do not. */
function earlyGuess(attempt: AttemptRecord, { marks }: TurnRecord): 'no' | 'kept' | 'dropped' {
  if (attempt.stage !== 'llm' || !/^(first|revision \d+)$/.test(attempt.reason)) return 'no'
  if (attempt.status === 'failed') return 'no'
  if (attempt.startMs >= (marks.committed ?? 0)) return 'no'
  const { llmFirstToken } = marks
  if (llmFirstToken === undefined || attempt.firstOutputMs === null) return 'dropped'
  return Math.abs(llmFirstToken - attempt.firstOutputMs) <= SAME_MOMENT_MS ? 'kept' : 'dropped'
}

function row(label: string, chart: string, ms: number): string {
  return `  ${column(label)}${chart}  ${formatMs(ms)}`
}

/** Pads to the label column by what is seen; colour codes take no room. */
function column(label: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape that begins a colour
  const seen = label.replace(/\u001b\[\d+m/g, '').length
  if (seen < LABEL) return label + ' '.repeat(LABEL - seen)
  return seen === label.length ? `${label.slice(0, LABEL - 2)}… ` : `${label} `
}

interface Scale {
  readonly toMs: number
  bar(startMs: number, firstMs: number, endMs: number, colour: (text: string) => string): string
  point(atMs: number, mark: string): string
  ruler(): string
}

function makeScale(record: TurnRecord, cells: number): Scale {
  const { turnMs, actualMs } = record.budget
  const earliest = Math.min(0, ...record.attempts.map((attempt) => attempt.startMs))
  const fromMs = Math.max(earliest, -turnMs * EARLY_SHARE)
  const toMs = Math.max(turnMs, actualMs ?? 0, record.marks.firstAudioSent ?? 0, 1) * MARGIN
  const cell = (ms: number) => Math.floor(((ms - fromMs) / (toMs - fromMs)) * cells)
  const inside = (n: number) => Math.max(0, Math.min(cells - 1, n))
  const budgetCell = inside(cell(turnMs))

  const empty = () => Array.from({ length: cells }, (_, n): string => (n === budgetCell ? '┊' : ' '))
  return {
    toMs,
    bar(startMs, firstMs, endMs, colour) {
      const chart = empty()
      const [start, first, end] = [cell(startMs), cell(firstMs), cell(endMs)]
      for (let n = inside(start); n <= inside(Math.max(end - 1, start)); n++) {
        chart[n] = colour(n < first ? '░' : '█')
      }
      if (start < 0) chart[0] = colour('‹')
      if (end > cells) chart[cells - 1] = colour('›')
      return chart.join('')
    },
    point(atMs, mark) {
      const chart = empty()
      chart[inside(cell(atMs))] = mark
      return chart.join('')
    },
    ruler() {
      const step = niceStep((toMs - fromMs) / (cells / 8))
      let text = ''
      for (let ms = Math.ceil(fromMs / step) * step; ms <= toMs; ms += step) {
        const at = inside(cell(ms))
        if (at >= text.length) text = `${text.padEnd(at)}${formatMs(ms)}${' '}`
      }
      return text.trimEnd()
    },
  }
}

/** The next of 1, 2, 5 times a power of ten. */
function niceStep(ms: number): number {
  const power = 10 ** Math.floor(Math.log10(ms))
  return ([1, 2, 5, 10].find((factor) => factor * power >= ms) ?? 10) * power
}
