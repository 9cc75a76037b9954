/** How the doubles of models write the events of a stream. */
import type { ModelResponse } from './server.ts'

/** How the bytes go out. */
export type Framing = 'lf' | 'crlf' | 'cr' | 'byteByByte'

const ENDS = { lf: '\n', crlf: '\r\n', cr: '\r' }

/** Server-sent events. `usual`: how the provider's own lines end. A `name` is said before the data. */
export function eventWriter(
  response: ModelResponse,
  framing: Framing,
  usual: keyof typeof ENDS = 'lf',
): (data: string, name?: string) => void {
  const end = ENDS[framing === 'byteByByte' ? usual : framing]
  return (data, name) => {
    const named = name === undefined ? '' : `event: ${name}${end}`
    writeCut(response, Buffer.from(`${named}data: ${data}${end}${end}`), framing)
  }
}

/** In pieces of one byte, where that is asked. */
export function writeCut(response: ModelResponse, bytes: Buffer, cuts: string | undefined): void {
  if (cuts !== 'byteByByte') return response.write(bytes)
  for (const byte of bytes) response.write(Buffer.of(byte))
}
