/** Three turns between a caller and a whole session, the second of which breaks: what reached the model, what the caller heard, and when. */
import { msToBytes, PCM16_24K } from '../../src/audio/format.ts'
import { delay, type VirtualClock } from '../../src/clock.ts'
import type { Session } from '../../src/session/session.ts'
import type { Provider } from '../../src/stage/provider.ts'
import { type HeardWord, Loudspeaker } from '../chaos/loudspeaker.ts'
import { questionWords, speechOf, wordOf } from '../chaos/words.ts'
import { openMemoryHost } from '../harness/memory-host.ts'
import type { Break } from './break.ts'
import { TURNS, wordsAtLevels } from './levels.ts'
import { type Script, scriptedModel } from './model.ts'
import { WORDS_A_SENTENCE } from './sounds.ts'

/** Words of each question after its number. */
const MORE = [
  [4, 5, 6, 7, 8, 9],
  [7, 8, 9, 10, 11, 12],
  [10, 11, 12, 13, 14, 15],
] as const
export const BROKEN_TURN = 1
const SENTENCES = 3
export const ANSWER_WORDS = SENTENCES * WORDS_A_SENTENCE

const FRAME_MS = 20
/** Longer than ends a turn. */
const SILENT_MS = 800
const REST_MS = 700
/** Before any caller: phrases are made. */
const WARM_UP_MS = 1_000
const TURN_LIMIT_MS = 40_000
/** The hiss of a line: nothing that anybody takes for speech, and no zeros, which are what clients make up. */
const HISS = 300

export interface Told {
  readonly question: readonly string[]
  /** What the model was asked at last. */
  readonly prompt: string
  /** The number of the words that were to be heard. */
  readonly turn: number
  readonly heard: readonly HeardWord[]
  /** From the end of the question to the first and to the last sound of its answer; null: there was none. */
  readonly firstMs: number | null
  readonly lastMs: number | null
  readonly status: string
}

export interface Cast {
  readonly clock: VirtualClock
  /** Recognisers and voices. */
  readonly providers: readonly Provider[]
  /** Members of the pipeline but for its model. */
  readonly pipeline: string
  readonly broken: Break
}

export async function converse({ clock, providers, pipeline, broken }: Cast): Promise<Told[]> {
  const script: Script = { prompts: [], answer: '' }
  const model = scriptedModel('model', script, clock)
  const all = [...providers, model]
  const { host, phrases, metrics } = openMemoryHost({
    clock,
    providers: all,
    pipelines: new Map([['failover', `name: failover\ndefault: true\n${MODEL}${pipeline}`]]),
    onFailed: () => {},
  })
  await clock.advance(WARM_UP_MS)
  const caps = { leadMs: null, ownsOutput: false, reportsPlayed: false }
  const session = host.open({ wire: 'failover', caps, pipeline: null, key: null, metadata: {}, user: null })
  const caller = new Caller(session, clock)
  const told: Told[] = []
  for (const [i, turn] of TURNS.entries()) {
    const question = questionWords(turn, MORE[i]!)
    script.answer = answerOf(turn)
    broken.armed = i === BROKEN_TURN
    told.push({
      question,
      turn,
      ...(await during(clock, caller.ask(question))),
      prompt: script.prompts.at(-1) ?? '',
    })
  }
  await during(clock, session.close('client'))
  phrases.close()
  await during(clock, Promise.all(all.map((provider) => provider.close())))
  metrics.close()
  return told
}

const MODEL = `
instructions: Be brief.
voice: any
language: en
llm: { routes: [{ name: any, use: [model/m] }] }
`

function answerOf(turn: number): string {
  const sentence = (from: number) =>
    Array.from({ length: WORDS_A_SENTENCE }, (_, i) => wordOf({ turn, place: from + i })).join(' ')
  return Array.from({ length: SENTENCES }, (_, i) => `${capital(sentence(i * WORDS_A_SENTENCE))}.`).join(' ')
}

function capital(text: string): string {
  return text[0]!.toUpperCase() + text.slice(1)
}

async function during<T>(clock: VirtualClock, work: Promise<T>): Promise<T> {
  let state: 'runs' | 'over' = 'runs'
  const done = () => {
    state = 'over'
  }
  work.then(done, done)
  while ((state as 'runs' | 'over') === 'runs') await clock.advance(100)
  return work
}

type Lived = Omit<Told, 'question' | 'prompt' | 'turn'>

class Caller {
  readonly #session: Session
  readonly #clock: VirtualClock
  readonly #loudspeaker = new Loudspeaker(wordsAtLevels)
  #items = new Set<string>()
  #status = ''

  constructor(session: Session, clock: VirtualClock) {
    this.#session = session
    this.#clock = clock
    void this.#read()
  }

  async ask(question: readonly string[]): Promise<Lived> {
    this.#items = new Set()
    this.#status = ''
    await this.#say(speechOf(question, null))
    const spokeUntil = this.#clock.now()
    await this.#say(Buffer.alloc(msToBytes(PCM16_24K, SILENT_MS)))
    while (this.#clock.now() < spokeUntil + TURN_LIMIT_MS) {
      if (this.#status !== '' && this.#loudspeaker.endsAt <= this.#clock.now()) break
      await delay(this.#clock, FRAME_MS)
    }
    const startsAt = this.#loudspeaker.startOf(this.#items)
    const lived = {
      heard: this.#loudspeaker.words(this.#items, this.#clock.now()),
      firstMs: startsAt === null ? null : startsAt - spokeUntil,
      lastMs: startsAt === null ? null : this.#loudspeaker.endsAt - spokeUntil,
      status: this.#status,
    }
    await delay(this.#clock, REST_MS)
    return lived
  }

  async #say(audio: Buffer): Promise<void> {
    const samples = new Int16Array(audio.buffer, audio.byteOffset, audio.length / 2)
    for (let i = 0; i < samples.length; i++) samples[i] = samples[i] || HISS
    const bytes = msToBytes(PCM16_24K, FRAME_MS)
    for (let at = 0; at < audio.length; at += bytes) {
      this.#session.audio(audio.subarray(at, at + bytes))
      await delay(this.#clock, FRAME_MS)
    }
  }

  async #read(): Promise<void> {
    for await (const output of this.#session.outputs) {
      if (output.type === 'answerAudio') {
        this.#items.add(output.itemId)
        this.#loudspeaker.hears(output.itemId, output.audio, this.#clock.now())
      } else if (output.type === 'outputCleared') this.#loudspeaker.clear(this.#clock.now())
      else if (output.type === 'responseDone') this.#status = output.response.ending?.status ?? 'none'
      else if (output.type === 'transcriptFailed') this.#status = output.code
    }
  }
}
