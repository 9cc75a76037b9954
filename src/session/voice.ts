/**
 * From pieces of text to what the wire gets. Spoken answers go through text to speech, every sentence's words shown
 * as its audio starts; written ones go straight to the wire.
 */
import { AttemptsFailed, idOf } from '../attempt/failure.ts'
import { type Candidate, firstOf, type Lineup } from '../attempt/lineup.ts'
import { voiceMeter } from '../attempt/meters.ts'
import type { Phrase, PhraseVoice } from '../attempt/phrases.ts'
import { type AttemptRun, attempt } from '../attempt/run.ts'
import { type Converter, createConverter } from '../audio/convert.ts'
import { type AudioFormat, msToBytes } from '../audio/format.ts'
import { openScope, orAborted, type Scope } from '../cancel.ts'
import type { Piece } from '../stage/sentences.ts'
import {
  bestFormat,
  type Sentence,
  type TtsAdapter,
  type TtsEvent,
  type TtsOpenOptions,
  type TtsStream,
} from '../stage/tts.ts'
import type { AnswerOptions } from './answer.ts'
import { Gathered, logCached } from './said-before.ts'
import type { Track } from './track.ts'

/** Once it sounded: how long another voice's first sound, and any later one that is owed, is waited for. */
const VOICE_FIRST_MS = 5_000
const VOICE_IDLE_MS = 2_500
/** Nobody else could go on. */
const LONE_VOICE_IDLE_MS = 5_000
/** A phrase goes out in parts, so that an interruption finds little on its way. */
const PHRASE_PART_MS = 200

/** Resolves when all was handed to the speaker. */
export async function write(
  pieces: AsyncIterable<Piece>,
  { speaker, signal, ...facts }: AnswerOptions,
): Promise<void> {
  let track: Track | undefined
  let index = 0
  for await (const piece of pieces) {
    track ??= speaker.begin(facts)
    await speaker.room(signal)
    track.sentence(index, piece.text)
    track.show(index++)
  }
  track?.end()
}

/**
 * The sentences of one answer. The stream is opened at the first that has anything to voice; when it breaks, the next
 * target goes on with the sentence that broke. No finished sentence is said twice, and none is lost.
 */
export class Utterance {
  /** Rejects when the voice fails for good, at once, whatever the model is doing. */
  readonly #broken: Promise<never>
  #options: AnswerOptions
  readonly #scope: Scope
  #track: Track | undefined
  #next = 0
  /** The phrase before the first sentence. */
  #lead: Promise<void> | undefined
  #sounds = false
  #break: (error: unknown) => void = () => {}
  #stream: TtsStream | undefined
  /** Whose stream it is. */
  #speaker: Voice | undefined
  readonly #chars = new Map<Voice, { said: number }>()
  #playing: Promise<void> | undefined
  /** Said and not finished, in order. */
  #owed: Sentence[] = []
  /** Since when any is. */
  #owedSince = 0
  #ended = false

