/** A server that closes does not wait for a connection on which nothing was ever asked. */
import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import fastify from 'fastify'
import { expect, test } from 'vitest'
import { closeSilentAtEnd } from '../../src/access/silent-connections.ts'

test('a connection that a client opened in advance held the closing server up for a minute', async () => {
  const http = fastify()
  closeSilentAtEnd(http)
  let answer = () => {}
  http.get('/', () => new Promise((resolve) => (answer = () => resolve('whole'))))
  await http.listen({ port: 0, host: '127.0.0.1' })
  const { port } = http.server.address() as AddressInfo
  const accepted = once(http.server, 'connection')
  const silent = connect(port, '127.0.0.1')
  await accepted
  const asked = once(http.server, 'request')
  const answered = fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } })
  await asked
  const gone = once(silent.resume(), 'close')
  const closing = http.close()
  await gone
  answer()
  expect(await (await answered).text()).toBe('whole')
  await closing
})
