/**
 * One answer being sent.
 *
 *     live ─ all taken by the wire ─► sent ─ all played ─► over          (a cut leads to `over` from anywhere)
 */
import { type AudioFormat, bytesToMs, msToBytes } from '../audio/format.ts'
import type { Clock, Timer } from '../clock.ts'
import { HeardLedger } from '../playout/heard.ts'
import { FRAME_MS, type PacedPart, type Pacer } from '../playout/pacer.ts'
import type { PacerGroup } from '../playout/pacer-group.ts'
import type { SendQueue } from '../playout/send-queue.ts'
import type { SpokenWord } from '../stage/tts.ts'
import type { Voicing } from './effects.ts'
import type { AnswerEvent } from './events.ts'
import type { ItemAudio } from './item-audio.ts'
import type { Heard } from './items.ts'
import type { SessionOutput } from './output.ts'
import type { WireCaps } from './session.ts'
import type { SessionSettings } from './settings.ts'

/** The far side's buffering and the way there: an answer counts as played a little after the clock says so. */
const PLAYOUT_GRACE_MS = 150

/** The index of what is said before the first sentence. */
const LEAD = -1

export interface SpeakerOptions {
  readonly clock: Clock
  readonly caps: WireCaps
  readonly settings: () => SessionSettings
  readonly signal: AbortSignal
  readonly pacers: PacerGroup
  readonly itemAudio: ItemAudio
  readonly report: (event: AnswerEvent) => void
  /** The first audio of a response was taken by the wire. */
  readonly firstSent: (turn: string, at: number) => void
  readonly underrun: (turn: string) => void
  readonly onOverflow: () => void
}

export interface TrackFacts {
  readonly response: string
  readonly turn: string
  readonly voicing: Voicing
}

/** What tracks share: the one queue, and the far side's one loudspeaker. */
export interface TrackHost {
  readonly options: SpeakerOptions
  readonly queue: SendQueue<SessionOutput>
  /** Resolves when there is room for more sound. */
  room(signal: AbortSignal): Promise<void>
  /** When the far side will have played what it was sent of all answers but this. */
  playsUntil(except?: Track): number
}

export class Track {
  readonly facts: TrackFacts
  /** Fixed for the answer, whatever becomes of the settings. */
  readonly format: AudioFormat
  readonly #speaker: TrackHost
  readonly #ledger: HeardLedger
  readonly #pacer: Pacer<number> | undefined
  /** Words of sentences not shown yet, by sentence. */
  #texts: { readonly sentence: number; readonly text: string }[] = []
  #said = ''
  #firstAudioSent = false
  #state: 'live' | 'sent' | 'over' = 'live'
  #cut = false
  #abandoned = false
  #paused = false
  /** The voice is through: only pacer and queue hold something. */
  #handedOver = false
  /** What the wire had taken when it had taken all. */
  #wholeMs = 0
  #playout: Timer | undefined

