/** JSON objects out of bytes, one a line. */
import { StringDecoder } from 'node:string_decoder'
import { StreamFault } from '../dialect/faults.ts'
import { type Fields, isFields } from './message.ts'

/** Seconds of sound in base64 are less than a tenth of that. */
const LINE_CHARACTERS = 4 * 1024 * 1024

export class JsonLines {
  readonly #decoder = new StringDecoder('utf8')
  #rest = ''

  /** Throws `StreamFault`. */
  push(bytes: Uint8Array): Fields[] {
    const lines = `${this.#rest}${this.#decoder.write(bytes)}`.split('\n')
    this.#rest = lines.pop() ?? ''
    if (this.#rest.length > LINE_CHARACTERS) throw new StreamFault('transient', 'a line does not end')
    return lines.flatMap(parsed)
  }

  /** The last line, which may have no end. Throws `StreamFault`. */
  end(): Fields[] {
    return parsed(`${this.#rest}${this.#decoder.end()}`)
  }
}

function parsed(line: string): Fields[] {
  if (line.trim() === '') return []
  let object: unknown
  try {
    object = JSON.parse(line)
  } catch {}
  if (!isFields(object)) throw new StreamFault('transient', 'a line is no JSON object')
  return [object]
}
