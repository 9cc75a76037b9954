/**
 * Everything the session says, on its way to the wire: one queue, one ledger an answer, and the four things that can
 * happen to sound: cut, paused, resumed, acknowledged. The order at a cut matters: first the queue, so that not one
 * more byte leaves, then the ledger, so that late audio cannot extend what was heard.
 *
 *     track.audio ─► (pacer) ─► SendQueue ─► wire takes it ─► ledger.sent ─► spoken ─► played out
 */
import { bytesToMs } from '../audio/format.ts'
import type { Clock, Timer } from '../clock.ts'
import { HeardLedger } from '../playout/heard.ts'
import { FRAME_MS, type PacedPart, type Pacer } from '../playout/pacer.ts'
import type { PacerGroup } from '../playout/pacer-group.ts'
import { SendQueue } from '../playout/send-queue.ts'
import type { SpokenWord } from '../stage/tts.ts'
import type { Voicing } from './effects.ts'
import type { AnswerEvent } from './events.ts'
import type { ItemAudio } from './item-audio.ts'
import type { Heard } from './items.ts'
import type { SessionOutput } from './output.ts'
import type { WireCaps } from './session.ts'
import type { SessionSettings } from './settings.ts'

/** Ledgers kept after their answer was played out, for a late truncate. */
const KEPT_TRACKS = 8
/** The far side's buffering and the way there: an answer counts as played a little after the clock says so. */
const PLAYOUT_GRACE_MS = 150

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

interface TrackFacts {
  readonly response: string
  readonly turn: string
  readonly voicing: Voicing
}

export class Speaker {
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
  begin(facts: TrackFacts): Track {
    const track = new Track(this, facts)
    this.#tracks.set(facts.response, track)
    for (const [id, old] of this.#tracks) {
      if (this.#tracks.size <= KEPT_TRACKS) break
      if (old.over) this.#tracks.delete(id)
    }
    this.options.report({ type: 'speaking', at: this.options.clock.now(), response: facts.response })
    return track
  }

  /** When the far side will have played every paced answer sent so far. */
  get playsUntil(): number {
    let latest = Number.NEGATIVE_INFINITY
    for (const track of this.#tracks.values()) {
      if (!track.over && track.playsUntil !== null) latest = Math.max(latest, track.playsUntil)
    }
    return latest
  }

  room(signal: AbortSignal): Promise<void> {
    return this.queue.room(signal)
  }

  /** Stops a response for good and reports what of it was sent and heard. */
  cut(response: string): void {
    const track = this.#tracks.get(response)
    const at = this.options.clock.now()
    const nothing = { ms: 0, text: '', interrupted: true }
    const stopped = track?.stop(at) ?? { said: '', audioMs: 0, heard: nothing }
    if (this.options.caps.ownsOutput)
      this.queue.control({ type: 'outputCleared', response: response } as never)
    this.options.report({ type: 'outputCut', at, response, ...stopped })
  }

  /** Forgets a response without a word about it: nothing of it reached the wire, or nobody is left to tell. */
  drop(response: string): void {
    this.#tracks.get(response)?.stop(this.options.clock.now())
    this.#tracks.delete(response)
  }

  /** The answer failed: what was sent stays said and plays to its end. */
  giveUp(response: string): { readonly said: string; readonly audioMs: number } {
    return this.#tracks.get(response)?.giveUp() ?? { said: '', audioMs: 0 }
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
    for (const track of this.#tracks.values()) track.stop(this.options.clock.now())
    this.#tracks.clear()
    this.queue.close()
  }

  #taken(output: SessionOutput): void {
    if (output.type !== 'answerAudio' && output.type !== 'answerText') return
    this.#tracks.get(output.responseId)?.taken(output)
  }
}

/** One answer being sent. */
export class Track {
  readonly facts: TrackFacts
  readonly #speaker: Speaker
  readonly #ledger: HeardLedger
  readonly #pacer: Pacer<number> | undefined
  /** Words of sentences not shown yet, by sentence. */
  readonly #texts: { readonly sentence: number; readonly text: string }[] = []
  #said = ''
  #firstAudioSent = false
  #state: 'live' | 'sent' | 'over' = 'live'
  #playout: Timer | undefined

