/** The text of a configuration file, or a complaint. */
import { readFileSync, statSync } from 'node:fs'
import { MAX_FILE_BYTES } from './defaults.ts'

/** Undefined, with a complaint, when the file cannot be read or is far too large. */
export function read(file: string, complain: (file: string, message: string) => void): string | undefined {
  try {
    if (statSync(file).size > MAX_FILE_BYTES)
      complain(file, `the file is larger than ${MAX_FILE_BYTES} bytes`)
    else return readFileSync(file, 'utf8')
  } catch {
    complain(file, 'the file cannot be read')
  }
  return undefined
}
