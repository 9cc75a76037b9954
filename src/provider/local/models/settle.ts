/** Writes a model's file beside its place, checks it, and only then gives it its name. */
import { createHash, randomUUID } from 'node:crypto'
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { FilePin } from './catalogue.ts'

/** What came is not what was pinned. */
export class WrongContent extends Error {
  override readonly name = 'WrongContent'
}

export interface PinnedWriter {
  write(piece: Uint8Array): Promise<void>
  /** Throws `WrongContent`; otherwise the file is in place. */
  finish(): Promise<void>
  /** Removes what was written. Does nothing after `finish`. */
  abandon(): Promise<void>
}

export async function writePinned(folder: string, pin: FilePin): Promise<PinnedWriter> {
  const path = join(folder, pin.name)
  const aside = `${path}.${randomUUID()}.tmp`
  await mkdir(dirname(path), { recursive: true })
  let file: FileHandle | undefined = await open(aside, 'wx')
  const hash = createHash('sha256')
  const abandon = async () => {
    if (!file) return
    await file.close()
    file = undefined
    await rm(aside, { force: true })
  }
  return {
    abandon,
    async write(piece) {
      hash.update(piece)
      await file?.write(piece)
    },
    async finish() {
      if (hash.digest('hex') !== pin.sha256) {
        await abandon()
        throw new WrongContent(`${pin.name} is not the file that was expected (its SHA-256 differs)`)
      }
      await file?.sync()
      await file?.close()
      file = undefined
      await rename(aside, path)
    },
  }
}
