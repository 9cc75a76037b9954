/** Reads a recording: every line checked, bytes decoded. What came from a disk is believed in nothing. */
import { z } from 'zod'
import { decode } from './encode.ts'
import type { Head, JudgedFacts, Line, Mark, Step } from './lines.ts'
import { VERSION } from './lines.ts'
import { RecordingProblem } from './problem.ts'

export interface Recording {
  readonly head: Head
  /** Steps and marks in their order, with the line each stands in. */
  readonly lines: readonly { readonly line: number; readonly is: Step | Mark }[]
  readonly judged: readonly JudgedFacts[]
  /** `closed`: the whole session. `full`: up to `maxMb`. `cut`: the file just ends. */
  readonly ends: 'closed' | 'full' | 'cut'
}

const text = z.string().max(100_000)
const count = z.int().min(0)
const format = z.looseObject({
  encoding: z.enum(['pcm16', 'mulaw', 'alaw']),
  sampleRateHz: z.int().min(8000).max(96_000),
})
const stage = z.enum(['stt', 'llm', 'tts'])
const routes = z.looseObject({ routes: z.array(z.looseObject({ name: text })) })
const shapes = {
  head: z.looseObject({
    version: z.literal(VERSION, `was written by another version; this one reads version ${VERSION}`),
    id: text,
    at: z.number(),
    wallMs: z.number(),
    audio: z.enum(['keep', 'drop']),
    redact: z.array(z.enum(['text', 'metadata', 'user'])),
    settings: z.looseObject({
      instructions: z.string(),
      voice: text,
      inputFormat: format,
      outputFormat: format,
      turnDetection: z.looseObject({}).nullable(),
      interruption: z.looseObject({
        minSpeechMs: z.number(),
        minWords: z.number(),
        ignore: z.array(text),
      }),
      tools: z.array(z.looseObject({ name: text })),
      maxRevisions: z.number(),
    }),
    greeting: z.string().nullable(),
    origin: z.looseObject({
      wire: text,
      caps: z.looseObject({}),
      metadata: z.record(z.string(), z.unknown()),
    }),
    clientMay: z.array(text),
    turnMs: z.number(),
    pipeline: z.looseObject({ name: text, stt: routes, llm: routes, tts: routes }),
    pipelineHash: text,
  }),
  mark: z.looseObject({ do: text, is: z.record(z.string(), z.unknown()) }),
  facts: z.looseObject({
    stage,
    voice: text.nullable(),
    facts: z.looseObject({
      key: z.looseObject({ id: text, attributes: z.record(z.string(), z.string()) }).nullable(),
      metadata: z.record(z.string(), z.unknown()),
      minted: z.record(z.string(), z.unknown()),
      session: z.looseObject({ id: text, turns: z.number() }),
      turn: z.looseObject({ text: z.string() }).nullable(),
      request: z.looseObject({ messages: z.array(z.looseObject({ text: z.string() })) }).nullable(),
      inputTokens: z.number(),
      wallMs: z.number(),
    }),
    targets: z.record(
      z.string(),
      z.looseObject({ latency: z.looseObject({ p50Ms: z.number() }), priceUsd: z.number().nullable() }),
    ),
    health: z.record(z.string(), z.looseObject({})),
  }),
  hole: z.looseObject({ lines: count }),
  end: z.looseObject({ why: z.enum(['closed', 'full']) }),
}
const failed = z.looseObject({ is: z.enum(['aborted', 'provider', 'error']) })
const at = z.number()
const step = z.discriminatedUnion('do', [
  z.looseObject({ at, do: z.literal('audio'), bytes: z.instanceof(Uint8Array) }),
  z.looseObject({ at, do: z.literal('client'), event: z.looseObject({ type: text }) }),
  z.looseObject({ at, do: z.literal('close'), reason: text }),
  z.looseObject({ at, do: z.literal('finish') }),
  z.looseObject({ at, do: z.literal('pull') }),
  z.looseObject({ at, do: z.literal('leave') }),
  z.looseObject({ at, do: z.literal('timer'), timer: count }),
  z.looseObject({ at, do: z.literal('turn'), turn: count }),
  z.looseObject({
    at,
    do: z.literal('answer'),
    run: count,
    ok: z.unknown().optional(),
    failed: failed.optional(),
  }),
])

