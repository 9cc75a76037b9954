/** Every ordered pair of recognisers and of voices, with every fault: figures of each. */
import { loadAudio } from '../../src/audio/convert.ts'
import { VirtualClock } from '../../src/clock.ts'
import { Break, type FaultName } from './break.ts'
import { converse, type Told } from './conversation.ts'
import { type Figures, measureRecognition, measureVoice } from './measure.ts'
import { PACKAGED_RECOGNISERS, PACKAGED_VOICES } from './packaged.ts'
import { RECOGNISERS, type Recogniser } from './recognisers.ts'
import { VOICES, type Voice } from './voices.ts'

export type Stage = 'stt' | 'tts'

export interface Cell {
  readonly stage: Stage
  readonly first: string
  readonly second: string
  readonly fault: FaultName
  readonly figures: Figures
}

const EARS = [...RECOGNISERS, ...PACKAGED_RECOGNISERS]
const MOUTHS = [...VOICES, ...PACKAGED_VOICES]
/** Recogniser and voice of the conversations in which the other stage breaks. */
const STEADY = { recogniser: RECOGNISERS[0]!, voice: VOICES[1]! }

export class Matrix {
  /** Conversations without a fault, by stage and title of the first. */
  readonly #clean = new Map<string, Promise<readonly Told[]>>()

  async cell(stage: Stage, first: string, second: string, fault: FaultName): Promise<Cell> {
    await loadAudio()
    const clean = await this.#cleanOf(stage, first, second)
    const told = await run(stage, first, second, fault)
    const measure = stage === 'stt' ? measureRecognition : measureVoice
    return { stage, first, second, fault, figures: measure(told, clean) }
  }

  #cleanOf(stage: Stage, first: string, second: string): Promise<readonly Told[]> {
    const key = `${stage} ${first}`
    const known = this.#clean.get(key) ?? run(stage, first, second, null)
    this.#clean.set(key, known)
    return known
  }
}

/** Of a stage, in the order of the table. */
export function titlesOf(stage: Stage): string[] {
  return (stage === 'stt' ? EARS : MOUTHS).map(({ title }) => title)
}

async function run(stage: Stage, first: string, second: string, fault: FaultName | null): Promise<Told[]> {
  const clock = new VirtualClock()
  const [broken, sound] = [new Break(fault), new Break(null)]
  const stt: readonly Recogniser[] =
    stage === 'stt' ? [named(EARS, first), named(EARS, second)] : [STEADY.recogniser]
  const tts: readonly Voice[] =
    stage === 'tts' ? [named(MOUTHS, first), named(MOUTHS, second)] : [STEADY.voice]
  const ears = stt.map((one, i) => one.play(`ear${i}`, i === 0 && stage === 'stt' ? broken : sound, clock))
  const voices = tts.map((one, i) =>
    one.play(`voice${i}`, i === 0 && stage === 'tts' ? broken : sound, clock),
  )
  const use = (name: string, all: readonly { readonly model: string }[]) =>
    all.map(({ model }, i) => `${name}${i}/${model}`).join(', ')
  const ids = tts.map(({ voice }, i) => `voice${i}: ${voice}`).join(', ')
  const played = [...ears, ...voices]
  const told = await converse({
    clock,
    providers: played.map(({ provider }) => provider),
    pipeline: `stt: { routes: [{ name: any, use: [${use('ear', stt)}] }] }
tts: { routes: [{ name: any, use: [${use('voice', tts)}] }] }
voices: { any: { ${ids} } }
`,
    broken,
  })
  const mistakes = played.flatMap((one) => one.mistakes())
  if (mistakes.length > 0) throw new Error(`${first}, ${second}, ${fault}: a double objects: ${mistakes[0]}`)
  if (fault !== null && !broken.struck) throw new Error(`${first}, ${second}: ${fault} did not strike`)
  return told
}

function named<T extends { readonly title: string }>(all: readonly T[], title: string): T {
  const found = all.find((one) => one.title === title)
  if (!found) throw new Error(`there is no ${title}`)
  return found
}