  constructor(options: AnswerOptions) {
    this.#options = options
    this.#scope = openScope(options.signal)
    this.#broken = new Promise((_, reject) => {
      this.#break = reject
    })
    this.#broken.catch(() => {})
  }

  /** Whom it asks, as long as it has asked nobody. */
  reroute(lineup: Lineup): void {
    this.#options = { ...this.#options, lineup }
  }

  /** Something of it was announced to the wire. */
  get began(): boolean {
    return this.#track !== undefined
  }

  /**
   * Resolves when all was handed to the speaker. `last` is asked for a closing phrase once all pieces were said. Throws
   * `ProviderError`, `NoCandidate`, or the signal's reason; then `conclude` may still be called.
   */
  async say(pieces: AsyncIterable<Piece>, last: () => Phrase | null): Promise<void> {
    try {
      await Promise.race([this.#say(pieces), this.#broken])
    } catch (error) {
      this.#scope.cancel('done')
      throw error
    }
    this.#scope.release()
    const phrase = last()
    if (phrase) await this.#recall(phrase)
    this.#track?.end()
  }

  /** Says a phrase while the answer is awaited; false when that sounds already. Its words are not the answer's. */
  fill(phrase: Phrase): boolean {
    if (this.#sounds || this.#lead || this.#options.signal.aborted) return false
    const track = this.#begin()
    const index = track.lead()
    // First the wire is told that there is an answer.
    this.#lead = Promise.resolve().then(() => this.#play(phrase, track, index))
    return true
  }

  /** The last words of an answer that failed: what was sent of it is played, then this. */
  async conclude(phrase: Phrase): Promise<void> {
    this.#track?.abandon()
    await this.#recall(phrase)
    this.#track?.end()
  }

  async #recall(phrase: Phrase): Promise<void> {
    const track = this.#begin()
    await this.#lead
    const index = this.#next++
    track.sentence(index, phrase.text)
    if (phrase.words.length > 0) track.words(index, phrase.words)
    await this.#play(phrase, track, index)
  }

  #begin(): Track {
    this.#track ??= this.#options.speaker.begin(this.#options)
    return this.#track
  }

  async #play(phrase: Phrase, track: Track, index: number): Promise<void> {
    logCached(this.#options.attempts, phrase)
    const converter = createConverter(phrase.format, track.format)
    try {
      const partBytes = msToBytes(phrase.format, PHRASE_PART_MS)
      for (let at = 0; at < phrase.audio.length; at += partBytes) {
        await track.audio(index, converter.process(phrase.audio.subarray(at, at + partBytes)))
      }
      await track.audio(index, converter.flush())
      track.sentenceDone(index)
    } finally {
      converter.close()
    }
  }

  async #say(pieces: AsyncIterable<Piece>): Promise<void> {
    for await (const piece of pieces) {
      const track = this.#begin()
      const index = this.#next++
      track.sentence(index, piece.text)
      if (piece.spoken !== '') this.#voice({ index, text: piece.spoken }, track)
    }
    this.#end()
    await this.#playing
    await this.#lead
  }

  #voice(sentence: Sentence, track: Track): void {
    if (!this.#playing && this.#knows(sentence, track)) return
    if (this.#owed.length === 0) this.#owedSince = this.#options.clock.now()
    this.#owed.push(sentence)
    this.#tell(sentence)
    if (this.#playing) return
    this.#playing = this.#perform(track)
    this.#playing.catch(this.#break)
  }

  /** As long as no voice was asked, what was said before is said from memory, after what is said from there already. */
  #knows({ text, index }: Sentence, track: Track): boolean {
    const { lineup, sentences, spokeWith, mark } = this.#options
    const [first] = lineup.tts
    if (!sentences || !first) return false
    const phrase = sentences.find(this.#voiceOf(first, track.format), text)
    if (!phrase) return false
    this.#sounds = true
    mark('ttsFirstAudio')
    spokeWith(idOf(first))
    if (phrase.words.length > 0) track.words(index, phrase.words)
    this.#lead = (this.#lead ?? Promise.resolve()).then(() => this.#play(phrase, track, index))
    this.#lead.catch(this.#break)
    return true
  }

  #voiceOf({ adapter, provider }: Voice, format: AudioFormat): PhraseVoice {
    const { lineup, voicing, settings } = this.#options
    const language = this.#options.language()
    return {
      adapter,
      voice: lineup.voice(voicing.voice, provider, language) ?? '',
      language: language ?? null,
      format: bestFormat(adapter, format),
      speed: settings().speed,
    }
  }

  #tell(sentence: Sentence): void {
    if (!this.#stream) return
    this.#stream.say(sentence)
    if (this.#speaker) this.#count(this.#speaker, sentence)
  }

  /** Providers count what they are given, said or not. */
  #count(voice: Voice, { text }: Sentence): void {
    const chars = this.#chars.get(voice)
    if (chars) chars.said += text.length
  }

  #end(): void {
    if (this.#owed.length === 0) this.#owedSince = this.#options.clock.now()
    this.#ended = true
    this.#stream?.end()
  }

  /** Targets in order, each taking up what the one before still owed. */
  async #perform(track: Track): Promise<void> {
    const { lineup, signal } = this.#options
    firstOf('tts', lineup.tts)
    let candidates = lineup.tts
    for (let reason = 'first'; ; reason = 'continuation') {
      try {
        return await this.#performWith(this.#ask(candidates, track.format, reason), track)
      } catch (error) {
        if (this.#owed.length === 0 && !signal.aborted) return this.#rest()
        candidates = whoGoesOn(error)
        if (signal.aborted || candidates.length === 0) throw error
      }
    }
  }

  /** A voice that broke with nothing left to say owes nothing; the next sentence, if one comes, opens another. */
  #rest(): void {
    this.#playing = undefined
  }

  #ask(candidates: readonly Voice[], format: AudioFormat, reason: string): AttemptRun<Voice, TtsEvent> {
    const { clock, attempts, health, slackMs, patienceMs, pricing } = this.#options
    const opened = new Set<Voice>()
    return attempt({
      stage: 'tts',
      candidates,
      open: (candidate, { signal }) => {
        opened.add(candidate)
        const kept = opened.size < candidates.length ? {} : KEPT
        return this.#events(candidate, { format: bestFormat(candidate.adapter, format), ...kept }, signal)
      },
      // A sentence may have nothing that sounds.
      isUseful: (event) => event.type !== 'words',
      clock,
      signal: this.#scope.signal,
      health,
      language: this.#options.language() ?? null,
      budget: this.#sounds
        ? { slackMs: () => VOICE_FIRST_MS, patienceMs: 0 }
        : { slackMs: () => slackMs('tts'), patienceMs: Math.min(patienceMs, VOICE_FIRST_MS) },
      idleMs: candidates.length > 1 ? VOICE_IDLE_MS : LONE_VOICE_IDLE_MS,
      owedSince: () => (this.#owed.length > 0 || this.#ended ? this.#owedSince : null),
      log: attempts,
      reason,
      ...(pricing && {
        meter: (candidate: Voice) => {
          const chars = { said: 0 }
          this.#chars.set(candidate, chars)
          return voiceMeter(pricing, candidate, () => chars.said)
        },
      }),
    })
  }

  /** All that one target gives. */
  async #performWith(events: AttemptRun<Voice, TtsEvent>, track: Track): Promise<void> {
    const { mark, spokeWith } = this.#options
    let converter: Converter | undefined
    let sounding: number | undefined
    const gathered = new Gathered(this.#options.sentences, () => this.#owed)
    try {
      for await (const event of events) {
        if (events.chosen) gathered.take(event, () => this.#voiceOf(events.chosen!, track.format))
        if (event.type === 'words') track.words(event.sentence, event.words)
        else if (event.type === 'sentenceDone') {
          this.#owed = this.#owed.filter(({ index }) => index > event.sentence)
          track.sentenceDone(event.sentence)
        } else {
          const { chosen } = events
          if (!converter && chosen) {
            converter = createConverter(bestFormat(chosen.adapter, track.format), track.format)
            this.#sounds = true
            mark('ttsFirstAudio')
            await this.#lead
            spokeWith(idOf(chosen))
          }
          sounding = event.sentence
          if (converter) await track.audio(sounding, converter.process(event.audio))
        }
      }
      if (converter && sounding !== undefined) await track.audio(sounding, converter.flush())
    } catch (error) {
      // The sentence that broke is said again from its start; what was sent of it was heard twice.
      if (sounding !== undefined && this.#owed[0]?.index === sounding) track.restarted(sounding)
      throw error
    } finally {
      converter?.close()
    }
  }

  async *#events(
    voice: Voice,
    asked: Pick<TtsOpenOptions, 'format' | 'shortSound'>,
    signal: AbortSignal,
  ): AsyncGenerator<TtsEvent> {
    const { lineup, clock, voicing, settings } = this.#options
    const { speed } = settings()
    const language = this.#options.language()
    const { adapter, provider } = voice
    const scope = openScope(signal)
    // What comes meanwhile is owed, and said at the opening.
    this.#stream = undefined
    let stream: TtsStream | undefined
    try {
      const opening = adapter.open({
        voice: lineup.voice(voicing.voice, provider, language) ?? '',
        speed,
        ...(language === undefined ? {} : { language }),
        signal: scope.signal,
        clock,
        ...asked,
      })
      stream = await orAborted(opening, scope.signal)
      this.#stream = stream
      this.#speaker = voice
      for (const sentence of this.#owed) this.#tell(sentence)
      if (this.#ended) stream.end()
      yield* stream
    } finally {
      if (this.#stream === stream) this.#stream = undefined
      // Whatever the adapter still holds goes with its stream.
      scope.cancel('done')
    }
  }
}

type Voice = Candidate<TtsAdapter>

/** Where no other voice is left to say a sentence again. */
const KEPT = { shortSound: 'kept' } as const

/** After a sound: those that did not fail themselves. */
function whoGoesOn(error: unknown): readonly Voice[] {
  if (!(error instanceof AttemptsFailed)) return []
  return (error as AttemptsFailed<Voice>).brokenAfterUseful?.remaining ?? []
}
