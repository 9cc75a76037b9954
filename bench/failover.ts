/**
 * The failover matrix: each recogniser breaks in the middle of an utterance, each voice in the middle of an answer, and each
 * other one takes over. Writes its tables into docs/failover.md; `--check` fails where they are not what stands there.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { FAULTS } from './failover/break.ts'
import { type Cell, Matrix, type Stage, titlesOf } from './failover/matrix.ts'
import { DOCS, tablesIn, tablesOf, withTables } from './failover/tables.ts'

const matrix = new Matrix()
const cells: Cell[] = []
for (const stage of ['stt', 'tts'] satisfies Stage[]) {
  for (const first of titlesOf(stage)) {
    for (const second of titlesOf(stage)) {
      if (first === second) continue
      for (const fault of FAULTS) cells.push(await matrix.cell(stage, first, second, fault))
    }
  }
}

const wrong = cells.filter(({ figures }) => figures.wrong.length > 0)
for (const { stage, first, second, fault, figures } of wrong) {
  console.log(`WRONG: ${stage}, ${first} to ${second}, ${fault}: ${figures.wrong.join('; ')}`)
}
const text = readFileSync(DOCS, 'utf8')
const tables = tablesOf(cells)
console.log(tables)
const stands = tablesIn(text) === tables
if (!process.argv.includes('--check')) writeFileSync(DOCS, withTables(text, tables))
else if (!stands) console.log('docs/failover.md has other tables: npm run failover writes them')
process.exitCode = wrong.length > 0 || (!stands && process.argv.includes('--check')) ? 1 : 0
