/** One clause through flite: text in, 16 kHz samples out. Synchronous; runs in the worker. */
import { FLITE_FORMAT } from './voices.ts'
import { WasiCommand } from './wasi.ts'

export interface Utterance {
  readonly text: string
  /** flite's own name of the voice. */
  readonly voice: string
  /** Durations times this: 2 is half the pace. */
  readonly stretch: number
}

export class Synthesiser {
  readonly #module: WebAssembly.Module
  #spare: WasiCommand | undefined

  constructor(module: WebAssembly.Module) {
    this.#module = module
  }

  /** An instance takes about 10 ms to make; made in idle time it costs the next clause nothing. */
  prepare(): void {
    this.#spare ??= new WasiCommand(this.#module)
  }

  say({ text, voice, stretch }: Utterance): Int16Array {
    const command = this.#spare ?? new WasiCommand(this.#module)
    this.#spare = undefined
    const args = ['flite', '-voice', voice]
    if (stretch !== 1) args.push('--setf', `duration_stretch=${stretch.toFixed(3)}`)
    return samplesOf(command.run([...args, '-t', text, '-o', '/a.wav']))
  }
}

/** Throws when it is not the WAV that flite writes: mono 16-bit PCM at the voice's rate. */
function samplesOf(wav: Uint8Array): Int16Array {
  const view = new DataView(wav.buffer, wav.byteOffset, wav.byteLength)
  const tag = (at: number) => String.fromCharCode(...wav.subarray(at, at + 4))
  if (wav.length < 44 || tag(0) !== 'RIFF' || tag(12) !== 'fmt ') throw new Error('flite wrote no WAV')
  if (view.getUint16(22, true) !== 1 || view.getUint32(24, true) !== FLITE_FORMAT.sampleRateHz) {
    throw new Error('flite wrote an unexpected format')
  }
  for (let at = 12; at + 8 <= wav.length; ) {
    const bytes = view.getUint32(at + 4, true)
    if (tag(at) === 'data') {
      const end = Math.min(wav.length, at + 8 + bytes)
      const count = (end - at - 8) >> 1
      return Int16Array.from({ length: count }, (_, i) => view.getInt16(at + 8 + 2 * i, true))
    }
    at += 8 + bytes
  }
  throw new Error('flite wrote no samples')
}
