/**
 * Takes single files out of a gzipped tar archive as it streams by: enough of ustar and pax for what npm
 * makes (regular files, long names), no more. Files that are not wanted are skipped without being kept.
 */
const BLOCK = 512

/** Calls `sink` with each piece of each wanted file, in order; `path` as in the archive. */
export type EntrySink = (path: string, piece: Uint8Array) => Promise<void> | void

/**
 * Reads an uncompressed tar stream to its end. Throws when it ends inside a file. Memory: one chunk.
 */
export async function readTar(
  stream: AsyncIterable<Uint8Array>,
  wanted: (path: string) => boolean,
  sink: EntrySink,
): Promise<void> {
  let pending: Buffer = Buffer.alloc(0)
  let entry: { path: string; left: number; padding: number; take: 'file' | 'pax' | 'skip' } | undefined
  let pax = Buffer.alloc(0)
  let longPath: string | undefined

  for await (const chunk of stream) {
    pending = pending.length === 0 ? (chunk as Buffer) : Buffer.concat([pending, chunk as Buffer])
    for (;;) {
      if (!entry) {
        if (pending.length < BLOCK) break
        const header = parseHeader(pending.subarray(0, BLOCK))
        pending = pending.subarray(BLOCK)
        if (!header) continue
        const path = longPath ?? header.path
        const isFile = header.type === '0' || header.type === '\0'
        const take = header.type === 'x' ? 'pax' : isFile && wanted(path) ? 'file' : 'skip'
        if (take === 'pax') pax = Buffer.alloc(0)
        else longPath = undefined
        entry = { path, left: header.size, padding: -header.size & (BLOCK - 1), take }
      }
      const piece = pending.subarray(0, Math.min(entry.left, pending.length))
      pending = pending.subarray(piece.length)
      entry.left -= piece.length
      if (entry.take === 'file' && piece.length > 0) await sink(entry.path, piece)
      if (entry.take === 'pax') pax = Buffer.concat([pax, piece])
      if (entry.left > 0 || pending.length < entry.padding) break
      pending = pending.subarray(entry.padding)
      if (entry.take === 'pax') longPath = paxPath(pax)
      entry = undefined
    }
  }
  if (entry) throw new Error('the archive ends inside a file')
}

/** Undefined for the zero blocks at the end. */
function parseHeader(block: Buffer): { path: string; size: number; type: string } | undefined {
  if (block[0] === 0) return undefined
  const name = textAt(block, 0, 100)
  const prefix = textAt(block, 257, 6).startsWith('ustar') ? textAt(block, 345, 155) : ''
  const size = Number.parseInt(textAt(block, 124, 12).trim() || '0', 8)
  if (!Number.isSafeInteger(size) || size < 0) throw new Error('not a tar archive')
  return { path: prefix ? `${prefix}/${name}` : name, size, type: String.fromCharCode(block[156] ?? 0) }
}

function textAt(block: Buffer, from: number, length: number): string {
  const field = block.subarray(from, from + length)
  const end = field.indexOf(0)
  return field.toString('utf8', 0, end === -1 ? length : end)
}

/** The `path` record of a pax header: lines of `LENGTH KEY=VALUE\n`. */
function paxPath(body: Buffer): string | undefined {
  return /\d+ path=([^\n]*)\n/.exec(body.toString('utf8'))?.[1]
}
