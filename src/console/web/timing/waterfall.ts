/** A turn's timing as something to draw: rows of bars on one scale. Pure; all times in ms from clock zero. */
import type { AttemptRecord, TurnRecord } from '../../../trace/record.ts'
import type { TurnReport } from '../talk/events.ts'

export interface Bar {
  readonly fromMs: number
  /** Where waiting ends and output begins; null: nothing came. */
  readonly firstMs: number | null
  readonly toMs: number
  readonly fate: 'ok' | 'failed' | 'cancelled' | 'running'
}

export interface Row {
  readonly stage: 'silence' | 'stt' | 'llm' | 'tts'
  readonly label: string
  /** `provider/model`, or what the row is about. */
  readonly who: string
  /** Why this target, unless it was simply the first. */
  readonly note: string
  /** How it went wrong, if it did. */
  readonly fate: string
  readonly bar: Bar
  /** Named moments on this row, in order of time. */
  readonly moments: readonly { readonly name: string; readonly ms: number }[]
}

export interface Waterfall {
  /** The scale; bars beyond it are cut at its edges. */
  readonly fromMs: number
  readonly toMs: number
  readonly ticks: readonly number[]
  readonly zero: 'end of speech' | 'request'
  readonly budgetMs: number
  readonly firstAudioMs: number | null
  readonly brokenBy: string | null
  readonly degraded: readonly string[]
  readonly costUsd: number | null
  readonly rows: readonly Row[]
}

/** A mark and the attempt that made it are written down one after the other. */
const SAME_MOMENT_MS = 2

const LABEL = { stt: 'STT', llm: 'LLM', tts: 'TTS' } as const

/** Draws from the record where there is one: it is final, the report only as of `response.done`. */
export function waterfall(report: TurnReport, record: TurnRecord | null): Waterfall {
  const { attempts, budget, costUsd } = record ?? report
  const marks = record?.marks ?? {}
  const spoken =
    attempts.some((a) => a.stage === 'stt') || (marks.speechEnd ?? marks.speechStart) !== undefined
  const firstAudioMs = budget.actualMs ?? marks.firstAudioSent ?? null
  const rows: Row[] = []
  if (spoken && marks.committed !== undefined && marks.committed > 0) rows.push(silence(marks.committed))
  for (const stage of ['stt', 'llm', 'tts'] as const) {
    const tries = attempts.filter((a) => a.stage === stage)
    for (const attempt of tries) rows.push(attemptRow(attempt, tries, marks))
  }
  const toMs = scaleEnd(Math.max(budget.turnMs, firstAudioMs ?? 0, marks.committed ?? 0))
  const earliest = Math.min(0, ...rows.map((row) => row.bar.fromMs))
  const fromMs = Math.max(earliest, -0.08 * toMs)
  return {
    fromMs,
    toMs,
    ticks: ticks(toMs),
    zero: spoken ? 'end of speech' : 'request',
    budgetMs: budget.turnMs,
    firstAudioMs,
    brokenBy: budget.brokenBy,
    degraded: budget.degraded,
    costUsd,
    rows,
  }
}

/** Where a moment lies on the scale, 0…1; the edges for what is beyond. */
export function place(scale: Pick<Waterfall, 'fromMs' | 'toMs'>, ms: number): number {
  return Math.max(0, Math.min(1, (ms - scale.fromMs) / (scale.toMs - scale.fromMs)))
}

function silence(committedMs: number): Row {
  const bar: Bar = { fromMs: 0, firstMs: null, toMs: committedMs, fate: 'ok' }
  const moments = [{ name: 'window', ms: committedMs }]
  return {
    stage: 'silence',
    label: 'Silence',
    who: 'in case you go on',
    note: '',
    fate: '',
    bar,
    moments,
  }
}

function attemptRow(
  attempt: AttemptRecord,
  tries: readonly AttemptRecord[],
  marks: TurnRecord['marks'],
): Row {
  const endMs = attempt.endMs ?? attempt.firstOutputMs ?? attempt.startMs
  const used = good(attempt, tries, marks)
  return {
    stage: attempt.stage,
    label: LABEL[attempt.stage],
    who: `${attempt.provider}/${attempt.model}`,
    note: note(attempt),
    fate: used ? '' : fate(attempt),
    bar: {
      fromMs: attempt.startMs,
      firstMs: attempt.firstOutputMs,
      toMs: Math.max(endMs, attempt.startMs),
      fate: used && attempt.status === 'cancelled' ? 'ok' : attempt.status,
    },
    moments: used ? moments(attempt, tries, marks) : [],
  }
}

/** An interrupted answer's last attempts were cancelled too, yet they are what was heard. */
function good(attempt: AttemptRecord, tries: readonly AttemptRecord[], marks: TurnRecord['marks']): boolean {
  if (outdated(attempt, tries, marks)) return false
  if (attempt.status === 'ok' || attempt.status === 'running') return true
  return attempt.status === 'cancelled' && marks.interrupted !== undefined && attempt === tries.at(-1)
}

/** The model began before the caller had surely ended, and was through before the words turned out to be others. */
function outdated(
  attempt: AttemptRecord,
  tries: readonly AttemptRecord[],
  { committed, llmFirstToken }: TurnRecord['marks'],
): boolean {
  if (attempt.stage !== 'llm' || attempt === tries.at(-1)) return false
  if (committed === undefined || llmFirstToken === undefined || attempt.startMs >= committed) return false
  return attempt.firstOutputMs === null || attempt.firstOutputMs < llmFirstToken - SAME_MOMENT_MS
}

/** `revision 1` is how every speculated turn begins; saying so would be noise. */
function note(attempt: AttemptRecord): string {
  if (attempt.hedge) return 'hedge'
  return attempt.reason === 'first' || attempt.reason === 'revision 1' ? '' : attempt.reason
}

function fate(attempt: AttemptRecord): string {
  return attempt.status === 'failed' ? `failed: ${attempt.kind ?? 'error'}` : 'dropped'
}

/** The turn's marks name no attempt: each belongs to the last good one that had begun by then. */
function moments(
  attempt: AttemptRecord,
  tries: readonly AttemptRecord[],
  marks: TurnRecord['marks'],
): Row['moments'] {
  const owned = (ms: number | undefined) =>
    ms !== undefined && attempt === tries.findLast((a) => good(a, tries, marks) && a.startMs <= ms)
      ? ms
      : null
  const named: readonly (readonly [name: string, ms: number | null])[] = {
    stt: [['final', owned(marks.sttFinal) ?? attempt.firstOutputMs] as const],
    llm: [['first token', attempt.firstOutputMs] as const, ['sentence', owned(marks.firstSentence)] as const],
    tts: [['first audio', attempt.firstOutputMs] as const],
  }[attempt.stage]
  return named.flatMap(([name, ms]) => (ms === null ? [] : [{ name, ms }])).sort((a, b) => a.ms - b.ms)
}

/** A little room behind the budget line, so that it is seen as a line and not as the edge. */
function scaleEnd(ms: number): number {
  return ms * 1.06
}

function ticks(toMs: number): readonly number[] {
  const step = [100, 250, 500, 1000, 2000, 5000, 10_000].find((s) => toMs / s <= 5) ?? Math.ceil(toMs / 5)
  const all: number[] = []
  for (let ms = 0; ms <= toMs; ms += step) all.push(ms)
  return all
}
