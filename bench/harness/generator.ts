/** The load generator, in a process of its own: simulated callers, every scenario bounded in number and time. */
import { setTimeout as wait } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { bytesToMs } from '../../src/audio/format.ts'
import type { FixtureName } from '../../test/listen/speech.ts'
import { type AnswerHeard, Caller } from './caller.ts'
import { type FrameLateness, Lateness } from './lateness.ts'
import { Metronome } from './metronome.ts'
import { type Api, serveParent } from './process.ts'
import { AUDIO_FORMATS, type Clip, clip, quietRoom, type WireFormat } from './speech.ts'

export interface TalkOptions {
  readonly url: string
  readonly pipeline: string
  readonly format: WireFormat
  readonly clips: readonly FixtureName[]
  readonly sessions: number
  readonly silenceMs: number
  readonly leadMs: number | null
  /** Ends when every caller had so many answers, or at the time limit. */
  readonly turnsEach: number
  readonly limitMs: number
  /** Between an answer's end and the caller's next words, at random. */
  readonly pauseMs: readonly [number, number]
  /** The first turns begin within this, at random: a turn's length, or all would go on speaking in chorus. */
  readonly spreadMs: number
  readonly playback: 'heard' | 'skipped'
  /** `stay`: the sockets stay open until `hangUp`. */
  readonly afterwards: 'stay' | 'hang up'
  /** `all`: the lateness of every frame; `first`: nothing but the first sound of each answer. */
  readonly frames: 'all' | 'first'
}

export interface TurnSeen {
  readonly n: number
  readonly status: string
  readonly decidedAt: number
  readonly speechEndAt: number
  readonly firstAudioAt: number
  readonly words: string
}

export interface TalkResult {
  readonly turns: readonly TurnSeen[]
  /** Callers that did not get all their answers, and sockets that closed or complained. */
  readonly incomplete: number
  readonly errors: number
  readonly lastError: string
  readonly frames: FrameLateness
  /** How late the generator itself was at worst, ms. */
  readonly ownLatenessMs: number
}

export interface EchoResult {
  /** Milliseconds, all frames. */
  readonly roundTrips: Float64Array
}

export interface GeneratorApi extends Api {
  talk(options: TalkOptions): Promise<TalkResult>
  hangUp(_: null): Promise<void>
  echo(options: EchoOptions): Promise<EchoResult>
  interrupt(options: InterruptOptions): Promise<InterruptResult>
  /** Opens sessions and keeps them. */
  open(options: ComeAndGoOptions): Promise<void>
  /** Sessions that come, speak a turn and go, each in one of the ways a client can go. */
  comeAndGo(options: ComeAndGoOptions): Promise<{ readonly answered: number; readonly errors: number }>
}

export interface InterruptOptions {
  readonly url: string
  readonly pipeline: string
  readonly format: WireFormat
  readonly sessions: number
  readonly silenceMs: number
  readonly roundsEach: number
  readonly limitMs: number
  /** From `audio_start_ms` to the frame that makes an interruption sure: the padding, and the speech it takes. */
  readonly padMs: number
}

export interface InterruptResult {
  readonly interruptions: number
  /** Audio events of the cut answer that came after `speech_started`, one number an interruption: fast and slow readers. */
  readonly late: readonly number[]
  readonly slowLate: readonly number[]
  /** From sending the frame that makes it sure to the arrival of `speech_started`; fast readers. */
  readonly delaysMs: readonly number[]
  readonly errors: number
  readonly ownLatenessMs: number
}

export interface EchoOptions {
  readonly url: string
  readonly format: WireFormat
  readonly clip: FixtureName
  readonly sessions: number
  readonly durationMs: number
}

export interface ComeAndGoOptions {
  readonly url: string
  readonly pipeline: string
  readonly sessions: number
  readonly atOnce: number
}

/** An answer that does not come within this is lost. */
const ANSWER_LIMIT_MS = 15_000
/** The server counts an answer as played a little after it should have been. */
const PLAYOUT_GRACE_MS = 250

let callers: Caller[] = []

