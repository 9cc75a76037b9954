/** `parley replay`: a recorded session again, compared; or which of its decisions another pipeline would change. Calls nobody. */
import { readFileSync, statSync } from 'node:fs'
import type { Command } from 'commander'
import { loadPipelines } from '../config/pipeline-set.ts'
import { RecordingProblem } from '../recording/problem.ts'
import { type Recording, readRecording } from '../recording/read.ts'
import type { Difference } from '../recording/replayer.ts'
import { type Judgement, whatIf } from '../recording/what-if.ts'
import type { CommandContext, ExitCode } from './context.ts'
import type { Terminal } from './terminal.ts'
import { EXIT, UserError } from './user-error.ts'
import { changesTable } from './what-if-table.ts'

export interface ReplayOptions {
  readonly pipeline?: string
  readonly json?: true
}

/** The longest that `recording.maxMb` lets be written, and a little. */
const MAX_BYTES = 520 * 1024 * 1024
/** Of each side of a difference: the beginning that differs is what is looked for. */
const SHOWN_CHARS = 300
/** Shown before the first character that differs. */
const BEFORE_CHARS = 60

export function describeReplay(command: Command): Command {
  return command
    .description('run a recorded session again and compare; calls nobody')
    .argument('<session.jsonl>', 'a recording (settings: recording.dir)')
    .option('--pipeline <file>', 'do not run it: tell which decisions this pipeline would change')
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      `
  $ parley replay calls/20250101T120000Z-sess_0f….jsonl
  $ parley replay calls/20250101T120000Z-sess_0f….jsonl --pipeline pipelines/cheaper.yaml

Exit codes: 0 the same, 1 something differs or the file cannot be replayed. With --pipeline: 0.`,
    )
}

export async function replay(
  file: string,
  options: ReplayOptions,
  { terminal }: CommandContext,
): Promise<ExitCode> {
  try {
    const recording = readRecording(textOf(file))
    if (options.pipeline !== undefined) return compareRules(recording, options.pipeline, options, terminal)
    return await playAgain(recording, options, terminal)
  } catch (error) {
    if (error instanceof RecordingProblem) throw new UserError(`${file}: ${error.message}`)
    throw error
  }
}

function textOf(file: string): string {
  try {
    const { size } = statSync(file)
    if (size > MAX_BYTES) throw new RecordingProblem('longer than any recording is')
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof RecordingProblem) throw error
    throw new UserError(`${file} cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'no file'}`)
  }
}

async function playAgain(
  recording: Recording,
  { json }: ReplayOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  // The session and all under it: only now, so that `--help` answers at once.
  const { replay: run } = await import('../recording/replay.ts')
  const { difference, ...counts } = await run(recording)
  const { head, ends } = recording
  const code = difference ? EXIT.failed : EXIT.ok
  if (json) {
    terminal.line(JSON.stringify({ same: difference === null, ends, ...counts, difference }, null, 2))
    return code
  }
  const { paint } = terminal
  if (difference) {
    terminal.line(
      `${paint.red('differs')}: after ${counts.outputs} outputs, ${counts.turns} turns that were the same`,
    )
    for (const line of contextOf(difference)) terminal.line(`  ${line}`)
    if (head.redact.includes('text')) {
      terminal.line('  The recording holds no words: where an answer is cut can follow from them.')
    }
  } else {
    terminal.line(`${paint.green('same')}: ${counts.outputs} outputs, ${counts.turns} turns`)
  }
  if (ends === 'cut') terminal.line('  The file has no end: the server stopped while it was written.')
  if (ends === 'full') terminal.line('  The recording was full before the session ended.')
  return code
}

/** Both sides from a little before the first character that differs. */
function contextOf({ line, atMs, recorded, replayed: mine }: Difference): string[] {
  let at = 0
  while (recorded !== null && mine !== null && at < recorded.length && recorded[at] === mine[at]) at++
  const from = Math.max(0, at - BEFORE_CHARS)
  const cut = (side: string | null) =>
    side === null
      ? 'nothing more before the next input'
      : `${from > 0 ? `${side.split(' ')[0]} …` : ''}${side.slice(from, from + SHOWN_CHARS)}`
  return [
    line === 0 ? `at ${atMs.toFixed(1)} ms, at the end` : `at ${atMs.toFixed(1)} ms, line ${line}`,
    `recorded: ${cut(recorded)}`,
    `replayed: ${cut(mine)}`,
  ]
}

function compareRules(
  recording: Recording,
  file: string,
  { json }: ReplayOptions,
  terminal: Terminal,
): ExitCode {
  const other = loadPipelines({ files: [file] }).all[0]!
  const judgements: readonly Judgement[] = whatIf(recording, other)
  if (json) {
    terminal.line(JSON.stringify(judgements, null, 2))
    return EXIT.ok
  }
  const { pipeline, redact } = recording.head
  for (const line of changesTable(judgements, pipeline.name, other.name)) terminal.line(line)
  if (redact.length > 0) {
    terminal.line(`\nThe recording lacks ${redact.join(', ')}: rules that read those are judged without.`)
  }
  return EXIT.ok
}
