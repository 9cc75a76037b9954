import { expect, test } from 'vitest'
import { cutAtAbort } from '../../src/attempt/guard.ts'
import { listenersOf, openScope } from '../../src/cancel.ts'

/** A source that never notices anything: its items come by hand. */
class Stubborn implements AsyncIterableIterator<string> {
  #resolve: (result: IteratorResult<string>) => void = () => {}
  returned = 0

  next(): Promise<IteratorResult<string>> {
    return new Promise((resolve) => {
      this.#resolve = resolve
    })
  }
  return(): Promise<IteratorResult<string>> {
    this.returned++
    return new Promise(() => {})
  }
  give(value: string): void {
    this.#resolve({ value, done: false })
  }
  [Symbol.asyncIterator](): this {
    return this
  }
}

test('a pending next settles within the abort, whatever the source does, and the source is told to end', async () => {
  const scope = openScope()
  const source = new Stubborn()
  let cuts = 0
  const stream = cutAtAbort(
    () => source,
    scope.signal,
    () => cuts++,
  )
  const first = stream.next()
  await Promise.resolve()
  source.give('one')
  expect(await first).toEqual({ value: 'one', done: false })
  const second = stream.next()
  const refused = expect(second).rejects.toMatchObject({ reason: 'barge-in' })
  scope.cancel('barge-in')
  expect(source.returned).toBe(1)
  expect(cuts).toBe(1)
  await refused
  source.give('late')
  await expect(stream.next()).rejects.toMatchObject({ reason: 'barge-in' })
  expect(source.returned).toBe(1)
})

test('a stream that is still being opened is closed when it comes', async () => {
  const scope = openScope()
  const source = new Stubborn()
  let opened: (source: Stubborn) => void = () => {}
  const stream = cutAtAbort(() => new Promise<Stubborn>((resolve) => (opened = resolve)), scope.signal)
  const first = expect(stream.next()).rejects.toMatchObject({ reason: 'superseded' })
  scope.cancel('superseded')
  await first
  opened(source)
  await Promise.resolve()
  await Promise.resolve()
  expect(source.returned).toBe(1)
})

test('a reader that leaves does not wait for the source, nor does its own pending next', async () => {
  const source = new Stubborn()
  const { signal } = openScope()
  const stream = cutAtAbort(() => source, signal)
  const pending = stream.next()
  await Promise.resolve()
  await stream.return?.()
  expect(await pending).toEqual({ value: undefined, done: true })
  expect(source.returned).toBe(1)
  expect(listenersOf(signal)).toBe(0)
})

test('what cannot be opened is an error of the first next, and leaves no listener', async () => {
  const { signal } = openScope()
  const thrown = cutAtAbort<string>(() => {
    throw new RangeError('no')
  }, signal)
  await expect(thrown.next()).rejects.toThrow(RangeError)
  const rejected = cutAtAbort<string>(() => Promise.reject(new RangeError('no')), signal)
  await expect(rejected.next()).rejects.toThrow(RangeError)
  expect(await rejected.next()).toEqual({ value: undefined, done: true })
  expect(listenersOf(signal)).toBe(0)
})

test('nothing is opened under a signal that aborted before', async () => {
  const scope = openScope()
  scope.cancel('hangup')
  let opened = 0
  const stream = cutAtAbort(() => {
    opened++
    return new Stubborn()
  }, scope.signal)
  await expect(stream.next()).rejects.toMatchObject({ reason: 'hangup' })
  expect(opened).toBe(0)
})
