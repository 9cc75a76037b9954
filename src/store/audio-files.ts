/**
 * Sounds in a folder, each a file named by the digest of what it is the sound of. Written beside and then renamed, so that several processes
 * may share the folder; what is not whole is thrown away and counted. Bounded: the longest unused go first.
 *
 *     "parley-sound 1\n" │ length of the head, 4 bytes │ head, JSON │ sound │ SHA-256 of all before
 */
import { createHash, randomBytes } from 'node:crypto'
import { accessSync, constants, mkdirSync } from 'node:fs'
import { readdir, readFile, rename, stat, unlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../clock.ts'

export interface StoredSound {
  /** Whatever is to be known of the sound; JSON. */
  readonly head: unknown
  readonly audio: Uint8Array
}

export interface AudioFilesOptions {
  readonly dir: string
  readonly maxBytes: number
  readonly clock: Clock
  /** For the log: that something cannot be read or written. Once for each code of the system's. */
  readonly note: (message: string, facts: Readonly<Record<string, unknown>>) => void
}

const MAGIC = Buffer.from('parley-sound 1\n')
const DIGEST_BYTES = 32
const OURS = /^[0-9a-f]{64}\.sound$/
/** Of a process that died while it wrote. */
const LEFT_BEHIND = /^[0-9a-f]{64}\.[0-9a-f]{16}\.part$/
const LEFT_BEHIND_MS = 3_600_000
/** No sound that is kept is longer than half a minute. */
const MAX_FILE_BYTES = 16 * 1024 * 1024
/** Writes that wait; more are dropped, and made again another time. */
const MAX_WAITING = 64

export class AudioFiles {
  readonly #options: AudioFilesOptions
  readonly #waiting = new Map<string, StoredSound>()
  readonly #noted = new Set<string>()
  #writing: Promise<void> | undefined
  #closed = false
  /** Files that were thrown away because they were not whole. */
  broken = 0
  /** In the folder, as far as this process knows. */
  bytes = 0

  /** Throws the system's error when the folder cannot be made or written to: said at start. */
  constructor(options: AudioFilesOptions) {
    this.#options = options
    mkdirSync(options.dir, { recursive: true, mode: 0o700 })
    accessSync(options.dir, constants.R_OK | constants.W_OK)
  }

  /** Null: it is not there, or was not whole. Never rejects. */
  async get(key: string): Promise<StoredSound | null> {
    const waiting = this.#waiting.get(key)
    if (waiting) return waiting
    const path = this.#path(key)
    try {
      const { size } = await stat(path)
      const sound = size > MAX_FILE_BYTES ? null : decodeSound(await readFile(path))
      if (sound) {
        const now = this.#options.clock.wallMs() / 1000
        await utimes(path, now, now)
        return sound
      }
      this.broken++
      await unlink(path)
    } catch (error) {
      this.#told(error)
    }
    return null
  }

  /** Written in the background; nobody waits. */
  put(key: string, sound: StoredSound): void {
    const bytes = MAGIC.length + sound.audio.length
    if (this.#closed || this.#waiting.size >= MAX_WAITING || bytes > MAX_FILE_BYTES) return
    this.#waiting.set(key, sound)
    this.#writing ??= this.#work()
  }

  /** Resolves when all is written. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#writing
  }

  async #work(): Promise<void> {
    for (const [key, sound] of this.#waiting) {
      const path = this.#path(key)
      const part = path.replace(/sound$/, `${randomBytes(8).toString('hex')}.part`)
      try {
        await writeFile(part, encodeSound(sound), { flag: 'wx', mode: 0o600 })
        await rename(part, path)
      } catch (error) {
        this.#told(error)
        await unlink(part).catch(() => {})
      }
      this.#waiting.delete(key)
    }
    await this.#sweep()
    this.#writing = this.#waiting.size > 0 ? this.#work() : undefined
  }

  /** Other processes write too: the folder itself is asked. */
  async #sweep(): Promise<void> {
    const { dir, maxBytes, clock } = this.#options
    try {
      const files: { path: string; size: number; usedMs: number }[] = []
      for (const name of await readdir(dir)) {
        const path = join(dir, name)
        const facts = await stat(path).catch(() => undefined)
        if (!facts) continue
        if (OURS.test(name)) files.push({ path, size: facts.size, usedMs: facts.mtimeMs })
        else if (LEFT_BEHIND.test(name) && facts.mtimeMs < clock.wallMs() - LEFT_BEHIND_MS) await unlink(path)
      }
      files.sort((a, b) => a.usedMs - b.usedMs)
      let bytes = files.reduce((sum, { size }) => sum + size, 0)
      for (const { path, size } of files) {
        if (bytes <= maxBytes) break
        await unlink(path).catch(() => {})
        bytes -= size
      }
      this.bytes = bytes
    } catch (error) {
      this.#told(error)
    }
  }

  #path(key: string): string {
    return join(this.#options.dir, `${createHash('sha256').update(key).digest('hex')}.sound`)
  }

  #told(error: unknown): void {
    const { code = 'unknown' } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || this.#noted.has(code)) return
    this.#noted.add(code)
    this.#options.note('sounds cannot be kept on disk', { dir: this.#options.dir, code })
  }
}

export function encodeSound({ head, audio }: StoredSound): Buffer {
  const json = Buffer.from(JSON.stringify(head))
  const length = Buffer.alloc(4)
  length.writeUInt32BE(json.length)
  const body = Buffer.concat([MAGIC, length, json, audio])
  return Buffer.concat([body, digestOf(body)])
}

/** Null: not a whole file of this kind. Never throws. */
export function decodeSound(file: Uint8Array): StoredSound | null {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.length)
  const headAt = MAGIC.length + 4
  const end = bytes.length - DIGEST_BYTES
  if (end < headAt || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) return null
  const audioAt = headAt + bytes.readUInt32BE(MAGIC.length)
  if (audioAt > end || !digestOf(bytes.subarray(0, end)).equals(bytes.subarray(end))) return null
  try {
    return { head: JSON.parse(bytes.toString('utf8', headAt, audioAt)), audio: bytes.subarray(audioAt, end) }
  } catch {
    return null
  }
}

function digestOf(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest()
}
