/** What hears across the edge: the models' probabilities are steps, the cheap gate's word is a mark. */
import type { GateEngine } from '../listen/gate.ts'
import type { Vad, VadWindow } from '../listen/vad.ts'
import { Count, type Edge, overEdge } from './edge.ts'

export interface RealEars {
  readonly vad: Vad
  /** Null: every frame goes to the model. */
  readonly gate: GateEngine | null
}

/** `real` null: a replay. */
export function earsOverEdge(edge: Edge, real: RealEars | null): Vad {
  const streams = new Count()
  const gates = new Count()
  const questions = new Count()
  let listening: AbortSignal
  return {
    gate: {
      open(sampleRateHz) {
        const id = gates.next()
        const open = edge.ask('gate.open', { id, sampleRateHz }, () => real?.gate != null, true)
        const gate = open ? real?.gate?.open(sampleRateHz) : undefined
        return {
          hears: (samples) =>
            open ? edge.ask('gate', { id }, () => gate?.hears(samples) ?? true, false) : true,
          close: () => gate?.close(),
        }
      },
    },
    endOfTurn: {
      async judge(question) {
        const answer = async () => (await real?.vad.endOfTurn?.judge(question)) ?? null
        return (await edge.run('turn.judge', { id: questions.next() }, listening, answer)) ?? undefined
      },
    },
    open({ signal }) {
      listening = signal
      const id = streams.next()
      edge.tell('vad.open', { id })
      const stream = real?.vad.open({ signal })
      let events: AsyncIterator<readonly VadWindow[]> | undefined
      const source = () => {
        events ??= stream![Symbol.asyncIterator]()
        return events
      }
      return {
        write: (samples) => stream?.write(samples),
        restart(startSample) {
          edge.tell('vad.restart', { id, startSample })
          stream?.restart(startSample)
        },
        close: () => stream?.close(),
        [Symbol.asyncIterator]: () => overEdge(edge, 'vad', id, signal, source),
      }
    },
  }
}
