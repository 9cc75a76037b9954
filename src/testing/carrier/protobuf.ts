/**
 * Protobuf for doubles that speak gRPC, by tables of what they know: so a field that a provider's types do not have is found, and
 * no package is needed. The encoding: https://protobuf.dev/programming-guides/encoding.
 */

/** `opaque`: known, and of no interest: kept as it came. */
export type Scalar = 'string' | 'bytes' | 'bool' | 'int' | 'float' | 'double' | 'opaque'
/** Names of an enum's values; a number without one stays a number. */
export interface Enum {
  readonly values: Readonly<Record<string, number>>
}
export interface Message {
  readonly name: string
  readonly fields: Readonly<Record<string, Field>>
}
/** Its number, what it holds, and whether there may be several. */
export type Field =
  | readonly [number, Scalar | Enum | Message]
  | readonly [number, Scalar | Enum | Message, 'many']
export type Fields = Record<string, unknown>

export const DURATION: Message = { name: 'Duration', fields: { seconds: [1, 'int'], nanos: [2, 'int'] } }

/** What is not negative. */
export function durationOf(ms: number): { readonly seconds: number; readonly nanos: number } {
  return { seconds: Math.floor(ms / 1000), nanos: Math.round(ms % 1000) * 1_000_000 }
}

/** Not what the message's type has; says what. */
export class Undecodable extends Error {}

/** What is not set is left out. Throws `Undecodable`. */
export function decode(message: Message, bytes: Uint8Array): Fields {
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const fields: Fields = {}
  let at = 0
  const varint = (): number => {
    let value = 0
    for (let power = 1; ; power *= 128) {
      const byte = data[at++]
      if (byte === undefined || power > 2 ** 63) throw new Undecodable(`${message.name} is cut off`)
      value += (byte & 127) * power
      if (byte < 128) return value
    }
  }
  const take = (length: number): Buffer => {
    if (at + length > data.length) throw new Undecodable(`${message.name} is cut off`)
    at += length
    return data.subarray(at - length, at)
  }
  while (at < data.length) {
    const tag = varint()
    const known = Object.entries(message.fields).find(([, [no]]) => no === Math.floor(tag / 8))
    if (!known) throw new Undecodable(`${message.name} has no field ${Math.floor(tag / 8)}`)
    const [name, [, type, many]] = known
    const wire = tag % 8
    const raw =
      wire === 0
        ? varint()
        : wire === 1
          ? take(8)
          : wire === 2
            ? take(varint())
            : wire === 5
              ? take(4)
              : undefined
    if (raw === undefined || wire !== (type === 'opaque' ? wire : wireOf(type))) {
      throw new Undecodable(`${message.name}.${name} is of another type`)
    }
    const value = readValue(type, raw)
    if (many) fields[name] = [...((fields[name] as unknown[]) ?? []), value]
    else fields[name] = value
  }
  return fields
}

function wireOf(type: Scalar | Enum | Message): number {
  if (type === 'double') return 1
  if (type === 'float') return 5
  return type === 'bool' || type === 'int' || (typeof type === 'object' && 'values' in type) ? 0 : 2
}

function readValue(type: Scalar | Enum | Message, raw: number | Buffer): unknown {
  if (typeof raw === 'number') {
    if (type === 'bool') return raw !== 0
    if (typeof type !== 'object' || !('values' in type)) return raw
    return Object.keys(type.values).find((name) => type.values[name] === raw) ?? raw
  }
  if (type === 'string') return raw.toString('utf8')
  if (type === 'float') return raw.readFloatLE()
  if (type === 'double') return raw.readDoubleLE()
  return typeof type === 'object' && 'fields' in type ? decode(type, raw) : Uint8Array.from(raw)
}

/** `RangeError` for what the type does not have. */
export function encode(message: Message, fields: Fields): Uint8Array {
  const parts = Object.entries(fields).flatMap(([name, given]) => {
    const field = message.fields[name]
    if (!field) throw new RangeError(`${message.name} has no ${name}`)
    const [no, type, many] = field
    return (many ? (given as unknown[]) : [given]).flatMap((value) => [
      varintOf(no * 8 + wireOf(type)),
      bytesOf(type, value),
    ])
  })
  return Buffer.concat(parts)
}

function bytesOf(type: Scalar | Enum | Message, value: unknown): Uint8Array {
  if (type === 'bool') return varintOf(value === true ? 1 : 0)
  if (type === 'int') return varintOf(Number(value))
  if (type === 'float' || type === 'double') {
    const bytes = Buffer.alloc(type === 'float' ? 4 : 8)
    if (type === 'float') bytes.writeFloatLE(Number(value))
    else bytes.writeDoubleLE(Number(value))
    return bytes
  }
  if (typeof type === 'object' && 'values' in type) {
    const known = typeof value === 'number' ? value : type.values[String(value)]
    if (known === undefined) throw new RangeError(`no value ${String(value)}`)
    return varintOf(known)
  }
  const body =
    type === 'string'
      ? Buffer.from(String(value))
      : typeof type === 'object'
        ? encode(type, value as Fields)
        : (value as Uint8Array)
  return Buffer.concat([varintOf(body.length), body])
}

/** Of what is not negative. */
function varintOf(value: number): Buffer {
  const bytes: number[] = []
  let left = value
  for (; left >= 128; left = Math.floor(left / 128)) bytes.push((left % 128) | 128)
  return Buffer.from([...bytes, left])
}