async function talk(options: TalkOptions): Promise<TalkResult> {
  const { sessions, format, clips, pauseMs, leadMs, turnsEach } = options
  const quiet = await quietRoom(format)
  const spoken = await Promise.all(clips.map((name) => clip(name, format)))
  const metronome = new Metronome()
  const lateness = new Lateness(leadMs ?? 0)
  const turns: TurnSeen[] = []
  const endAt = performance.now() + options.limitMs
  const random = seeded(11)

  const converse = async (index: number): Promise<'complete' | 'incomplete'> => {
    let heard: (answer: AnswerHeard) => void = () => {}
    const caller = new Caller({ ...options, quiet, onAnswer: (answer) => heard(answer) })
    callers.push(caller)
    await caller.ready()
    metronome.join(caller)
    await wait(500 + random() * options.spreadMs)
    for (let turn = 0; turn < turnsEach && performance.now() < endAt; turn++) {
      const clip = spoken[(index + turn) % spoken.length] as Clip
      const answered = new Promise<AnswerHeard>((resolve) => {
        heard = resolve
      })
      caller.say(clip)
      const answer = await Promise.race([answered, wait(ANSWER_LIMIT_MS, undefined, { ref: false })])
      if (!answer || !caller.open) return 'incomplete'
      turns.push(seen(answer))
      if (options.frames === 'all') lateness.add(answer.arrivals)
      const playsUntil =
        options.playback === 'skipped'
          ? 0
          : answer.arrivals[0]! + bytesToMs(AUDIO_FORMATS[format], answer.audioBytes)
      const pause = pauseMs[0] + random() * (pauseMs[1] - pauseMs[0])
      await wait(Math.max(0, playsUntil - performance.now()) + PLAYOUT_GRACE_MS + pause)
    }
    return 'complete'
  }

  const opening: Promise<'complete' | 'incomplete'>[] = []
  for (let index = 0; index < sessions; index++) {
    opening.push(converse(index))
    if (index % 10 === 9) await wait(100)
  }
  const outcomes = await Promise.all(opening)
  const result = {
    turns,
    incomplete: outcomes.filter((outcome) => outcome === 'incomplete').length,
    errors: callers.reduce((sum, caller) => sum + caller.errors, 0),
    lastError: callers.find((caller) => caller.lastError)?.lastError ?? '',
    frames: lateness.result(),
    ownLatenessMs: metronome.worstMs,
  }
  for (const caller of callers) metronome.leave(caller)
  if (options.afterwards === 'hang up') await hangUp()
  return result
}

async function hangUp(): Promise<void> {
  for (const caller of callers) caller.close()
  await Promise.all(callers.map((caller) => caller.closed))
  callers = []
}

function seen({ n, status, decidedAt, speechEndAt, arrivals, words }: AnswerHeard): TurnSeen {
  return { n, status, decidedAt, speechEndAt, firstAudioAt: arrivals[0] ?? Number.NaN, words }
}

/** The same frames at the same pace to a bare server that sends them back. */
async function echo({ url, format, clip: name, sessions, durationMs }: EchoOptions): Promise<EchoResult> {
  const { frames } = await clip(name, format)
  const metronome = new Metronome()
  const roundTrips: number[] = []
  const sockets = await Promise.all(
    Array.from({ length: sessions }, async () => {
      const socket = new WebSocket(url, { perMessageDeflate: false })
      await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
      const sentAt: number[] = []
      let sent = 0
      socket.on('message', () => roundTrips.push(performance.now() - sentAt.shift()!))
      const one = {
        tick: () => {
          sentAt.push(performance.now())
          socket.send(frames[sent++ % frames.length]!, { binary: false })
        },
      }
      metronome.join(one)
      return { socket, one }
    }),
  )
  await wait(durationMs)
  for (const { socket, one } of sockets) {
    metronome.leave(one)
    socket.close()
  }
  await Promise.all(sockets.map(({ socket }) => new Promise((resolve) => socket.once('close', resolve))))
  return { roundTrips: Float64Array.from(roundTrips) }
}

const ENDINGS = [
  'after the answer',
  'after the answer',
  'in the answer',
  'while speaking',
  'at once',
] as const

