/**
 * The 13 WASI functions that flite imports, over memory: its arguments come from a list, the one file it opens
 * for writing is a growing array, what it prints is dropped, and there is no other world. flite is a command:
 * an instance runs once.
 */
const OK = 0
const BAD_FILE = 8
const NOT_SEEKABLE = 70
const ROOT_FD = 3
const FILE_FD = 4

/** A clause of 160 characters, spelled letter by letter, is about 1.2 MB; more than this is a runaway. */
const FILE_BYTES = 32 * 1024 * 1024

class Exit extends Error {
  constructor(readonly code: number) {
    super(`exit ${code}`)
  }
}

export class WasiCommand {
  readonly #instance: WebAssembly.Instance
  readonly #memory: WebAssembly.Memory
  #args: readonly Uint8Array[] = []
  #file = new Uint8Array(0)
  #length = 0
  #position = 0

  constructor(module: WebAssembly.Module) {
    this.#instance = new WebAssembly.Instance(module, { wasi_snapshot_preview1: this.#imports() })
    this.#memory = this.#instance.exports['memory'] as WebAssembly.Memory
  }

  /** Runs the command and returns what it wrote to its file. Throws when it fails. Call it once. */
  run(args: readonly string[]): Uint8Array {
    this.#args = args.map((arg) => new TextEncoder().encode(`${arg}\0`))
    try {
      ;(this.#instance.exports['_start'] as () => void)()
    } catch (error) {
      if (!(error instanceof Exit)) throw error
      if (error.code !== 0) throw new Error(`flite ended with code ${error.code}`)
    }
    return this.#file.subarray(0, this.#length)
  }

  /** The memory grows while the command runs, so views on it are made anew. */
  get #view(): DataView {
    return new DataView(this.#memory.buffer)
  }

  #imports(): Record<string, (...args: never[]) => number> {
    return {
      args_sizes_get: (count: number, bytes: number) => {
        this.#view.setUint32(count, this.#args.length, true)
        this.#view.setUint32(bytes, sum(this.#args), true)
        return OK
      },
      args_get: (pointers: number, text: number) => {
        for (const arg of this.#args) {
          this.#view.setUint32(pointers, text, true)
          new Uint8Array(this.#memory.buffer).set(arg, text)
          pointers += 4
          text += arg.length
        }
        return OK
      },
      // flite only times itself with it.
      clock_time_get: (_clock: number, _precision: bigint, out: number) => {
        this.#view.setBigUint64(out, 0n, true)
        return OK
      },
      fd_prestat_get: (fd: number, out: number) => {
        if (fd !== ROOT_FD) return BAD_FILE
        this.#view.setUint32(out, 0, true)
        this.#view.setUint32(out + 4, 1, true)
        return OK
      },
      fd_prestat_dir_name: (_fd: number, out: number) => {
        this.#view.setUint8(out, '/'.charCodeAt(0))
        return OK
      },
      fd_fdstat_get: (fd: number, out: number) => {
        const [directory, file, terminal] = [3, 4, 2]
        const view = this.#view
        view.setUint8(out, fd === ROOT_FD ? directory : fd === FILE_FD ? file : terminal)
        view.setUint16(out + 2, 0, true)
        view.setBigUint64(out + 8, 0xffff_ffff_ffff_ffffn, true)
        view.setBigUint64(out + 16, 0xffff_ffff_ffff_ffffn, true)
        return OK
      },
      fd_fdstat_set_flags: () => OK,
      fd_close: () => OK,
      fd_read: (_fd: number, _parts: number, _count: number, out: number) => {
        this.#view.setUint32(out, 0, true)
        return OK
      },
      path_open: (...args: number[]) => {
        this.#view.setUint32(args[8]!, FILE_FD, true)
        return OK
      },
      fd_seek: (fd: number, offset: bigint, whence: number, out: number) => {
        if (fd !== FILE_FD) return NOT_SEEKABLE
        const from = [0, this.#position, this.#length][whence] ?? 0
        this.#position = Math.max(0, from + Number(offset))
        this.#view.setBigUint64(out, BigInt(this.#position), true)
        return OK
      },
      fd_write: (fd: number, parts: number, count: number, out: number) => {
        const view = this.#view
        let written = 0
        for (let i = 0; i < count; i++) {
          const bytes = view.getUint32(parts + 8 * i + 4, true)
          if (fd === FILE_FD) this.#append(view.getUint32(parts + 8 * i, true), bytes)
          written += bytes
        }
        view.setUint32(out, written, true)
        return OK
      },
      proc_exit: (code: number) => {
        throw new Exit(code)
      },
    } as Record<string, (...args: never[]) => number>
  }

  #append(pointer: number, bytes: number): void {
    const end = this.#position + bytes
    if (end > FILE_BYTES) throw new Error(`flite wrote more than ${FILE_BYTES} bytes`)
    if (end > this.#file.length) {
      const larger = new Uint8Array(Math.max(end, this.#file.length * 2))
      larger.set(this.#file.subarray(0, this.#length))
      this.#file = larger
    }
    this.#file.set(new Uint8Array(this.#memory.buffer, pointer, bytes), this.#position)
    this.#position = end
    this.#length = Math.max(this.#length, end)
  }
}

function sum(arrays: readonly Uint8Array[]): number {
  return arrays.reduce((total, array) => total + array.length, 0)
}
