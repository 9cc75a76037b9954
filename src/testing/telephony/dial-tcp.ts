/** Lines over bare TCP, at the host and port of the address: each message is a piece of the stream. */
import { connect } from 'node:net'
import type { Dial } from './line.ts'

export const dialTcp: Dial = ({ url }, ears) => {
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port), noDelay: true })
  let ended: 'in-order' | 'broken' = 'broken'
  socket.on('connect', () => ears.open?.(''))
  socket.on('data', (chunk) => ears.message(chunk as Buffer))
  socket.on('end', () => {
    ended = 'in-order'
  })
  socket.on('error', () => {})
  socket.on('close', () => ears.closed({ code: ended === 'in-order' ? 1000 : 1006, reason: '' }))
  return {
    send: (message) => void socket.write(message),
    close: () => {
      ended = 'in-order'
      socket.end()
    },
    drop: () => socket.destroy(),
  }
}
