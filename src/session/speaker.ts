/**
 * Everything the session says, on its way to the wire: one queue, one ledger an answer, and the four things that can
 * happen to sound: cut, paused, resumed, acknowledged. The order at a cut matters: first the queue, so that not one
 * more byte leaves, then the ledger, so that late audio cannot extend what was heard.
 *
 *     track.audio ─► (pacer) ─► SendQueue ─► wire takes it ─► ledger.sent ─► spoken ─► played out
 */
import { SendQueue } from '../playout/send-queue.ts'
import type { Heard } from './items.ts'
import type { SessionOutput } from './output.ts'
import { type SpeakerOptions, Track, type TrackFacts, type TrackHost } from './track.ts'

export { Track } from './track.ts'

/** Ledgers kept after their answer was played out, for a late truncate. */
const KEPT_TRACKS = 8

export class Speaker implements TrackHost {
  readonly queue: SendQueue<SessionOutput>
  readonly options: SpeakerOptions
  readonly #tracks = new Map<string, Track>()

  constructor(options: SpeakerOptions) {
    this.options = options
    this.queue = new SendQueue<SessionOutput>({
      droppable: (output) => output.type === 'answerAudio' || output.type === 'answerText',
      onTaken: (output) => this.#taken(output),
      onOverflow: options.onOverflow,
    })
  }

  /** An answer's first piece is there: the reducer announces it, then sound and words may follow. */
  begin({ response, turn, voicing }: TrackFacts): Track {
    const facts = { response, turn, voicing }
    const track = new Track(this, facts)
    this.#tracks.set(facts.response, track)
    for (const [id, old] of this.#tracks) {
      if (this.#tracks.size <= KEPT_TRACKS) break
      if (old.over) this.#tracks.delete(id)
    }
    this.options.report({ type: 'speaking', at: this.options.clock.now(), response: facts.response })
    return track
  }

  /** When the far side will have played what it was sent of all answers but this. */
  playsUntil(except?: Track): number {
    let latest = Number.NEGATIVE_INFINITY
    for (const track of this.#tracks.values()) {
      if (track !== except && !track.over) latest = Math.max(latest, track.playsUntil ?? latest)
    }
    return latest
  }

  room(signal: AbortSignal): Promise<void> {
    return this.queue.room(signal)
  }

  /** Stops a response for good and reports what of it was sent and heard. */
  cut(response: string): void {
    const nothing = { said: '', audioMs: 0, heard: { ms: 0, text: '', interrupted: true } }
    const stopped = this.#tracks.get(response)?.stop() ?? nothing
    this.options.report({ type: 'outputCut', at: this.options.clock.now(), response, ...stopped })
  }

  /** Stops a response without a word about it: nothing of it reached the wire, or nobody is left to tell. */
  drop(response: string): void {
    this.#tracks.get(response)?.stop()
  }

  /** The answer failed: what was sent stays said and plays to its end. */
  giveUp(response: string): {
    readonly said: string
    readonly audioMs: number
    readonly heard: Heard | null
  } {
    return this.#tracks.get(response)?.giveUp() ?? { said: '', audioMs: 0, heard: null }
  }

  pause(response: string): void {
    this.#tracks.get(response)?.pause()
  }

  resume(response: string): void {
    this.#tracks.get(response)?.resume()
  }

  played(response: string, ms: number): void {
    this.#tracks.get(response)?.played(ms)
  }

  heard(response: string): Heard | null {
    return this.#tracks.get(response)?.heard() ?? null
  }

  trackOfItem(itemId: string): Track | undefined {
    for (const track of this.#tracks.values()) if (track.facts.voicing.itemId === itemId) return track
    return undefined
  }

  close(): void {
    for (const track of this.#tracks.values()) track.stop()
    this.#tracks.clear()
    this.queue.close()
  }

  #taken(output: SessionOutput): void {
    if (output.type !== 'answerAudio' && output.type !== 'answerText') return
    this.#tracks.get(output.responseId)?.taken(output)
  }
}
