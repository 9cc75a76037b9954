/**
 * The process of the bare client: `ws` and undici alone, sending what an adapter was recorded to send, at the same times, with sound
 * made into base64 and JSON anew; what comes is parsed, and its sound decoded. It understands nothing and checks nothing.
 */
import { Agent } from 'undici'
import WebSocket from 'ws'
import { VirtualClock } from '../../src/clock.ts'
import { serveParent } from '../harness/process.ts'
import { dataOf, soundPathOf, textAt, withFreshIds } from './frames.ts'
import type { Cost } from './ours.ts'
import { ANSWERS, cpuMs, nextRound, noise, pacingCpuMs, pause, ROUNDS, STREAMS } from './pace.ts'
import type { Asked, Recording, Step, Talk } from './recording.ts'

/** Where an answer may not come again: waiting costs nothing. Sound comes, on a busy machine late. */
const PATIENCE_MS = { stt: 500, tts: 2_000 }

const clock = new VirtualClock()
const agent = new Agent()
let recording: Recording

const api = {
  /** Of the rounds alone. */
  pacing: (): Promise<number> => pacingCpuMs(clock),
  async load(loaded: Recording): Promise<void> {
    recording = loaded
  },
  async round(): Promise<Pick<Cost, 'cpuMs' | 'came'>> {
    return recording.stage === 'stt' ? listen() : speak()
  },
}

export type BareApi = typeof api

serveParent(api)

/** One connection of the recording. */
class Line {
  readonly #ws: WebSocket
  readonly #talk: Talk
  readonly #opened: Promise<void>
  #held: Uint8Array[] = []
  #answers = 0
  #steps: readonly Step[] = []
  #next = 0
  #wake: (() => void) | undefined
  soundBytes = 0

  constructor(talk: Talk) {
    this.#talk = talk
    this.#ws = new WebSocket(talk.url, { headers: talk.headers, perMessageDeflate: false })
    this.#opened = new Promise((resolve, reject) => {
      this.#ws.on('open', resolve)
      this.#ws.on('error', reject)
    })
    this.#ws.on('message', (data: Buffer, isBinary) => {
      this.#answers++
      if (isBinary) this.soundBytes += data.length
      else this.#read(data)
      this.#wake?.()
    })
  }

  async open(): Promise<void> {
    await this.#opened
    if (recording.stage === 'stt') for (const step of this.#talk.prelude) this.#send(step)
    else await this.speak(this.#talk.prelude, this.#talk.preludeAnswers)
    this.soundBytes = 0
  }

  /** Audio, and what is sent in that round. */
  hear(chunk: Uint8Array | undefined, round: number): void {
    if (chunk) this.#held.push(chunk)
    const { steps } = this.#talk
    while (steps[this.#next]?.at === round) this.#send(steps[this.#next++]!)
  }

  get answered(): Promise<void> {
    return this.#until(() => this.#answers >= this.#talk.answers)
  }

  /** Sends each step when so many messages have come as then; resolves when all `answers` have. */
  async speak(steps = this.#talk.steps, answers = this.#talk.answers): Promise<void> {
    this.#steps = steps
    this.#next = 0
    await this.#until(() => {
      while (this.#next < this.#steps.length && this.#steps[this.#next]!.at <= this.#answers)
        this.#send(this.#steps[this.#next++]!)
      return this.#next === this.#steps.length && this.#answers >= answers
    })
  }

  close(): void {
    this.#ws.terminate()
  }

  async #until(met: () => boolean): Promise<void> {
    const late = pause(PATIENCE_MS[recording.stage]).then(() => 'late' as const)
    while (!met()) {
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      if ((await Promise.race([woken, late])) === 'late') return
    }
  }

  #send({ frame }: Step): void {
    this.#ws.send(dataOf(frame, (bytes) => this.#take(bytes)))
  }

  /** What is held, or silence where the adapter made some up. */
  #take(bytes: number): Uint8Array {
    const held = this.#held.length === 1 ? this.#held[0]! : Buffer.concat(this.#held)
    this.#held = held.length > bytes ? [held.subarray(bytes)] : []
    return held.length < bytes ? Buffer.alloc(bytes) : held.subarray(0, bytes)
  }

  #read(data: Buffer): void {
    const message: unknown = JSON.parse(data.toString('utf8'))
    const { soundPath } = this.#talk
    const sound = soundPath && textAt(message, soundPath)
    if (sound !== undefined) this.soundBytes += Buffer.from(sound, 'base64').length
  }
}

async function openAll(): Promise<Line[]> {
  const lines = withFreshIds(recording.talks).map((talk) => new Line(talk))
  await Promise.all(lines.map((line) => line.open()))
  return lines
}

async function listen(): Promise<Pick<Cost, 'cpuMs' | 'came'>> {
  const lines = await openAll()
  const { requests, chunkBytes } = recording
  const chunk = noise(chunkBytes)
  const last = Math.max(
    ROUNDS - 1,
    ...recording.talks.map(({ steps }) => steps.at(-1)?.at ?? 0),
    ...requests.map(({ at }) => at),
  )
  const before = process.cpuUsage()
  const asked: Promise<number>[] = []
  let held: Uint8Array[] = []
  for (let round = 0; round <= last; round++) {
    const spoken = round < ROUNDS ? chunk : undefined
    for (const line of lines) line.hear(spoken, round)
    if (requests.length > 0 && spoken) for (let n = 0; n < STREAMS; n++) held.push(spoken.slice())
    const now = requests.filter(({ at }) => at === round)
    if (now.length > 0) Buffer.concat(held)
    if (now.length > 0) held = []
    asked.push(...now.map(ask))
    await nextRound(clock)
  }
  await Promise.all([...asked, ...lines.map((line) => line.answered)])
  const cost = cpuMs(before)
  for (const line of lines) line.close()
  return { cpuMs: cost, came: 0 }
}

async function speak(): Promise<Pick<Cost, 'cpuMs' | 'came'>> {
  const lines = await openAll()
  const before = process.cpuUsage()
  const came = await Promise.all([...lines.map((line) => line.speak().then(() => line.soundBytes)), askAll()])
  const cost = cpuMs(before)
  for (const line of lines) line.close()
  return { cpuMs: cost, came: came.reduce((sum, bytes) => sum + bytes, 0) }
}

/** As many at once as there are answers. */
async function askAll(): Promise<number> {
  let next = 0
  let bytes = 0
  const asking = Array.from({ length: ANSWERS }, async () => {
    for (let one = recording.requests[next++]; one; one = recording.requests[next++]) {
      const came = await ask(one)
      bytes += came
    }
  })
  await Promise.all(asking)
  return bytes
}

/** Bytes of sound in the answer. */
async function ask({ origin, path, headers, body }: Asked): Promise<number> {
  const answer = await agent.request({ origin, path, method: 'POST', headers, body: Buffer.from(body) })
  const isJson = String(answer.headers['content-type']).includes('json')
  let bytes = 0
  let rest = ''
  for await (const piece of answer.body as AsyncIterable<Buffer>) {
    if (!isJson) {
      bytes += piece.length
      continue
    }
    const lines = (rest + piece.toString('utf8')).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) bytes += soundIn(line)
  }
  return bytes + soundIn(rest)
}

let lastPath: readonly string[] | undefined

function soundIn(line: string): number {
  if (line.trim() === '') return 0
  const message: unknown = JSON.parse(line)
  lastPath ??= soundPathOf(line)
  const sound = lastPath && textAt(message, lastPath)
  return sound === undefined ? 0 : Buffer.from(sound, 'base64').length
}
