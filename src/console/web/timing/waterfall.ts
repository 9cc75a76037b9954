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
  for (const stage of ['stt', 'llm', 'tts'] as const)
    for (const attempt of attempts.filter((a) => a.stage === stage)) rows.push(attemptRow(attempt, marks))
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

function attemptRow(attempt: AttemptRecord, marks: TurnRecord['marks']): Row {
  const endMs = attempt.endMs ?? attempt.firstOutputMs ?? attempt.startMs
  const bar: Bar = {
    fromMs: attempt.startMs,
    firstMs: attempt.firstOutputMs,
    toMs: Math.max(endMs, attempt.startMs),
    fate: attempt.status,
  }
  return {
    stage: attempt.stage,
    label: LABEL[attempt.stage],
    who: `${attempt.provider}/${attempt.model}`,
    note: note(attempt),
    fate: fate(attempt),
    bar,
    moments: moments(attempt, marks),
  }
}

/** `revision 1` is how every speculated turn begins; saying so would be noise. */
function note(attempt: AttemptRecord): string {
  if (attempt.hedge) return 'hedge'
  return attempt.reason === 'first' || attempt.reason === 'revision 1' ? '' : attempt.reason
}

function fate(attempt: AttemptRecord): string {
  if (attempt.status === 'failed') return `failed: ${attempt.kind ?? 'error'}`
  return attempt.status === 'cancelled' ? 'dropped' : ''
}

/** Marks belong to the attempt that made them: the one that was good, whose time the mark falls into. */
function moments(attempt: AttemptRecord, marks: TurnRecord['marks']): Row['moments'] {
  if (attempt.status === 'failed' || attempt.status === 'cancelled') {
    // An interrupted answer's attempts were cancelled too, yet they are what was heard.
    if (attempt.status === 'failed' || marks.interrupted === undefined) return []
  }
  const found: { name: string; ms: number }[] = []
  const add = (name: string, ms: number | null | undefined) => {
    if (ms !== null && ms !== undefined) found.push({ name, ms })
  }
  if (attempt.stage === 'stt') add('final', marks.sttFinal ?? attempt.firstOutputMs)
  if (attempt.stage === 'llm') {
    add('first token', attempt.firstOutputMs)
    add('sentence', marks.firstSentence)
  }
  if (attempt.stage === 'tts') add('first audio', attempt.firstOutputMs)
  return found.sort((a, b) => a.ms - b.ms)
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
