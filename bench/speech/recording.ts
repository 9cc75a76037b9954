/** What an adapter sends in a round, for the bare client to send the same: connections with their messages, and requests. */
import { Agent, type Dispatcher } from 'undici'
import { type Connect, connectWs, type Socket } from '../../src/provider/socket.ts'
import { type Frame, frameOf, soundPathOf } from './frames.ts'

/** `at`: the round of audio in which it was sent (recognisers), or how many messages had come before it (voices). */
export interface Step {
  readonly at: number
  readonly frame: Frame
}

/** One connection. What came before the round is its prelude. */
export interface Talk {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly prelude: Step[]
  readonly steps: Step[]
  /** Messages that came: until the round, and until its end. */
  preludeAnswers: number
  answers: number
  /** Where what comes has its sound. */
  soundPath: readonly string[] | undefined
}

export interface Asked {
  readonly at: number
  readonly origin: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

export interface Recording {
  readonly stage: 'stt' | 'tts'
  readonly talks: readonly Talk[]
  readonly requests: readonly Asked[]
  /** Bytes of sound in 20 ms of what a recogniser is given. */
  readonly chunkBytes: number
  /** Bytes of sound that came of a voice. */
  readonly soundBytes: number
}

export class Recorder {
  readonly talks: Talk[] = []
  readonly requests: Asked[] = []
  /** Recognisers: the round of audio. Voices: null. */
  round: number | null = null
  #phase: 'prelude' | 'round' | 'over' = 'prelude'

  /** From now on it is the round. */
  begin(): void {
    this.#phase = 'round'
    for (const talk of this.talks) talk.preludeAnswers = talk.answers
  }

  /** What follows is goodbyes. */
  end(): void {
    this.#phase = 'over'
  }

  readonly connect: Connect = async (request) => {
    const socket = await connectWs(request)
    const { url, headers = {} } = request
    const talk: Talk = {
      url,
      headers,
      prelude: [],
      steps: [],
      preludeAnswers: 0,
      answers: 0,
      soundPath: undefined,
    }
    this.talks.push(talk)
    return this.#heard(socket, talk)
  }

  /** Of requests that belong to the round. */
  readonly dispatcher: Dispatcher = new Agent().compose((dispatch) => (options, handler) => {
    const { origin = '', path, headers, body } = options
    if (this.#phase === 'round') {
      this.requests.push({
        at: this.round ?? 0,
        origin: String(origin),
        path,
        headers: headers as Record<string, string>,
        body: Buffer.from(body as string | Uint8Array),
      })
    }
    return dispatch(options, handler)
  })

  #heard(socket: Socket, talk: Talk): Socket {
    const sent = (data: string | Uint8Array) => {
      const step = { at: this.round ?? talk.answers, frame: frameOf(data) }
      if (this.#phase === 'prelude') talk.prelude.push(step)
      else if (this.#phase === 'round') talk.steps.push(step)
    }
    return {
      sendText(text) {
        sent(text)
        socket.sendText(text)
      },
      sendBinary(bytes) {
        sent(bytes)
        socket.sendBinary(bytes)
      },
      messages: this.#counted(socket.messages, talk),
      closed: socket.closed,
      get bufferedAmount() {
        return socket.bufferedAmount
      },
      close: (code, reason) => socket.close(code, reason),
      terminate: () => socket.terminate(),
    }
  }

  async *#counted(messages: AsyncIterable<string | Uint8Array>, talk: Talk) {
    for await (const message of messages) {
      if (this.#phase !== 'over') talk.answers++
      if (typeof message === 'string') talk.soundPath ??= soundPathOf(message)
      yield message
    }
  }
}
