/** Voices behind a provider's own SDK: a call for each sentence, over connections that the SDK keeps. */
import { bytesToMs } from '../audio/format.ts'
import { openScope } from '../cancel.ts'
import { StreamFault } from '../dialect/faults.ts'
import { ProviderError } from '../errors.ts'
import type { Sentence } from '../stage/tts.ts'
import type { AnswerOptions, Line } from './answer-stream.ts'
import type { Rpc, RpcCall, RpcFault } from './call.ts'
import { PartedAnswer, type PartHearing } from './parted-answer.ts'
import { UpgradeRefused } from './socket.ts'

/** Calls share the connection. */
const CALLS: Line = { usable: true, suspect() {}, release() {} }
/** Twice what the longest sentence takes at half a voice's pace; a call that never stops is stopped. */
const SOUND_BYTES = 64 * 1024 * 1024

export interface CallingVoice {
  readonly rpc: Rpc
  /** All that is written for a sentence. */
  readonly requests: (text: string) => readonly object[]
  /** Tells what a response holds. */
  readonly read: (response: unknown, hearing: PartHearing) => void
  /** Of a sentence whose call ended well: throws a `StreamFault` where its sound cannot be all. Left out: it is. */
  readonly whole?: ((text: string, ms: number) => void) | undefined
}

export class CalledVoice extends PartedAnswer<Line> {
  readonly #voice: CallingVoice
  readonly #onLeft: () => void

  constructor(options: Omit<AnswerOptions<Line>, 'lease'>, voice: CallingVoice, onLeft: () => void) {
    super({ ...options, lease: async () => CALLS })
    this.#voice = voice
    this.#onLeft = onLeft
  }

  /** The provider was closed. */
  stop(): void {
    this.fail(this.error('cancelled', 'the provider was closed'))
  }

  protected override letGo(): void {
    super.letGo()
    this.#onLeft()
  }

  protected speak({ text }: Sentence, _line: Line, hearing: PartHearing): () => void {
    const scope = openScope(this.options.signal)
    let call: RpcCall | undefined
    this.#voice.rpc.ready(scope.signal).then(
      () => {
        if (!scope.signal.aborted) call = this.#ask(text, hearing, () => scope.release())
      },
      (error) => {
        const kind = error instanceof UpgradeRefused ? 'auth' : 'transient'
        if (scope.signal.aborted) return
        scope.release()
        hearing.failed(this.error(kind, 'there is no connection'))
      },
    )
    return () => {
      scope.cancel('done')
      call?.cancel()
    }
  }

  #ask(text: string, hearing: PartHearing, onOver: () => void): RpcCall {
    const call = this.#voice.rpc.call({
      message: (response) => {
        this.#voice.read(response, hearing)
        if (hearing.bytes <= SOUND_BYTES) return
        call.cancel()
        onOver()
        hearing.failed(this.error('transient', 'the sound of one sentence does not end'))
      },
      ended: () => {
        onOver()
        this.#end(text, hearing)
      },
      failed: (fault) => {
        onOver()
        hearing.failed(this.#failure(fault))
      },
    })
    for (const request of this.#voice.requests(text)) call.write(request, () => {})
    call.end()
    return call
  }

  #end(text: string, hearing: PartHearing): void {
    try {
      this.#voice.whole?.(text, bytesToMs(this.options.format, hearing.bytes))
      hearing.final()
    } catch (error) {
      if (!(error instanceof StreamFault)) throw error
      hearing.failed(this.error(error.kind, error.message))
    }
  }

  #failure(fault: RpcFault): ProviderError {
    return new ProviderError({ provider: this.options.provider, stage: 'tts', ...fault })
  }
}