  constructor(speaker: TrackHost, facts: TrackFacts) {
    this.facts = facts
    this.#speaker = speaker
    const { caps, pacers, settings, underrun } = speaker.options
    this.format = settings().outputFormat
    this.#ledger = new HeardLedger({ reportsPlayed: caps.reportsPlayed })
    const leadMs = settings().leadMs ?? caps.leadMs
    if (leadMs !== null && facts.voicing.modality === 'audio') {
      this.#pacer = pacers.open<number>({
        format: this.format,
        leadMs,
        startsAt: speaker.playsUntil(),
        send: ({ audio, parts }) => this.#deliver(audio, parts),
        onUnderrun: () => underrun(facts.turn),
      })
    }
  }

  /** Nothing of it will be sent or played any more. */
  get over(): boolean {
    return this.#state === 'over'
  }

  get sentMs(): number {
    return this.#ledger.sentMs
  }

  /** The client computes its position from bytes: a millisecond of rounding, and the padding of the last frame. */
  get slackMs(): number {
    return this.#pacer ? FRAME_MS + 1 : 1
  }

  /** When the far side will have played what was sent; null while nothing was. */
  get playsUntil(): number | null {
    return this.#pacer?.playsUntil ?? this.#ledger.playbackEndsAt
  }

  sentence(index: number, text: string): void {
    this.#ledger.sentence(index, text)
    this.#texts.push({ sentence: index, text })
  }

  /** A phrase before the answer's own sound, which is no part of its words. Its audio goes by this index. */
  lead(): number {
    this.#ledger.lead(LEAD)
    return LEAD
  }

  /** The voice failed for good: words without sound are neither shown nor kept. More may be said. */
  abandon(): void {
    this.#ledger.abandon()
    this.#texts = []
    this.#abandoned = true
  }

  words(index: number, words: readonly SpokenWord[]): void {
    this.#ledger.words(index, words)
  }

  sentenceDone(index: number): void {
    this.#ledger.sentenceDone(index)
  }

  /** The voice broke off in this sentence, and another says it again from its start. */
  restarted(index: number): void {
    this.#ledger.restarted(index)
  }

  /** In the track's format. Resolves when there is room for more. */
  async audio(sentence: number, audio: Uint8Array): Promise<void> {
    if (this.#state !== 'live' || audio.length === 0) return
    const ms = bytesToMs(this.format, audio.length)
    this.#ledger.synthesised(sentence, ms)
    if (this.#pacer) return this.#pacer.push(audio, sentence)
    await this.#speaker.room(this.#speaker.options.signal)
    this.#deliver(audio, [{ tag: sentence, ms }])
  }

  /** Shows the words up to and with this sentence. */
  show(sentence: number): void {
    const { response, voicing } = this.facts
    while (this.#texts[0] && this.#texts[0].sentence <= sentence) {
      const { text } = this.#texts.shift()!
      const { itemId, outputIndex, modality } = voicing
      const place = { responseId: response, itemId, outputIndex }
      const output = { type: 'answerText', delta: text, modality, ...place } as const
      this.#speaker.queue.answer(output, { bytes: text.length, response })
    }
  }

  /** All has been said. `spoken` follows once the wire has taken it. */
  end(): void {
    if (this.#state === 'live') void this.#handOver()
  }

  async #handOver(): Promise<void> {
    await this.#pacer?.end()
    if (this.#state !== 'live' || this.#paused) return
    this.#handedOver = true
    this.show(Number.POSITIVE_INFINITY)
    this.#speaker.queue.after(() => this.#allTaken(), this.facts.response)
  }

  giveUp(): { readonly said: string; readonly audioMs: number; readonly heard: Heard | null } {
    this.#pacer?.drop()
    this.#speaker.queue.drop(this.facts.response)
    const audioMs = this.sentMs
    const text = this.#spoken ? this.#ledger.sentText : this.#said
    let heard: Heard = { ms: Math.floor(audioMs), text, interrupted: true }
    if (this.#paused) {
      heard = { ...this.heard(), interrupted: true }
      this.#playedOut()
    } else if (this.#state === 'live') this.#awaitPlayout()
    return { said: this.#said, audioMs, heard }
  }

  stop(): { readonly said: string; readonly audioMs: number; readonly heard: Heard } {
    if (this.#state !== 'over') {
      this.#cut = true
      this.#end()
      if (this.#spoken && this.#speaker.options.caps.ownsOutput) this.#clear('cut')
    }
    this.#speaker.queue.drop(this.facts.response)
    this.#ledger.cut(this.#now())
    return { said: this.#said, audioMs: this.sentMs, heard: { ...this.heard(), interrupted: true } }
  }

  pause(): void {
    if (this.#paused || this.#state === 'over') return
    this.#paused = true
    this.#pacer?.pause()
    this.#playout?.cancel()
    // A far side that cannot be cleared plays on what it has, and then waits.
    if (!this.#speaker.options.caps.ownsOutput) return
    this.#ledger.paused(this.#now())
    this.#clear('pause')
    const texts = this.#speaker.queue
      .drop(this.facts.response)
      .flatMap((output) => (output.type === 'answerText' ? [{ sentence: -1, text: output.delta }] : []))
    this.#texts.unshift(...texts)
  }

  /** Goes on: from what was heard where the far side threw the rest away, else from where sending stopped. */
  resume(): void {
    if (!this.#paused || this.#state === 'over') return
    this.#paused = false
    const { caps, itemAudio } = this.#speaker.options
    let fromMs: number | undefined
    if (caps.ownsOutput) {
      fromMs = this.#ledger.heard(this.#now()).ms
      this.#ledger.resumed(this.#now(), fromMs)
      itemAudio.truncate(this.facts.voicing.itemId, msToBytes(this.format, fromMs))
    }
    this.#pacer?.resume(fromMs)
    if (this.#state === 'sent') this.#awaitPlayout()
    else if (this.#handedOver) void this.#handOver()
  }

  played(ms: number): void {
    this.#ledger.played(ms)
    if (this.#state === 'sent' && !this.#paused && ms >= this.#wholeMs) this.#playedOut()
  }

  /** Written words are heard as they are sent. */
  heard(): Heard {
    const { ms, text } = this.#ledger.heard(this.#now())
    return { ms, text: this.#spoken ? text : this.#said.trimEnd(), interrupted: this.#cut }
  }

  /** The far side's word on a cut answer. */
  amend(ms: number): Heard {
    return { ...this.#ledger.amend(ms), interrupted: true }
  }

  taken(output: Extract<SessionOutput, { type: 'answerAudio' | 'answerText' }>): void {
    if (output.type === 'answerText') {
      this.#said += output.delta
      return
    }
    const now = this.#now()
    // The first of it stands behind what the far side still plays of the answer before.
    const startsAt = this.sentMs > 0 ? now : Math.max(now, this.#speaker.playsUntil(this))
    for (const part of output.parts) this.#ledger.sent(part.tag, part.ms, startsAt)
    this.#speaker.options.itemAudio.append(output.itemId, output.audio)
    if (this.#state === 'sent') this.#awaitPlayout()
    // A phrase that bridges the wait is not the answer.
    if (this.#firstAudioSent || output.parts.every(({ tag }) => tag === LEAD)) return
    this.#firstAudioSent = true
    this.#speaker.options.firstSent(this.facts.turn, now)
  }

  get #spoken(): boolean {
    return this.facts.voicing.modality === 'audio'
  }

  /** Once all was taken, only what a resumption sends again comes this way. */
  #deliver(audio: Uint8Array, parts: readonly PacedPart<number>[]): void {
    if (this.#state === 'over') return
    this.show(parts.at(-1)?.tag ?? 0)
    const { response, voicing } = this.facts
    const place = { responseId: response, itemId: voicing.itemId, outputIndex: voicing.outputIndex }
    this.#speaker.queue.answer(
      { type: 'answerAudio', audio, parts, ...place },
      { bytes: audio.length, response },
    )
  }

  #clear(why: 'cut' | 'pause'): void {
    const { response, voicing } = this.facts
    this.#speaker.queue.control({
      type: 'outputCleared',
      responseId: response,
      itemId: voicing.itemId,
      why,
    })
  }

  #allTaken(): void {
    if (this.#state !== 'live') return
    if (this.#spoken) this.#awaitPlayout()
    else this.#end()
    const { response } = this.facts
    const kept = this.#abandoned ? this.#ledger.text.trimEnd() : this.#said
    const facts = { at: this.#now(), response, said: this.#said, kept, audioMs: this.sentMs }
    this.#speaker.options.report({ type: 'spoken', ...facts })
  }

  #awaitPlayout(): void {
    if (this.#state === 'live') this.#wholeMs = this.sentMs
    this.#state = 'sent'
    this.#playout?.cancel()
    // What is sent again after a pause is not all taken yet.
    if (this.#paused || this.sentMs < this.#wholeMs - 1) return
    const end = this.#ledger.playbackEndsAt
    const left = end === null ? 0 : end - this.#now() + PLAYOUT_GRACE_MS
    this.#playout = this.#speaker.options.clock.setTimer(left, () => this.#playedOut())
  }

  #playedOut(): void {
    if (this.#state === 'over') return
    this.#end()
    this.#speaker.options.report({ type: 'playedOut', at: this.#now(), response: this.facts.response })
  }

  #end(): void {
    this.#state = 'over'
    this.#playout?.cancel()
    // Its history is no longer needed, and is the larger part of what a kept track would hold.
    this.#pacer?.drop()
  }

  #now(): number {
    return this.#speaker.options.clock.now()
  }
}
