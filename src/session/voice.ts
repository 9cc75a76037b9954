/**
 * From pieces of text to what the wire gets. Spoken answers go through text to speech, every sentence's words shown
 * as its audio starts; written ones go straight to the wire.
 */
import { withDeadline } from '../attempt/deadline.ts'
import { firstOf } from '../attempt/lineup.ts'
import { createConverter } from '../audio/convert.ts'
import { type AudioFormat, PCM16_24K, sameFormat } from '../audio/format.ts'
import { openScope, orAborted, type Scope } from '../cancel.ts'
import { ProviderError } from '../errors.ts'
import type { Piece } from '../stage/sentences.ts'
import type { Sentence, TtsAdapter, TtsEvent, TtsStream } from '../stage/tts.ts'
import type { AnswerOptions } from './answer.ts'
import type { Track } from './track.ts'

/** PROVIDERS.md section 5: hard limit on a voice's first sound, and on any later gap. */
const VOICE_FIRST_MS = 5_000
const VOICE_IDLE_MS = 5_000

/** Resolves when all was handed to the speaker. Throws `ProviderError`, `NoCandidate`, or the signal's reason. */
export async function voice(pieces: AsyncIterable<Piece>, options: AnswerOptions): Promise<void> {
  if (options.voicing.modality === 'text') return write(pieces, options)
  const utterance = new Utterance(options)
  try {
    await Promise.race([utterance.say(pieces), utterance.broken])
  } catch (error) {
    utterance.stop()
    throw error
  }
}

async function write(
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

/** The sentences of one answer on one text-to-speech stream, opened at the first that has anything to voice. */
class Utterance {
  /** Rejects when the voice fails, at once, whatever the model is doing. */
  readonly broken: Promise<never>
  readonly #options: AnswerOptions
  readonly #scope: Scope
  #break: (error: unknown) => void = () => {}
  #stream: TtsStream | undefined
  #playing: Promise<void> | undefined
  /** Said before the stream was open. */
  readonly #waiting: Sentence[] = []
  #ended = false
  /** Sentences said and not finished, and since when any is. */
  #owed = 0
  #owedSince = 0

  constructor(options: AnswerOptions) {
    this.#options = options
    this.#scope = openScope(options.signal)
    this.broken = new Promise((_, reject) => {
      this.#break = reject
    })
  }

  async say(pieces: AsyncIterable<Piece>): Promise<void> {
    let track: Track | undefined
    let index = 0
    for await (const piece of pieces) {
      track ??= this.#options.speaker.begin(this.#options)
      track.sentence(index, piece.text)
      if (piece.spoken !== '') this.#voice({ index, text: piece.spoken }, track)
      index++
    }
    this.#end()
    await this.#playing
    this.#scope.release()
    track?.end()
  }

  stop(): void {
    this.#scope.cancel('done')
  }

  #voice(sentence: Sentence, track: Track): void {
    if (this.#owed++ === 0) this.#owedSince = this.#options.clock.now()
    if (this.#stream) this.#stream.say(sentence)
    else this.#waiting.push(sentence)
    if (this.#playing) return
    this.#playing = this.#play(track)
    this.#playing.catch(this.#break)
  }

  #end(): void {
    if (this.#owed === 0) this.#owedSince = this.#options.clock.now()
    this.#ended = true
    this.#stream?.end()
  }

  async *#events(adapter: TtsAdapter, provider: string, format: AudioFormat): AsyncGenerator<TtsEvent> {
    const { lineup, clock, voicing, settings } = this.#options
    const { language, speed } = settings()
    const { signal } = this.#scope
    const opening = adapter.open({
      voice: lineup.voice(voicing.voice, provider) ?? '',
      format,
      speed,
      ...(language === undefined ? {} : { language }),
      signal,
      clock,
    })
    const stream = await orAborted(opening, signal)
    this.#stream = stream
    for (const sentence of this.#waiting.splice(0)) stream.say(sentence)
    if (this.#ended) stream.end()
    yield* stream
  }

  async #play(track: Track): Promise<void> {
    const { clock, lineup, attempts, mark, signal } = this.#options
    const { adapter, provider, ...facts } = firstOf('tts', lineup.tts)
    const format = bestFormat(adapter, track.format)
    const converter = createConverter(format, track.format)
    const attempt = attempts?.start('tts', { provider, ...facts }, 'first')
    let first = true
    let sentence = 0
    const events = withDeadline(this.#events(adapter, provider, format), {
      clock,
      firstUsefulMs: VOICE_FIRST_MS,
      idleMs: VOICE_IDLE_MS,
      isUseful: (event) => event.type === 'audio',
      owedSince: () => (this.#owed > 0 || this.#ended ? this.#owedSince : null),
      scope: this.#scope,
      provider,
      stage: 'tts',
    })
    try {
      for await (const event of events) {
        sentence = event.sentence
        if (event.type === 'words') track.words(sentence, event.words)
        else if (event.type === 'sentenceDone') {
          this.#owed--
          track.sentenceDone(sentence)
        } else {
          if (first) {
            first = false
            attempts?.firstOutput(attempt)
            mark('ttsFirstAudio')
            this.#options.spokeWith(adapter.id)
          }
          await track.audio(sentence, converter.process(event.audio))
        }
      }
      await track.audio(sentence, converter.flush())
      attempts?.end(attempt, 'ok')
    } catch (error) {
      if (signal.aborted && !(error instanceof ProviderError)) attempts?.end(attempt, 'cancelled')
      else attempts?.end(attempt, 'failed', error instanceof ProviderError ? error.kind : 'transient')
      throw error
    } finally {
      converter.close()
    }
  }
}

/** The format asked of the voice: the wire's own if it has it, else its best, converted here. */
function bestFormat(adapter: TtsAdapter, wanted: AudioFormat): AudioFormat {
  const { outputs } = adapter.caps
  return outputs.find((format) => sameFormat(format, wanted)) ?? outputs[0] ?? PCM16_24K
}
