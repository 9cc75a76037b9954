/** One stream's requests, one after the other: what it wants heard next is sent, what it no longer wants is broken off. */
import { openScope, type Scope } from '../../../cancel.ts'
import type { ProviderError } from '../../../errors.ts'
import type { WholeEngine, WholeStream } from '../../whole-stream.ts'
import type { Heard, Job, WholeUtterance } from '../../whole-utterance.ts'

/** Ten minutes of audio that nobody heard yet, 19 MB: a whole recording may come at once. */
const BACKLOG_SAMPLES = 10 * 60 * 16_000

/** Rejects with `ProviderError`, or with the signal's reason. The audio is read before it returns. */
export type Transcribe = (audio: Int16Array, signal: AbortSignal) => Promise<Heard>

interface Running {
  readonly utterance: WholeUtterance
  readonly job: Job
  readonly scope: Scope
}

export class Transcriber implements WholeEngine {
  readonly #transcribe: Transcribe
  readonly #getReady: () => void
  #running: Running | undefined

  /** `getReady`: there is audio that will be sent soon. */
  constructor(transcribe: Transcribe, getReady: () => void) {
    this.#transcribe = transcribe
    this.#getReady = getReady
  }

  changed(stream: WholeStream): void {
    const running = this.#running
    if (!running && stream.backlog > 0) this.#getReady()
    if (running && (stream.runningIsStale || !stream.isHearing(running.utterance))) {
      this.gone()
      // Which asks again what is wanted.
      return stream.gaveUp(running.utterance, running.job)
    }
    const begun = running ? undefined : stream.begin()
    if (begun) void this.#run(stream, { ...begun, scope: openScope() })
  }

  gone(): void {
    const running = this.#running
    this.#running = undefined
    running?.scope.cancel('superseded')
  }

  hasRoom(stream: WholeStream, samples: number): boolean {
    return stream.backlog + samples <= BACKLOG_SAMPLES
  }

  async #run(stream: WholeStream, running: Running): Promise<void> {
    this.#running = running
    const { utterance, job, scope } = running
    try {
      const heard = await this.#transcribe(job.audio, scope.signal)
      if (this.#running !== running) return
      this.#running = undefined
      stream.heard(utterance, job, heard)
    } catch (error) {
      if (this.#running !== running) return
      this.#running = undefined
      stream.fail(error as ProviderError)
    }
  }
}
