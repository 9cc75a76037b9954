/** What the doubles of voices behind HTTP requests share: faults of the connection, the record of bodies, and who is answered now. */
import type { HttpDoubleAnswer, HttpDoubleRequest, HttpDoubleServer } from '../carrier/http.ts'
import { type SoundOptions, Timers, type TtsFault } from './double.ts'
import { type Sentence, say, type Telling } from './sentence.ts'
import { type Fields, VoiceDouble } from './voice-double.ts'

/** One request, and how it is answered. */
export interface VoiceRequest {
  readonly request: HttpDoubleRequest
  readonly answer: HttpDoubleAnswer
  /** `refuse_auth` or `refuse_429`. */
  readonly fault: TtsFault | undefined
  readonly timers: Timers
}

export abstract class HttpVoice<Options extends SoundOptions = SoundOptions> extends VoiceDouble<Options> {
  readonly bodies: Fields[] = []
  /** Answers that run now. */
  running = 0
  /** Of those there were at once, the most. */
  most = 0

  /** The bodies of requests, in order. */
  get sessions(): readonly object[] {
    return this.bodies
  }

  protected abstract serve(asked: VoiceRequest): void

  readonly http: HttpDoubleServer = (request, answer) => {
    const timers = new Timers(this.options.clock)
    const fault = this.faults.ofConnection()
    this.running++
    this.most = Math.max(this.most, this.running)
    if (fault !== 'hang_on_connect') this.serve({ request, answer, fault, timers })
    return () => {
      this.running--
      timers.end()
    }
  }

  /** After `firstAudioMs`; the connection's own faults are known here. */
  protected say(
    sentence: Sentence,
    { answer, timers }: VoiceRequest,
    { strikes, ...telling }: Telling,
  ): void {
    const ofAnswers = {
      drop_mid_stream: () => answer.drop(),
      silent_after_ms() {},
      close_clean_early: () => answer.end(),
    }
    say(sentence, timers, this.options, { ...telling, strikes: { ...ofAnswers, ...strikes } })
  }
}
