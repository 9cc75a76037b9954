/**
 * From pieces of text to what the wire gets. Spoken answers go through text to speech, every sentence's words shown
 * as its audio starts; written ones go straight to the wire.
 */
import { withDeadline } from '../attempt/deadline.ts'
import { firstOf } from '../attempt/lineup.ts'
import { createConverter } from '../audio/convert.ts'
import { type AudioFormat, PCM16_24K, sameFormat } from '../audio/format.ts'
import { openScope, type Scope } from '../cancel.ts'
import { ProviderError } from '../errors.ts'
import type { Piece } from '../stage/sentences.ts'
import type { TtsAdapter, TtsEvent, TtsStream } from '../stage/tts.ts'
import type { AnswerOptions } from './answer.ts'
import type { Track } from './speaker.ts'

/** PROVIDERS.md section 5: hard limit on a voice's first sound, and on any later gap. */
const VOICE_FIRST_MS = 5_000
const VOICE_IDLE_MS = 5_000

/** Resolves when all was handed to the speaker. Throws `ProviderError`, `NoCandidate`, or the signal's reason. */
export async function voice(pieces: AsyncIterable<Piece>, options: AnswerOptions): Promise<void> {
  const { speaker, response, turn, voicing } = options
  const begin = () => speaker.begin({ response, turn, voicing })
  if (voicing.modality === 'text') return write(pieces, options, begin)
  const utterance = new Utterance(options, begin)
  try {
    let index = 0
    for await (const piece of pieces) await utterance.add(index++, piece)
    await utterance.end()
  } catch (error) {
    utterance.stop()
    throw error
  }
}

async function write(
  pieces: AsyncIterable<Piece>,
  options: AnswerOptions,
  begin: () => Track,
): Promise<void> {
  let track: Track | undefined
  let index = 0
  for await (const piece of pieces) {
    track ??= begin()
    await options.speaker.room(options.signal)
    track.sentence(index, piece.text)
    track.show(index++)
  }
  track?.end()
}

/** The sentences of one answer on one text-to-speech stream, opened at the first that has anything to voice. */
class Utterance {
  readonly #options: AnswerOptions
  readonly #begin: () => Track
  readonly #scope: Scope
  #track: Track | undefined
  #stream: TtsStream | undefined
  #playing: Promise<void> | undefined
  #failed = false
  /** Sentences said and not finished. */
  #owed = 0

  constructor(options: AnswerOptions, begin: () => Track) {
    this.#options = options
    this.#begin = begin
    this.#scope = openScope(options.signal)
  }

  async add(index: number, piece: Piece): Promise<void> {
    this.#track ??= this.#begin()
    this.#track.sentence(index, piece.text)
    if (piece.spoken === '') return
    this.#stream ??= await this.#open()
    if (this.#failed) await this.#playing
    this.#owed++
    this.#stream.say({ index, text: piece.spoken })
  }

  async end(): Promise<void> {
    this.#stream?.end()
    await this.#playing
    this.#scope.release()
    this.#track?.end()
  }

  stop(): void {
    this.#scope.cancel('done')
  }

  async #open(): Promise<TtsStream> {
    const { lineup, clock, voicing, settings, attempts } = this.#options
    const candidate = firstOf('tts', lineup.tts)
    const { outputFormat, language, speed } = settings()
    const format = bestFormat(candidate.adapter, outputFormat)
    const attempt = attempts?.start('tts', candidate, 'first')
    const stream = await candidate.adapter.open({
      voice: lineup.voice(voicing.voice, candidate.provider) ?? '',
      format,
      speed,
      ...(language === undefined ? {} : { language }),
      signal: this.#scope.signal,
      clock,
    })
    this.#playing = this.#play(stream, format, attempt)
    this.#playing.catch(() => {
      this.#failed = true
    })
    return stream
  }

  async #play(stream: TtsStream, format: AudioFormat, attempt: number | undefined): Promise<void> {
    const { clock, lineup, attempts, settings, mark, signal } = this.#options
    const { provider } = firstOf('tts', lineup.tts)
    const track = this.#track as Track
    const converter = createConverter(format, settings().outputFormat)
    let first = true
    let sentence = 0
    const events = withDeadline<TtsEvent>(stream, {
      clock,
      firstUsefulMs: VOICE_FIRST_MS,
      idleMs: VOICE_IDLE_MS,
      isUseful: (event) => event.type === 'audio',
      owed: () => this.#owed > 0,
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
