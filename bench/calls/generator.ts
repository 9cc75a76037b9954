/** Twilio's side of many calls, in a process of its own. */
import { WebSocket } from 'ws'
import { Metronome } from '../harness/metronome.ts'
import { type Api, serveParent } from '../harness/process.ts'
import { clipSound, quietSound } from '../harness/speech.ts'
import { Caller } from './caller.ts'
import { type CallLateness, CallsLateness } from './lateness.ts'

export interface LoadOptions {
  readonly url: string
  readonly calls: number
  readonly turns: number
  readonly answerMs: number
  /** What the server keeps ahead of playback. */
  readonly leadMs: number
  readonly pauseMs: readonly [number, number]
  /** First words are spread over so long. */
  readonly spreadMs: number
  readonly limitMs: number
}

export interface LoadResult {
  readonly answers: number
  /** Calls that did not get all their answers. */
  readonly incomplete: number
  readonly lateness: CallLateness
  readonly waitedMs: readonly number[]
  readonly ownLatenessMs: number
}

export interface CallsApi extends Api {
  load(options: LoadOptions): Promise<LoadResult>
  /** Hangs up all calls; resolves when their sockets are closed. */
  hangUp(_: null): Promise<void>
}

let open: { readonly caller: Caller; readonly closed: Promise<void> }[] = []
let calls = 0

const api: CallsApi = {
  async load({ url, calls: count, turns, answerMs, leadMs, pauseMs, spreadMs, limitMs }) {
    const base64 = (frames: readonly Buffer[]) => frames.map((frame) => frame.toString('base64'))
    const words = base64((await clipSound('amiable', 'pcmu')).frames)
    const quiet = base64(await quietSound('pcmu'))
    const metronome = new Metronome()
    const lateness = new CallsLateness(leadMs)
    const waitedMs: number[] = []
    let left = count
    let finished = 0
    const all = new Promise<void>((resolve) => {
      const limit = setTimeout(resolve, limitMs)
      const done = (how: 'finished' | 'closed') => {
        if (how === 'finished') finished++
        if (--left > 0) return
        clearTimeout(limit)
        resolve()
      }
      for (let i = 0; i < count; i++) {
        const socket = new WebSocket(`${url}/v1/telephony/twilio`, { perMessageDeflate: false })
        socket.on('error', () => {})
        const closed = new Promise<void>((gone) => socket.once('close', () => gone()))
        socket.once('open', () => {
          const caller = new Caller(socket, {
            n: ++calls,
            metronome,
            words,
            quiet,
            answerMs,
            turns,
            firstPauseMs: 1_000 + Math.random() * spreadMs,
            pauseMs: () => pauseMs[0] + Math.random() * (pauseMs[1] - pauseMs[0]),
            answered: (answer) => {
              lateness.add(answer)
              waitedMs.push(answer.waitedMs)
            },
            done,
          })
          open.push({ caller, closed })
        })
      }
    })
    await all
    return {
      answers: waitedMs.length,
      incomplete: count - finished,
      lateness: lateness.result(),
      waitedMs,
      ownLatenessMs: metronome.worstMs,
    }
  },
  async hangUp() {
    for (const { caller } of open) caller.hangUp()
    await Promise.all(open.map(({ closed }) => closed))
    open = []
  },
}

serveParent(api)