  constructor(speaker: Speaker, facts: TrackFacts) {
    this.facts = facts
    this.#speaker = speaker
    const { caps, pacers, settings, underrun } = speaker.options
    this.#ledger = new HeardLedger({ reportsPlayed: caps.reportsPlayed })
    const leadMs = settings().leadMs ?? caps.leadMs
    if (leadMs !== null && facts.voicing.modality === 'audio') {
      this.#pacer = pacers.open<number>({
        format: settings().outputFormat,
        leadMs,
        startsAt: speaker.playsUntil,
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

  /** Paced answers: when the far side will have played what was sent. */
  get playsUntil(): number | null {
    return this.#pacer?.playsUntil ?? null
  }

  sentence(index: number, text: string): void {
    this.#ledger.sentence(index, text)
    this.#texts.push({ sentence: index, text })
  }

  words(index: number, words: readonly SpokenWord[]): void {
    this.#ledger.words(index, words)
  }

  sentenceDone(index: number): void {
    this.#ledger.sentenceDone(index)
  }

  /** In the session's output format. Resolves when there is room for more. */
  async audio(sentence: number, audio: Uint8Array): Promise<void> {
    if (this.#state !== 'live' || audio.length === 0) return
    this.#ledger.synthesised(sentence, this.#ms(audio))
    if (this.#pacer) return this.#pacer.push(audio, sentence)
    await this.#speaker.room(this.#speaker.options.signal)
    this.#deliver(audio, [{ tag: sentence, ms: this.#ms(audio) }])
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
    if (this.#state !== 'live') return
    void this.#finish()
  }

  async #finish(): Promise<void> {
    await this.#pacer?.end()
    if (this.#state !== 'live') return
    this.show(Number.POSITIVE_INFINITY)
    this.#speaker.queue.after(() => this.#allTaken(), this.facts.response)
  }

  giveUp(): { readonly said: string; readonly audioMs: number } {
    this.#pacer?.drop()
    this.#speaker.queue.drop(this.facts.response)
    if (this.#state === 'live') this.#awaitPlayout()
    return { said: this.#said, audioMs: this.sentMs }
  }

  stop(at: number): { readonly said: string; readonly audioMs: number; readonly heard: Heard } {
    this.#pacer?.drop()
    this.#speaker.queue.drop(this.facts.response)
    const { ms, text } = this.#ledger.cut(at)
    this.#state = 'over'
    this.#playout?.cancel()
    return { said: this.#said, audioMs: this.sentMs, heard: { ms, text, interrupted: true } }
  }

  pause(): void {
    this.#pacer?.pause()
    this.#ledger.paused(this.#now())
    this.#playout?.cancel()
  }

  /** Goes on: from what was heard where the far side threw the rest away, else from where sending stopped. */
  resume(): void {
    const { caps } = this.#speaker.options
    const fromMs = caps.ownsOutput ? this.#ledger.heard(this.#now()).ms : undefined
    this.#ledger.resumed(this.#now(), fromMs)
    this.#pacer?.resume(fromMs)
    if (this.#state === 'sent') this.#awaitPlayout()
  }

  played(ms: number): void {
    this.#ledger.played(ms)
    if (this.#state === 'sent' && ms >= this.sentMs) this.#playedOut()
  }

  heard(): Heard {
    return {
      ...this.#ledger.heard(this.#now()),
      interrupted: this.#state === 'over' && this.#said !== this.#ledger.text,
    }
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
    for (const part of output.parts) this.#ledger.sent(part.tag, part.ms, now)
    this.#speaker.options.itemAudio.append(output.itemId, output.audio)
    if (this.#firstAudioSent) return
    this.#firstAudioSent = true
    this.#speaker.options.firstSent(this.facts.turn, now)
  }

  #deliver(audio: Uint8Array, parts: readonly PacedPart<number>[]): void {
    if (this.#state !== 'live') return
    this.show(parts.at(-1)?.tag ?? 0)
    const { response, voicing } = this.facts
    const place = { responseId: response, itemId: voicing.itemId, outputIndex: voicing.outputIndex }
    this.#speaker.queue.answer(
      { type: 'answerAudio', audio, parts, ...place },
      { bytes: audio.length, response },
    )
  }

  #allTaken(): void {
    if (this.#state !== 'live') return
    const { response } = this.facts
    this.#speaker.options.report({
      type: 'spoken',
      at: this.#now(),
      response,
      said: this.#said,
      audioMs: this.sentMs,
    })
    if (this.facts.voicing.modality === 'audio') this.#awaitPlayout()
    else this.#state = 'over'
  }

  #awaitPlayout(): void {
    this.#state = 'sent'
    const end = this.#ledger.playbackEndsAt
    const left = end === null ? 0 : end - this.#now() + PLAYOUT_GRACE_MS
    this.#playout?.cancel()
    this.#playout = this.#speaker.options.clock.setTimer(left, () => this.#playedOut())
  }

  #playedOut(): void {
    if (this.#state === 'over') return
    this.#state = 'over'
    this.#playout?.cancel()
    this.#speaker.options.report({ type: 'playedOut', at: this.#now(), response: this.facts.response })
  }

  #ms(audio: Uint8Array): number {
    return bytesToMs(this.#speaker.options.settings().outputFormat, audio.length)
  }

  #now(): number {
    return this.#speaker.options.clock.now()
  }
}
