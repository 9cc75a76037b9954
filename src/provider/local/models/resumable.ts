/**
 * A download that goes on where an earlier one broke off. What came so far lies in a `.part` file; the
 * source is asked for the rest, and a source that cannot skip and starts over is noticed by its first bytes.
 */
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { sizeOf } from './verify.ts'

/** Long enough that the middle of a compressed file does not look like its beginning. */
const PROBE_BYTES = 64

export interface DownloadOptions {
  readonly totalBytes: number
  readonly onBytes?: ((bytes: number) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/** Opens the source at a byte offset; a source that cannot may answer from its start. */
export type OpenAt = (offset: number) => Promise<AsyncIterable<Uint8Array>>

/**
 * Fills `path` up to `totalBytes`. Throws what the source throws, the signal's reason at abort, or an Error
 * when there are more or fewer bytes than `totalBytes`; what came stays in the file (too many: emptied).
 */
export async function downloadInto(path: string, openAt: OpenAt, options: DownloadOptions): Promise<void> {
  const { totalBytes, onBytes, signal } = options
  let have = (await sizeOf(path)) ?? 0
  if (have > totalBytes) have = 0
  if (have === totalBytes) return
  const file = await open(path, have === 0 ? 'w' : 'r+')
  try {
    onBytes?.(have)
    const beginning = await firstBytes(path, Math.min(have, PROBE_BYTES))
    signal?.throwIfAborted()
    for await (const piece of fromProbe(await openAt(have), beginning, () => (have = 0))) {
      signal?.throwIfAborted()
      if (have + piece.length > totalBytes) {
        await file.truncate(0)
        throw new Error(`more than the expected ${totalBytes} bytes came`)
      }
      await file.write(piece, 0, piece.length, have)
      have += piece.length
      onBytes?.(have)
    }
    if (have !== totalBytes) {
      await file.truncate(have)
      throw new Error(`the connection ended after ${have} of ${totalBytes} bytes`)
    }
  } finally {
    await file.close()
  }
}

/** Passes `source` through; calls `restarted` before the first piece if it begins with `beginning`. */
async function* fromProbe(
  source: AsyncIterable<Uint8Array>,
  beginning: Uint8Array,
  restarted: () => void,
): AsyncGenerator<Uint8Array> {
  let probe: Buffer | undefined = beginning.length > 0 ? Buffer.alloc(0) : undefined
  for await (const piece of source) {
    if (!probe) {
      yield piece
      continue
    }
    probe = Buffer.concat([probe, piece])
    if (probe.length < beginning.length) continue
    if (probe.subarray(0, beginning.length).equals(beginning)) restarted()
    yield probe
    probe = undefined
  }
  if (probe && probe.length > 0) yield probe
}

async function firstBytes(path: string, count: number): Promise<Uint8Array> {
  if (count === 0) return new Uint8Array(0)
  const pieces: Buffer[] = []
  for await (const piece of createReadStream(path, { end: count - 1 })) pieces.push(piece as Buffer)
  return Buffer.concat(pieces)
}
