/** What the reducer tells the wire, on its way into the one queue: an answer's events in order with its sound, all else ahead of it. */
import type { SendQueue } from '../playout/send-queue.ts'
import type { Answers } from './answers.ts'
import type { SessionOutput } from './output.ts'
import type { TurnBook } from './turn-book.ts'

export interface OutletOptions {
  readonly queue: SendQueue<SessionOutput>
  readonly book: TurnBook
  readonly answers: Answers
}

export class Outlet {
  readonly #options: OutletOptions

  constructor(options: OutletOptions) {
    this.#options = options
  }

  emit(output: SessionOutput): void {
    const { queue, book, answers } = this.#options
    switch (output.type) {
      case 'responseCreated':
        return queue.answer(output, { bytes: 0, response: output.response.id })
      case 'answerStarted':
      case 'answerDone':
      case 'toolCalled':
      case 'serverCalled':
      case 'approvalRequested':
        return queue.answer(output, { bytes: 0, response: output.responseId })
      case 'responseDone': {
        const { response } = output
        const record = book.responseDone(output.turn, response)
        answers.done(response.id)
        return queue.answer({ ...output, record }, { bytes: 0, response: response.id })
      }
      case 'answerText':
      case 'answerAudio':
        throw new Error('answers are sent by the speaker')
      default:
        return queue.control(output)
    }
  }
}
