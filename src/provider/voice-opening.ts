/** What opening an answer on a shared socket has in common: what cannot be is refused first, then a line is leased. */
import { sameFormat } from '../audio/format.ts'
import { orAborted } from '../cancel.ts'
import { ProviderError, type ProviderErrorKind } from '../errors.ts'
import type { TtsCaps, TtsOpenOptions, TtsWarmOptions } from '../stage/tts.ts'
import type { Line } from './answer-stream.ts'
import type { Link, LinkPool } from './link-pool.ts'

/** Throws `ProviderError`, or the signal's reason. */
export function checkOpening(
  provider: string,
  caps: TtsCaps,
  { voice, format, signal }: TtsOpenOptions,
): void {
  signal.throwIfAborted()
  if (voice === '') throw refusal(provider, 'bad_request', 'no voice of this provider is named in `voices`')
  if (!caps.outputs.some((output) => sameFormat(output, format))) {
    throw refusal(provider, 'bad_request', `no ${format.encoding} at ${format.sampleRateHz} Hz`)
  }
}

/** Whether `checkOpening` would let it pass. */
export function canOpen({ outputs }: TtsCaps, { voice, format }: TtsWarmOptions): boolean {
  return voice !== '' && outputs.some((output) => sameFormat(output, format))
}

export interface LeaseOptions<K extends Link & { readonly ready: Promise<void> }, L extends Line> {
  readonly provider: string
  readonly links: LinkPool<K>
  /** What the socket's address and settings fix. */
  readonly key: string
  readonly open: (onOver: () => void) => K
  readonly line: (link: K) => L
  readonly signal: AbortSignal
}

/** Resolves when the socket is open. Throws `ProviderError`, or the signal's reason. */
export async function leaseLine<K extends Link & { readonly ready: Promise<void> }, L extends Line>(
  options: LeaseOptions<K, L>,
): Promise<L> {
  const { provider, links, key, open, line: lineOf, signal } = options
  const link = links.take(key, open)
  if (links.closed) throw refusal(provider, 'cancelled', 'the provider was closed')
  if (!link) throw refusal(provider, 'rate', `all ${links.limit} connections are taken`)
  const line = lineOf(link)
  try {
    await orAborted(link.ready, signal)
    return line
  } catch (error) {
    line.release()
    throw error
  }
}

export function refusal(provider: string, kind: ProviderErrorKind, message: string): ProviderError {
  return new ProviderError({ provider, stage: 'tts', kind, message })
}
