/** What the caller says in one go, on its way through a recogniser: from where, how far written, by whom it was lost. */
import type { Converter } from '../audio/convert.ts'
import type { AudioFormat } from '../audio/format.ts'
import type { Timer } from '../clock.ts'
import type { ProviderErrorKind } from '../errors.ts'
import type { StableWords } from './stable-words.ts'
import type { SttAttempt } from './stt-attempt.ts'

export interface Utterance {
  readonly turn: string
  readonly fromMs: number
  /** Null while the caller speaks. */
  endMs: number | null
  /** Up to where the stream has it. */
  writtenMs: number
  converter: { readonly from: AudioFormat; readonly to: Converter } | undefined
  /** Streams lost with it. */
  losses: number
  /** Given up while the caller still spoke: its end will say so. */
  failed: ProviderErrorKind | undefined
  deadline: Timer | undefined
  attempt: SttAttempt | undefined
  readonly stable: StableWords
  /** Reported already, by these words: the final only ends its attempt. */
  promoted: boolean
}

export function utteranceFrom(turn: string, fromMs: number, stable: StableWords): Utterance {
  return {
    turn,
    fromMs,
    endMs: null,
    writtenMs: fromMs,
    converter: undefined,
    losses: 0,
    failed: undefined,
    deadline: undefined,
    attempt: undefined,
    stable,
    promoted: false,
  }
}

export function lengthOf({ fromMs, endMs }: Utterance): number {
  return (endMs ?? fromMs) - fromMs
}

/** It is answered, or never will be. */
export function settle(utterance: Utterance): void {
  utterance.deadline?.cancel()
  utterance.stable.stop()
}

/** As if nothing of it had been written. */
export function rewind(utterance: Utterance): void {
  utterance.stable.anew()
  utterance.converter?.to.close()
  utterance.converter = undefined
  utterance.writtenMs = utterance.fromMs
}
