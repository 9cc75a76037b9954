/**
 * Lines on their way to the disk. Nobody waits for it: lines are kept in memory up to a bound and written in the
 * background, one write at a time. What does not fit is dropped and counted, and the file says where.
 */
import { mkdirSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { dirname } from 'node:path'

/** A minute of audio, as text: a disk that is further behind is not coming back soon. */
const BUFFER_CHARS = 4 * 1024 * 1024

/** Where lines go: a file, or in tests an array. */
export interface LineSink {
  /** One line without its end. Never waits. */
  write(line: string): void
  /** Resolves when all is written. */
  close(): Promise<void>
}

export interface FileOptions {
  readonly path: string
  readonly maxBytes: number
  /** For the log: that it could not be written, or has a hole. */
  readonly note: (message: string, facts: Readonly<Record<string, unknown>>) => void
  readonly bufferChars?: number
}

/** Makes the folder. Throws the system's error when it cannot be made. */
export function lineFile(options: FileOptions): LineSink & { readonly dropped: number } {
  const { path, maxBytes, note, bufferChars = BUFFER_CHARS } = options
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  let waiting: string[] = []
  let chars = 0
  let bytes = 0
  let dropped = 0
  let missing = 0
  let state: 'open' | 'full' | 'broken' = 'open'
  let writing: Promise<void> | undefined
  let file: FileHandle | undefined

  async function work(): Promise<void> {
    try {
      // `wx`: what is there already is never written over.
      file ??= await open(path, 'wx', 0o600)
      while (waiting.length > 0) {
        const batch = waiting.join('')
        waiting = []
        chars = 0
        await file.appendFile(batch)
      }
    } catch (error) {
      state = 'broken'
      waiting = []
      note('a recording cannot be written', { path, code: (error as NodeJS.ErrnoException).code })
    }
    writing = undefined
  }

  function push(text: string): void {
    waiting.push(text)
    chars += text.length
    bytes += Buffer.byteLength(text)
    writing ??= work()
  }

  return {
    get dropped() {
      return dropped
    },
    write(line) {
      if (state !== 'open') return
      if (chars + line.length > bufferChars) {
        if (dropped === 0) note('a recording has a hole: the disk is too slow', { path })
        dropped++
        missing++
        return
      }
      if (missing > 0) push(`${JSON.stringify({ l: 'hole', lines: missing })}\n`)
      missing = 0
      if (bytes + line.length > maxBytes) {
        state = 'full'
        return push(`${JSON.stringify({ l: 'end', why: 'full' })}\n`)
      }
      push(`${line}\n`)
    },
    async close() {
      if (missing > 0 && state === 'open') push(`${JSON.stringify({ l: 'hole', lines: missing })}\n`)
      await writing
      await file?.close()
      file = undefined
    },
  }
}