async function comeAndGo({ url, pipeline, sessions, atOnce }: ComeAndGoOptions) {
  const format = 'pcmu'
  const quiet = await quietRoom(format)
  const spoken = await clip('ten-of-clubs', format)
  let [answered, errors, next] = [0, 0, 0]

  const visit = async (ending: (typeof ENDINGS)[number]) => {
    let heard: () => void = () => {}
    const onAnswer = new Promise<void>((resolve) => {
      heard = resolve
    })
    const leadMs = ending === 'in the answer' ? 200 : null
    const caller = new Caller({
      url,
      pipeline,
      format,
      quiet,
      leadMs,
      silenceMs: 200,
      playback: 'heard',
      onAnswer: heard,
    })
    await caller.ready()
    if (ending === 'at once') caller.vanish()
    else {
      // Faster than real time: the server counts audio, not the clock.
      caller.say(spoken)
      const frames = ending === 'while speaking' ? 25 : spoken.frames.length + 25
      for (let sent = 0; sent < frames; sent++) caller.tick()
      if (ending === 'after the answer') {
        await Promise.race([
          onAnswer.then(() => answered++),
          wait(ANSWER_LIMIT_MS, undefined, { ref: false }),
        ])
        caller.close()
      } else {
        await wait(150)
        caller.vanish()
      }
    }
    await caller.closed
    errors += caller.errors
  }

  const worker = async () => {
    while (next < sessions) await visit(ENDINGS[next++ % ENDINGS.length]!)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return { answered, errors }
}

async function open({ url, pipeline, sessions }: ComeAndGoOptions): Promise<void> {
  const format = 'pcmu'
  const quiet = await quietRoom(format)
  for (let n = 0; n < sessions; n++) {
    const caller = new Caller({
      url,
      pipeline,
      format,
      quiet,
      leadMs: null,
      silenceMs: 200,
      playback: 'heard',
      onAnswer: () => {},
    })
    callers.push(caller)
    await caller.ready()
  }
}

/** The same numbers in every run. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
    return (state >>> 0) / 2 ** 32
  }
}

/** Callers who interrupt every answer at a random moment, some of them reading slowly. */
async function interrupt(options: InterruptOptions): Promise<InterruptResult> {
  const { sessions, format, roundsEach, limitMs, padMs } = options
  const quiet = await quietRoom(format)
  const words = await clip('seven-of-clubs', format)
  const metronome = new Metronome()
  const random = seeded(23)
  const endAt = performance.now() + limitMs
  const result = {
    interruptions: 0,
    late: [] as number[],
    slowLate: [] as number[],
    delaysMs: [] as number[],
  }
  const converse = async (index: number) => {
    const reader = index % 2 === 0 ? 'fast' : 'slow'
    let sounding = ''
    let cut = ''
    let lateEvents = 0
    let heard: () => void = () => {}
    let noticed: (delayMs: number) => void = () => {}
    const caller = new Caller({
      ...options,
      leadMs: null,
      playback: 'heard',
      quiet,
      onAnswer: () => {},
      onSound: (_at, responseId) => {
        if (responseId === cut) lateEvents++
        sounding = responseId
        heard()
      },
      onSpeechStarted: (at, audioStartMs) => {
        cut = sounding
        noticed(at - caller.sentAt(audioStartMs + padMs))
      },
    })
    callers.push(caller)
    await caller.ready()
    metronome.join(caller)
    await wait(random() * 2000)
    caller.say(words)
    for (let round = 0; round < roundsEach && performance.now() < endAt; round++) {
      const before = sounding
      const sounds = new Promise<void>((resolve) => {
        heard = () => sounding !== before && resolve()
      })
      if (!(await Promise.race([sounds.then(() => true), wait(ANSWER_LIMIT_MS, false, { ref: false })])))
        return
      await wait(200 + random() * 2500)
      lateEvents = 0
      const notice = new Promise<number>((resolve) => {
        noticed = resolve
      })
      if (reader === 'slow') void caller.stopReading(wait(600))
      caller.say(words)
      const delayMs = await Promise.race([notice, wait(ANSWER_LIMIT_MS, Number.NaN, { ref: false })])
      if (Number.isNaN(delayMs)) return
      // What was on its way comes within this, if anything does.
      await wait(400)
      result.interruptions++
      if (reader === 'fast') {
        result.delaysMs.push(delayMs)
        result.late.push(lateEvents)
      } else result.slowLate.push(lateEvents)
    }
  }
  const running: Promise<void>[] = []
  for (let index = 0; index < sessions; index++) {
    running.push(converse(index))
    if (index % 10 === 9) await wait(100)
  }
  await Promise.all(running)
  for (const caller of callers) metronome.leave(caller)
  const errors = callers.reduce((sum, caller) => sum + caller.errors, 0)
  await hangUp()
  return { ...result, errors, ownLatenessMs: metronome.worstMs }
}

serveParent({ talk, hangUp, echo, open, comeAndGo, interrupt } satisfies GeneratorApi)
