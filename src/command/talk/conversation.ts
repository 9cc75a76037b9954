/**
 * One spoken exchange over the Realtime API, seen from the caller's side: open, speak the recording, listen until
 * everything that was asked is answered.
 *
 *     session.created → session.update → session.updated → append* … response.done of the last turn
 */
import type { Clock, Timer } from '../../clock.ts'
import { formatSeconds } from '../format.ts'
import { UserError } from '../user-error.ts'
import type { RealtimeConnection } from './connection.ts'
import { readEvent, type ServerWord, sessionUpdate } from './events.ts'
import { type Microphone, speak } from './microphone.ts'
import type { Transcript } from './transcript.ts'

/** A response that is over. */
export interface Answer {
  readonly turnId: string | null
  readonly status: string
  /** PCM16 at 24 kHz. */
  readonly audio: readonly Uint8Array[]
  readonly text: string
}

export interface ConversationOptions {
  readonly clock: Clock
  readonly transcript: Transcript
  /** The server may be silent this long after the recording ended; then it is given up. */
  readonly patienceMs: number
}

/** `speech` is PCM16 at 24 kHz. Throws `UserError` when the server fails, refuses or stays silent. */
export async function converse(
  connection: RealtimeConnection,
  speech: Uint8Array,
  options: ConversationOptions,
): Promise<Answer[]> {
  const conversation = new Conversation(connection, speech, options)
  return conversation.run()
}

type Open = { audio: Uint8Array[]; text: string }

class Conversation {
  readonly #connection: RealtimeConnection
  readonly #speech: Uint8Array
  readonly #options: ConversationOptions
  readonly #answers: Answer[] = []
  readonly #open = new Map<string, Open>()
  #microphone: Microphone | undefined
  #manual = false
  #spoken = false
  #speaking = false
  /** Utterances committed that no response was begun for yet. */
  #unanswered = 0
  readonly #untranscribed = new Set<string>()
  #committed = 0
  #patience: Timer | undefined
  #givenUp: UserError | undefined

  constructor(connection: RealtimeConnection, speech: Uint8Array, options: ConversationOptions) {
    this.#connection = connection
    this.#speech = speech
    this.#options = options
  }

  async run(): Promise<Answer[]> {
    this.#waitOn()
    try {
      for await (const event of this.#connection.events) {
        this.#waitOn()
        this.#take(readEvent(event))
        if (this.#finished) return this.#answers
      }
      throw this.#givenUp ?? new UserError('The server ended the conversation before it had answered.')
    } finally {
      this.#patience?.cancel()
      this.#microphone?.stop()
      this.#options.transcript.endLine()
    }
  }

  get #finished(): boolean {
    const answered = this.#committed > 0 && this.#unanswered === 0 && this.#open.size === 0
    return this.#spoken && !this.#speaking && answered && this.#untranscribed.size === 0
  }

  #take(word: ServerWord): void {
    const { transcript } = this.#options
    switch (word.type) {
      case 'opened':
        return this.#connection.send(sessionUpdate)
      case 'ready':
        this.#manual = word.manual
        return this.#speak()
      case 'speechStarted':
        this.#speaking = true
        return
      case 'committed':
        this.#speaking = false
        this.#committed++
        this.#unanswered++
        this.#untranscribed.add(word.itemId)
        return
      case 'heard':
        return transcript.heard(word.itemId, word.delta)
      case 'heardAll':
        this.#untranscribed.delete(word.itemId)
        return transcript.heardAll(word.itemId, word.transcript)
      case 'notHeard':
        this.#untranscribed.delete(word.itemId)
        return transcript.note(`the recognition failed: ${word.message}`)
      case 'answering':
        this.#unanswered = 0
        this.#open.set(word.responseId, { audio: [], text: '' })
        return
      case 'answerText': {
        const open = this.#open.get(word.responseId)
        if (open) open.text += word.delta
        return transcript.answer(word.delta)
      }
      case 'answerAudio':
        this.#open.get(word.responseId)?.audio.push(word.audio)
        return
      case 'tool':
        return transcript.note(`calls ${word.name}(${word.arguments})`)
      case 'answered':
        return this.#answered(word)
      case 'error':
        return this.#refused(word)
      case 'other':
        return
      default:
        word satisfies never
    }
  }

  #speak(): void {
    // Every accepted update is echoed; only the first one starts the recording.
    if (this.#microphone) return
    const microphone = speak(this.#speech, this.#options.clock, (chunk) =>
      this.#connection.send({
        type: 'input_audio_buffer.append',
        audio: Buffer.from(chunk).toString('base64'),
      }),
    )
    this.#microphone = microphone
    void microphone.spoken.then(() => {
      this.#spoken = true
      this.#waitOn()
      if (!this.#manual) return
      microphone.stop()
      this.#connection.send({ type: 'input_audio_buffer.commit' })
      this.#connection.send({ type: 'response.create' })
    })
  }

  #answered(word: Extract<ServerWord, { type: 'answered' }>): void {
    const { transcript } = this.#options
    const open = this.#open.get(word.responseId) ?? { audio: [], text: '' }
    this.#open.delete(word.responseId)
    this.#answers.push({ turnId: word.turnId, status: word.status, ...open })
    transcript.endLine()
    if (word.status !== 'completed')
      transcript.note(word.why === '' ? word.status : `${word.status}: ${word.why}`)
  }

  /** Most errors leave the session open, but then the exchange of a command that asked for nothing unusual is over. */
  #refused(word: Extract<ServerWord, { type: 'error' }>): never {
    throw new UserError(`The server reports: ${word.message}${word.code === '' ? '' : ` (${word.code})`}`)
  }

  /** Begins the wait for the server anew. While the recording is still being spoken there is no hurry. */
  #waitOn(): void {
    this.#patience?.cancel()
    const { clock, patienceMs } = this.#options
    this.#patience = clock.setTimer(patienceMs, () => {
      if (this.#microphone && !this.#spoken) return
      const heardNothing = this.#microphone && this.#committed === 0 && !this.#speaking
      this.#givenUp = heardNothing
        ? new UserError(
            `The server heard no speech in the recording (waited ${formatSeconds(patienceMs)}).`,
            'Is it loud enough, and is it speech?',
          )
        : new UserError(`The server sent nothing for ${formatSeconds(patienceMs)}; giving up.`)
      this.#connection.close()
    })
  }
}
