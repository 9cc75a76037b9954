/**
 * A stereo WAV on its way to the disk, block by block at its place, written in the background. Nobody waits for it: what a slow
 * disk cannot take is left out and counted, and is silence in the file, which keeps its time. The header is written first, with
 * no length, and again at the end.
 */
import { type FileHandle, open } from 'node:fs/promises'
import { wavHeader } from '../../../audio/wav-header.ts'

export interface StereoFileOptions {
  readonly path: string
  readonly sampleRateHz: number
  readonly maxBytes: number
  readonly note: (message: string, facts: Readonly<Record<string, unknown>>) => void
  /** Of blocks that wait. */
  readonly bufferBytes?: number
}

export interface StereoSink {
  /** Left and right side by side, 16 bit. Never waits. */
  write(samples: Int16Array): void
  readonly droppedBytes: number
  /** Resolves when all is written, the length too. Idempotent. */
  close(): Promise<void>
}

const CHANNELS = 2
const HEADER_BYTES = 44
/** Half a minute at 16 kHz: a disk that is further behind is not coming back soon. */
const BUFFER_BYTES = 2 * 1024 * 1024

export function stereoFile(options: StereoFileOptions): StereoSink {
  const { path, sampleRateHz, maxBytes, note, bufferBytes = BUFFER_BYTES } = options
  const waiting: { readonly at: number; readonly bytes: Uint8Array }[] = []
  let waitingBytes = 0
  /** Of samples, those that were left out too. */
  let length = 0
  let droppedBytes = 0
  let state: 'open' | 'full' | 'broken' = 'open'
  let file: FileHandle | undefined
  let working: Promise<void> | undefined
  let closing: Promise<void> | undefined

  function failed(error: unknown): void {
    state = 'broken'
    waiting.length = 0
    note('a call’s recording cannot be written', { path, code: (error as NodeJS.ErrnoException).code })
  }

  async function header(bytes: number): Promise<void> {
    // `wx`: what is there already is never written over.
    file ??= await open(path, 'wx', 0o600)
    await file.write(wavHeader(bytes, sampleRateHz, CHANNELS), 0, HEADER_BYTES, 0)
  }

  async function work(): Promise<void> {
    try {
      if (!file) await header(0)
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        const { at, bytes } = next
        await file!.write(bytes, 0, bytes.length, HEADER_BYTES + at)
        waitingBytes -= bytes.length
      }
    } catch (error) {
      failed(error)
    }
    working = undefined
  }

  async function end(): Promise<void> {
    await working
    try {
      if (state !== 'broken') {
        await header(length)
        // What was left out at the end is there all the same.
        await file!.truncate(HEADER_BYTES + length)
      }
      await file?.close()
    } catch (error) {
      failed(error)
    }
  }

  return {
    get droppedBytes() {
      return droppedBytes
    },
    write(samples) {
      if (state !== 'open' || closing) return
      const bytes = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength)
      if (length + bytes.length > maxBytes) {
        state = 'full'
        return note('a call’s recording is full', { path })
      }
      const at = length
      length += bytes.length
      if (waitingBytes + bytes.length > bufferBytes) {
        if (droppedBytes === 0) note('a call’s recording has a hole: the disk is too slow', { path })
        droppedBytes += bytes.length
        return
      }
      waiting.push({ at, bytes })
      waitingBytes += bytes.length
      working ??= work()
    },
    close() {
      closing ??= end()
      return closing
    },
  }
}
