/**
 * What the doubles of voices behind a WebSocket share: faults of the connection, the record of addresses and frames, and
 * the double's end of a connection. Each says whom it takes and what it makes of a frame.
 */
import type { Timer } from '../../clock.ts'
import type { DoubleAnswer, DoublePeer, DoubleRequest, DoubleServer, DoubleTalk } from '../carrier/sockets.ts'
import { type SoundOptions, Timers, type TtsFault } from './double.ts'
import { type Sentence, say, type Telling } from './sentence.ts'
import { type Fields, VoiceDouble } from './voice-double.ts'

/** What a provider does on one connection. */
export interface VoiceTalk {
  heard(frame: Fields): void
  /** Holds it against the client, and answers as the provider does. */
  refuse(what: string): void
  gone?(): void
}

/** Refused, or taken. */
export type VoiceAnswer =
  | Exclude<DoubleAnswer, 'hang' | ((peer: DoublePeer) => DoubleTalk)>
  | ((mouth: Mouth) => VoiceTalk)

export abstract class SocketVoice<Options extends SoundOptions = SoundOptions> extends VoiceDouble<Options> {
  /** Every frame heard, parsed. */
  readonly frames: Fields[] = []
  readonly addresses: URL[] = []
  #listeners: (() => void)[] = []

  /** The addresses of connections, in order. */
  get sessions(): readonly object[] {
    return this.addresses
  }

  /** `fault`: what is left of them here is `refuse_auth`. */
  protected abstract upgrade(request: DoubleRequest, fault: TtsFault | undefined): VoiceAnswer

  readonly server: DoubleServer = (request) => {
    const fault = this.faults.ofConnection()
    if (fault === 'hang_on_connect') return 'hang'
    if (fault === 'refuse_429') return { status: 429, headers: { 'retry-after': '7' }, body: '{}' }
    const taken = this.upgrade(request, fault)
    if (typeof taken !== 'function') return taken
    this.addresses.push(request.url)
    return (peer) => {
      const mouth = new Mouth(peer, this)
      return this.#ears(mouth, taken(mouth))
    }
  }

  /** Resolves once such a frame was heard. */
  protected async hears(which: (frame: Fields) => boolean): Promise<void> {
    while (!this.frames.some(which)) await new Promise<void>((resolve) => this.#listeners.push(resolve))
  }

  #ears(mouth: Mouth, talk: VoiceTalk): DoubleTalk {
    return {
      binary: () => talk.refuse('a binary frame'),
      gone() {
        mouth.gone()
        talk.gone?.()
      },
      text: (json) => {
        if (mouth.isGone) return
        const frame = parsed(json)
        if (!frame) return talk.refuse('a frame that is no JSON')
        this.frames.push(frame)
        for (const listener of this.#listeners.splice(0)) listener()
        talk.heard(frame)
      },
    }
  }
}

function parsed(json: string): Fields | undefined {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}

/** The double's end of one connection: when that is gone, nothing more is sent and nothing happens. */
export class Mouth {
  readonly #timers: Timers
  #gone = false

  constructor(
    readonly peer: DoublePeer,
    private readonly double: VoiceDouble,
  ) {
    this.#timers = new Timers(double.options.clock)
  }

  get isGone(): boolean {
    return this.#gone
  }

  send(message: object): void {
    if (!this.#gone) this.peer.send(JSON.stringify(message))
  }

  after(ms: number, act: () => void): Timer {
    return this.#timers.after(ms, act)
  }

  /** After the double's `firstAudioMs`; the connection's own faults are known here. Returns what stops it. */
  say(sentence: Sentence, { strikes, ...telling }: Telling): () => void {
    const { peer } = this
    const ofSockets = {
      drop_mid_stream: () => peer.drop(),
      silent_after_ms() {},
      close_clean_early: () => peer.close(1000, ''),
    }
    return say(sentence, this.#timers, this.double.options, {
      ...telling,
      strikes: { ...ofSockets, ...strikes },
    })
  }

  gone(): void {
    this.#gone = true
    this.#timers.end()
  }
}
