/**
 * Voices behind HTTP: a request for each sentence, its body the sound. What a body is made of is each provider's own.
 * Nothing is asked before the first sentence, so what is wrong with a key is told then.
 */
import type { Dispatcher } from 'undici'
import { bytesToMs } from '../audio/format.ts'
import { WavError } from '../audio/wav.ts'
import { openScope, type Scope } from '../cancel.ts'
import type { ErrorFacts } from '../dialect/codec.ts'
import { StreamFault } from '../dialect/faults.ts'
import type { Sentence } from '../stage/tts.ts'
import type { AnswerOptions, Line } from './answer-stream.ts'
import { asProviderError, type HttpPost, type HttpTarget, post } from './http-exchange.ts'
import { PartedAnswer, type PartHearing } from './parted-answer.ts'

export interface SpeechServer {
  readonly dispatcher: Dispatcher
  readonly target: HttpTarget
  /** What an answer that is not 200 means. */
  readonly errorOf: (status: number, body: unknown) => ErrorFacts
  /** Of a sentence; JSON text. */
  readonly bodyOf: (text: string) => string
  /** Reads one answer; `contentType` is in lower case, empty where none was said. Throws `StreamFault` or `WavError`. */
  readonly reader: (hearing: PartHearing, contentType: string) => SoundReader
  /** Of a sentence that ended cleanly, with the length of its sound. Throws a `StreamFault` where more was due. */
  readonly whole?: ((text: string, ms: number) => void) | undefined
}

export interface SoundReader {
  push(bytes: Uint8Array): void
  end(): void
}

/** Twice what the longest sentence takes at half a voice's pace; a server that never stops is stopped. */
const SOUND_BYTES = 64 * 1024 * 1024

/** Requests need no line: each finds a connection of its own. */
const REQUESTS: Line = { usable: true, suspect() {}, release() {} }

export class HttpSpeech extends PartedAnswer<Line> {
  readonly #server: SpeechServer

  constructor(options: Omit<AnswerOptions<Line>, 'lease'>, server: SpeechServer) {
    super({ ...options, lease: async () => REQUESTS })
    this.#server = server
  }

  protected speak({ text }: Sentence, _line: Line, hearing: PartHearing): () => void {
    const scope = openScope(this.options.signal)
    let held = true
    const { provider } = this.options
    this.#request(text, hearing, scope).then(
      () => {
        scope.release()
        if (held) hearing.final()
      },
      (error) => {
        scope.cancel('done')
        if (held) hearing.failed(asProviderError({ provider, stage: 'tts' }, error))
      },
    )
    return () => {
      held = false
      scope.cancel('done')
    }
  }

  async #request(text: string, hearing: PartHearing, scope: Scope): Promise<void> {
    const { dispatcher, target, errorOf, bodyOf, reader, whole } = this.#server
    const { provider, clock, format } = this.options
    // Nothing a provider says of itself is told: it may quote the text.
    const codec: HttpPost['codec'] = {
      errorOf: (status, body) => {
        const { kind, message } = errorOf(status, body)
        return { kind, message }
      },
    }
    const call: HttpPost = { provider, stage: 'tts', dispatcher, codec, clock, secrets: [] }
    const { headers, body } = await post(call, target, bodyOf(text), scope.signal)
    try {
      const sound = reader(hearing, String(headers['content-type'] ?? '').toLowerCase())
      let bytes = 0
      for await (const chunk of body) {
        bytes += (chunk as Buffer).length
        if (bytes > SOUND_BYTES) throw new StreamFault('transient', 'the sound of one sentence does not end')
        sound.push(chunk as Buffer)
      }
      sound.end()
      whole?.(text, bytesToMs(format, hearing.bytes))
    } catch (error) {
      throw error instanceof WavError ? new StreamFault('transient', error.message) : error
    }
  }
}

/** Throws a `StreamFault` for what is certainly no sound that can be played. */
export function refuseNoSound(contentType: string): void {
  if (/^(text\/|application\/(problem\+)?json)/.test(contentType)) {
    throw new StreamFault('transient', 'the server answered with something that is no sound')
  }
  if (/^audio\/(mpeg|mp3|ogg|opus|aac|mp4|flac|webm)/.test(contentType)) {
    throw new StreamFault('transient', 'the server answered with compressed sound, which was not asked for')
  }
}
