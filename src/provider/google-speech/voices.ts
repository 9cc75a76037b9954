/**
 * Google's voices: a call for each sentence, since its sound bears no mark of where a sentence ends, and a call that is given
 * nothing for five seconds is ended.
 */
import { openScope } from '../../cancel.ts'
import { ProviderError } from '../../errors.ts'
import type { Sentence } from '../../stage/tts.ts'
import type { AnswerOptions, Line } from '../answer-stream.ts'
import { PartedAnswer, type PartHearing } from '../parted-answer.ts'
import { UpgradeRefused } from '../socket.ts'
import type { Rpc, RpcCall, RpcFault } from './rpc.ts'
import { kindOfFault, soundOf } from './wire.ts'

/** Calls share the connection. */
const CALLS: Line = { usable: true, suspect() {}, release() {} }
/** Twice what the longest sentence takes at half a voice's pace; a call that never stops is stopped. */
const SOUND_BYTES = 64 * 1024 * 1024

export class GoogleSpeech extends PartedAnswer<Line> {
  readonly #rpc: Rpc
  readonly #config: object
  readonly #onLeft: () => void

  constructor(options: Omit<AnswerOptions<Line>, 'lease'>, rpc: Rpc, config: object, onLeft: () => void) {
    super({ ...options, lease: async () => CALLS })
    this.#rpc = rpc
    this.#config = config
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
    this.#rpc.ready(scope.signal).then(
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
    const call = this.#rpc.call({
      message: (response) => {
        const audio = soundOf(response)
        if (!audio) return
        if (hearing.bytes + audio.length <= SOUND_BYTES) return hearing.audio(audio)
        call.cancel()
        onOver()
        hearing.failed(this.error('transient', 'the sound of one sentence does not end'))
      },
      ended: () => {
        onOver()
        hearing.final()
      },
      failed: (fault) => {
        onOver()
        hearing.failed(this.#failure(fault))
      },
    })
    call.write(this.#config, () => {})
    call.write({ input: { text } }, () => {})
    call.end()
    return call
  }

  #failure(fault: RpcFault): ProviderError {
    const { code, retryAfterMs } = fault
    return new ProviderError({
      provider: this.options.provider,
      stage: 'tts',
      kind: kindOfFault(fault),
      message: `the call failed with gRPC status ${code ?? 'unknown'}`,
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    })
  }
}
