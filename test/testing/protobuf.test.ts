/** Protobuf as doubles read and write it: the bytes are those of https://protobuf.dev/programming-guides/encoding. */
import { expect, test } from 'vitest'
import { decode, encode, type Message } from '../../src/testing/carrier/protobuf.ts'

const INNER: Message = { name: 'Test1', fields: { a: [1, 'int'] } }
const TEST: Message = {
  name: 'Test',
  fields: {
    a: [1, 'int'],
    b: [2, 'string'],
    c: [3, INNER],
    many: [4, 'string', 'many'],
    kind: [5, { values: { NONE: 0, SOME: 1 } }],
    rate: [6, 'double'],
    sure: [7, 'float'],
    on: [8, 'bool'],
    kept: [9, 'opaque'],
  },
}

test.each([
  [{ a: 150 }, '089601'],
  [{ b: 'testing' }, '120774657374696e67'],
  [{ c: { a: 150 } }, '1a03089601'],
  [{ many: ['a', 'b'] }, '220161220162'],
  [{ kind: 'SOME' }, '2801'],
  [{ kind: 7 }, '2807'],
  [{ rate: 1.5 }, '31000000000000f83f'],
  [{ sure: 1.5 }, '3d0000c03f'],
  [{ on: true }, '4001'],
  [{}, ''],
])('%o is %s, both ways', (fields, hex) => {
  expect(Buffer.from(encode(TEST, fields)).toString('hex')).toBe(hex)
  expect(decode(TEST, Buffer.from(hex, 'hex'))).toEqual(fields)
})

test('what is known and of no interest is passed over', () => {
  expect(decode(TEST, Buffer.from('4a020801089601', 'hex'))).toEqual({ kept: new Uint8Array([8, 1]), a: 150 })
})

test.each([
  ['500a', 'Test has no field 10'],
  ['1a02180a', 'Test1 has no field 3'],
  ['1207746573', 'Test is cut off'],
  ['08', 'Test is cut off'],
  ['0a0161', 'Test.a is of another type'],
  ['0b', 'Test.a is of another type'],
  [`08${'ff'.repeat(12)}`, 'Test is cut off'],
])('%s is refused: %s', (hex, says) => {
  expect(() => decode(TEST, Buffer.from(hex, 'hex'))).toThrow(says)
})

test('what the type does not have is not written', () => {
  expect(() => encode(TEST, { z: 1 })).toThrow('Test has no z')
  expect(() => encode(TEST, { kind: 'OTHER' })).toThrow('no value OTHER')
})
