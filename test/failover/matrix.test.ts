/** A sample of the failover matrix (`npm run failover`) is what stands in docs/failover.md, and nothing else of a conversation changes. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { FAULTS } from '../../bench/failover/break.ts'
import { Matrix, type Stage } from '../../bench/failover/matrix.ts'
import { cellIn, cellOf, DOCS, tablesIn } from '../../bench/failover/tables.ts'

/** Each adapter breaks or takes over once at least. */
const SAMPLE: readonly (readonly [Stage, string, string])[] = [
  ['stt', 'Deepgram', 'AssemblyAI'],
  ['stt', 'Soniox', 'Flux'],
  ['stt', 'Speechmatics', 'Scribe'],
  ['stt', 'files', 'Gladia'],
  ['stt', 'OpenAI', 'OpenAI live'],
  ['stt', 'Google', 'Azure'],
  ['stt', 'Azure', 'Google'],
  ['tts', 'ElevenLabs', 'Cartesia'],
  ['tts', 'Flux', 'Aura'],
  ['tts', 'Rime', 'Soniox'],
  ['tts', 'Inworld', '/audio/speech'],
  ['tts', 'Google', 'Azure'],
  ['tts', 'Azure', 'Google'],
  ['tts', '/audio/speech', 'Hume'],
  ['tts', 'Hume', 'Inworld'],
]

test.each(SAMPLE)(
  '%s: %s breaks, %s takes over, as docs/failover.md has it',
  async (stage, first, second) => {
    const matrix = new Matrix()
    const cells = []
    for (const fault of FAULTS) cells.push(await matrix.cell(stage, first, second, fault))
    expect(cells.flatMap(({ figures }) => figures.wrong)).toEqual([])
    expect(cellOf(cells)).toBe(cellIn(tablesIn(readFileSync(DOCS, 'utf8')), stage, first, second))
  },
)
