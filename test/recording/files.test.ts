/** Files that are damaged, cut, made up or written with holes: each is told from a session that went another way. */
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { RecordingProblem } from '../../src/recording/problem.ts'
import { readRecording } from '../../src/recording/read.ts'
import { replay } from '../../src/recording/replay.ts'
import { FakeLlm, FakeStt } from '../support/stages.ts'
import { KEEP, RecordedCall } from './recorded.ts'

async function record(rule = KEEP): Promise<string[]> {
  const recorded = await RecordedCall.open(
    {
      stt: new FakeStt({ words: ['What is it, Dr. Smith?'], finalMs: 60 }),
      llm: new FakeLlm({ firstTokenMs: 30 }),
    },
    rule,
  )
  await recorded.call.says(500)
  await recorded.call.wait(3000)
  await recorded.call.hangUp()
  return [...recorded.lines]
}

let lines: string[]
beforeAll(async () => {
  lines = await record()
})
const read = (some: readonly string[]) => readRecording(`${some.join('\n')}\n`)
const where = (text: string, from = 0) => lines.findIndex((line, i) => i >= from && line.includes(text))

describe('a file that is no recording', () => {
  test.each([
    ['', 'the file is empty'],
    ['\n', 'line 1: this is no recording'],
    ['{}\n', 'line 1: this is no recording'],
    ['# a page\n', 'line 1: this is no recording'],
    ['{"l":"end","why":"closed"}\n', 'line 1: this is no recording'],
    ['{"l":"__proto__"}\n', 'line 1: this is no recording'],
  ])('%j', (text, message) => {
    expect(() => readRecording(text)).toThrow(message)
  })

  test('nested deeper than any value', () => {
    expect(() => readRecording(`${'['.repeat(50_000)}\n`)).toThrow('line 1: this is no recording')
    expect(() => read([lines[0]!, `${'['.repeat(5000)}${']'.repeat(5000)}`])).toThrow(
      'line 2: nested too deeply',
    )
  })

  test('of another version', () => {
    const head = lines[0]!.replace(/"version":\d+/, '"version":0')
    expect(() => read([head])).toThrow('line 1: version: was written by another version')
  })
})

describe('a file that was damaged', () => {
  test('cut inside a line: the line is named', () => {
    const text = lines.join('\n')
    expect(() => readRecording(text.slice(0, -5))).toThrow(`line ${lines.length}: the file is cut off`)
  })

  test('cut after a line: what is there plays, and has no end', async () => {
    const recording = read(lines.slice(0, 200))
    expect(recording.ends).toBe('cut')
    expect((await replay(recording)).difference).toBeNull()
  })

  test('with a hole: refused, since nothing after it follows from what is before', () => {
    const holed = [...lines.slice(0, 50), '{"l":"hole","lines":7}', ...lines.slice(57)]
    expect(() => read(holed)).toThrow('line 51: the recording has a hole: 7 lines were lost here')
  })

  test('a line that was taken out is noticed where it is missing', async () => {
    const gone = where('"do":"stt.finalize"')
    const { difference } = await replay(read(lines.toSpliced(gone, 1)))
    expect(difference).toMatchObject({ line: gone + 1, replayed: expect.stringContaining('stt.finalize') })
  })

  test('words of the recogniser changed: the model is asked something else', async () => {
    const said = where('"type":"final"')
    const changed = lines.with(said, lines[said]!.replace('What', 'Who'))
    const { difference } = await replay(read(changed))
    expect(difference!.line).toBeGreaterThan(said + 1)
    expect(difference!.recorded).not.toBe(difference!.replayed)
  })

  test('an answer to a question nobody asked', async () => {
    const at = where('"do":"answer"')
    const changed = lines.with(at, lines[at]!.replace(/"run":\d+/, '"run":9999'))
    await expect(replay(read(changed))).rejects.toThrow(`line ${at + 1}: an answer to no question: 9999`)
  })

  test('time that runs backwards', () => {
    const at = where('"l":"step"', 100)
    const changed = lines.with(at, lines[at]!.replace(/"at":[\d.]+/, '"at":-1'))
    expect(() => read(changed)).toThrow(`line ${at + 1}: the time goes back`)
  })

  test('anything at all: a problem, a difference or the same, and never another error', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(lines.length - 1),
        fc.nat(400),
        fc.constantFrom('null', '9', '"', '{}', '[1]', '"x"', '-', '\u0000', '1e999', ''),
        fc.nat(6),
        async (row, at, put, cut) => {
          const line = lines[row]!
          const from = at % line.length
          const changed = lines.with(row, line.slice(0, from) + put + line.slice(from + cut))
          try {
            await replay(read(changed))
          } catch (error) {
            if (!(error instanceof RecordingProblem)) throw error
          }
        },
      ),
      { numRuns: 150 },
    )
  }, 60_000)
})

describe('what is left out', () => {
  test('words: none is in the file, the same word has the same shape, and it plays again', async () => {
    const redacted = await record({ audio: 'keep', redact: ['text'] })
    const text = redacted.join('\n')
    expect(text).not.toMatch(/Smith|What is|Hello|help/)
    expect(text).toContain('Xxxx xx xx, Xx. Xxxxx?')
    expect((await replay(read(redacted))).difference).toBeNull()
  })

  test('voices: the file is small, holds no sound, and plays again', async () => {
    const dropped = await record({ audio: 'drop', redact: [] })
    expect(dropped.join('').length).toBeLessThan(lines.join('').length / 2)
    expect(dropped.join('\n')).not.toContain('$b')
    const { difference, outputs } = await replay(read(dropped))
    expect([difference, outputs > 10]).toEqual([null, true])
  })
})
