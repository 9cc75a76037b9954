/** What a run prints, and whether it passed: the table, what happened besides, and the story of the first turn that went wrong. */
import { printTable } from '../report.ts'
import type { Verdict } from './judge.ts'
import type { RunOptions, RunResult } from './memory.ts'
import { tableOf } from './table.ts'

const SHOWN = 20

export function printRun(name: string, options: RunOptions, result: RunResult): 'passed' | 'failed' {
  const { verdicts, world, leaks } = result
  const count = (which: (verdict: Verdict) => boolean) => verdicts.filter(which).length
  console.log(
    `\n${name}: ${verdicts.length} turns, seed ${options.seed}, ${options.lanes} callers at once, ${Math.round(result.elapsedMs / 1000)} s of conversation\n`,
  )
  const { head, rows } = tableOf(verdicts)
  printTable(head, rows)
  console.log(
    [
      `${count(({ interrupted }) => interrupted)} interrupted`,
      `${count(({ plan }) => plan.kind === 'tool')} with a tool`,
      `${count(({ filled }) => filled)} with a filler`,
      `${count(({ restarts }) => restarts > 0)} with a sentence that restarted (${count(({ untold }) => untold > 0)} at its very end)`,
      `longest silence ${Math.round(Math.max(...verdicts.map(({ silentMs }) => silentMs)))} ms`,
    ].join(', '),
  )
  for (const leak of leaks) console.log(`LEFT BEHIND: ${leak}`)
  for (const { turn, what } of world.violations.slice(0, SHOWN))
    console.log(`WRONG: turn ${turn ?? '–'}: ${what}`)
  if (world.violations.length > SHOWN) console.log(`… ${world.violations.length - SHOWN} more`)
  const turns = world.violations.flatMap(({ turn }) => turn ?? [])
  const first = turns.length > 0 ? Math.min(...turns) : null
  if (first !== null) printStory(first, result)
  const passed = leaks.length === 0 && world.violations.length === 0
  console.log(
    passed
      ? 'Nothing went wrong, and nothing is left behind.'
      : `FAILED: npm run chaos -- --seed ${options.seed} --turns ${options.turns} shows it again.`,
  )
  return passed ? 'passed' : 'failed'
}

function printStory(turn: number, { world, verdicts }: RunResult): void {
  console.log(`\nTurn ${turn}: ${JSON.stringify(world.plan(turn))}`)
  for (const line of world.log) if (line.turn === turn) console.log(`  ${Math.round(line.at)}  ${line.what}`)
  const record = verdicts.find(({ plan }) => plan.turn === turn)?.record
  for (const attempt of record?.attempts ?? []) {
    const { stage, provider, status, kind, reason, startMs, firstOutputMs, endMs } = attempt
    console.log(
      `  ${stage} ${provider} ${status} ${kind ?? ''} (${reason}) ${startMs} ${firstOutputMs} ${endMs}`,
    )
  }
  console.log(`  ${JSON.stringify(record?.budget)} ${JSON.stringify(record?.marks)}\n`)
}
