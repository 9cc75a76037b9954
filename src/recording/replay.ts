/** Runs a recorded session again, on the clock of its recording, and says where it went another way. */
import { loadAudio } from '../audio/convert.ts'
import { PacerGroup } from '../playout/pacer-group.ts'
import { LiveSession } from '../session/live-session.ts'
import { Metrics } from '../trace/metrics.ts'
import { memoryTurnStore } from '../trace/turn-store.ts'
import { earsOverEdge } from './ears.ts'
import type { Head } from './lines.ts'
import { RecordingProblem } from './problem.ts'
import type { Recording } from './read.ts'
import { type Difference, type Outside, Replayer } from './replayer.ts'
import { routerOverEdge } from './router.ts'
import { toolsOverEdge } from './tools.ts'

export interface Replayed {
  /** Events and audio that were the same, and turns among them. */
  readonly outputs: number
  readonly turns: number
  /** Everything compared: outputs, and all that was asked of providers, health and the ear. */
  readonly marks: number
  readonly steps: number
  readonly difference: Difference | null
}

const TURNS_KEPT = 10_000

/** Throws `RecordingProblem`. Calls no provider, reads no clock but the recording's. */
export async function replay(recording: Recording): Promise<Replayed> {
  await loadAudio()
  const { head, lines } = recording
  const edge = new Replayer(recording)
  const metrics = new Metrics()
  const session = begin(head, edge, metrics)
  const iterator = session.outputs[Symbol.asyncIterator]()
  let outputs = 0
  let turns = 0

  const outside = (step: Outside): void => {
    switch (step.do) {
      case 'audio':
        return session.audio(step.bytes)
      case 'client':
        return session.send(step.event)
      case 'finish':
        return session.finish()
      case 'close':
        return void session.close(step.reason).catch(() => {})
      case 'leave':
        return void iterator.return?.().catch(() => {})
      case 'pull':
        return void iterator.next().then(
          (result) => {
            const before = edge.difference
            edge.tell('out', { result })
            if (before || edge.difference || result.done) return
            outputs++
            if (result.value.type === 'turn') turns++
          },
          () => {},
        )
      default:
        step satisfies never
    }
  }
  try {
    await edge.play(outside, () => void session.close('error').catch(() => {}))
  } finally {
    metrics.close()
  }
  const difference = edge.difference ?? null
  // What was played up to a difference, or to a file's early end, still hangs on promises that nobody settles.
  void session.close('client').catch(() => {})
  const steps = lines.filter(({ is }) => is.l === 'step').length
  return { outputs, turns, marks: edge.marks, steps, difference }
}

function begin(head: Head, edge: Replayer, metrics: Metrics): LiveSession {
  const { settings, greeting, origin, clientMay, id, turnMs, ladder, pipeline } = head
  try {
    return new LiveSession({
      id,
      settings,
      greeting,
      origin,
      clientMay,
      clock: edge.clock,
      vad: earsOverEdge(edge, null),
      router: routerOverEdge(edge, null),
      tools: toolsOverEdge(edge, settings.serverTools ?? [], null),
      ladder,
      pacers: new PacerGroup(edge.clock),
      book: { pipeline: pipeline.name, turnMs, turns: memoryTurnStore(TURNS_KEPT), metrics },
      onClosed: () => {},
    })
  } catch (error) {
    throw new RecordingProblem(`no session can begin so: ${(error as Error).message}`, 1)
  }
}