/** Throws `RecordingProblem`. */
export function readRecording(file: string): Recording {
  const rows = file.split('\n')
  const last = rows.pop()
  if (file === '') throw new RecordingProblem('the file is empty')
  if (last !== '') {
    const line = rows.length + 1
    throw new RecordingProblem(
      line === 1 ? 'this is no recording of a session' : 'the file is cut off in this line',
      line,
    )
  }
  let head: Head | undefined
  let ends: Recording['ends'] = 'cut'
  let time = Number.NEGATIVE_INFINITY
  const lines: { line: number; is: Step | Mark }[] = []
  const judged: JudgedFacts[] = []
  rows.forEach((row, i) => {
    const line = i + 1
    const read = parse(row, line)
    if (ends !== 'cut') throw new RecordingProblem('there is more after the end', line)
    if ((read.l === 'head') !== (line === 1)) {
      throw new RecordingProblem(
        line === 1 ? 'this is no recording of a session' : 'a second beginning',
        line,
      )
    }
    switch (read.l) {
      case 'head':
        head = read
        return
      case 'hole':
        throw new RecordingProblem(
          `the recording has a hole: ${read.lines} lines were lost here, because the disk was too slow`,
          line,
        )
      case 'end':
        ends = read.why
        return
      case 'facts':
        judged.push({ ...read, lineup: null })
        return
      case 'step':
        if (read.at < time) throw new RecordingProblem('the time goes back', line)
        time = read.at
        lines.push({ line, is: read })
        return
      case 'mark':
        lines.push({ line, is: read })
        if (read.do.startsWith('lineup.')) follow(judged, read, line)
    }
  })
  if (!head) throw new RecordingProblem('the file is empty')
  return { head, lines, judged, ends }
}

const lineup = z.array(
  z.looseObject({ id: text, target: text, provider: text, model: text, caps: z.looseObject({}) }),
)

/** The lineup belongs to the facts that stand before it. */
function follow(judged: JudgedFacts[], mark: Mark, line: number): void {
  const last = judged.at(-1)
  const { success, data } = lineup.safeParse(mark.got)
  if (!last || !success || mark.do !== `lineup.${last.stage}`) {
    throw new RecordingProblem('a lineup that follows from no facts', line)
  }
  judged[judged.length - 1] = { ...last, lineup: data.map(({ target }) => target) }
}

/** A mark's detail stays as it was encoded: it is only compared. */
function unwritten(row: unknown): unknown {
  if (typeof row !== 'object' || row === null || (row as { l?: unknown }).l !== 'mark') return decode(row)
  const mark = row as { readonly got?: unknown }
  return 'got' in mark ? { ...mark, got: decode(mark.got) } : mark
}

function parse(row: string, line: number): Line {
  let value: unknown
  try {
    value = unwritten(JSON.parse(row))
  } catch (error) {
    const why = error instanceof SyntaxError ? 'no JSON' : (error as Error).message
    throw new RecordingProblem(line === 1 ? 'this is no recording of a session' : why, line)
  }
  const kind = typeof value === 'object' && value !== null ? (value as { l?: unknown }).l : undefined
  const shape =
    kind === 'step' ? step : Object.hasOwn(shapes, String(kind)) ? shapes[kind as keyof typeof shapes] : null
  if (!shape) {
    throw new RecordingProblem(line === 1 ? 'this is no recording of a session' : 'an unknown line', line)
  }
  const { success, error } = shape.safeParse(value)
  if (success) return value as Line
  const { path, message } = error.issues[0]!
  throw new RecordingProblem(`${path.join('.') || 'the line'}: ${message}`, line)
}
