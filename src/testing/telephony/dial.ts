/** Lines over real WebSockets. */
import { WebSocket } from 'ws'
import type { Dial, LineMessage } from './line.ts'

export const dialWebSocket: Dial = ({ url, headers, protocols }, ears) => {
  const socket = new WebSocket(url, [...protocols], { headers, perMessageDeflate: false })
  const waiting: LineMessage[] = []
  let status: number | undefined
  socket.on('open', () => {
    ears.open?.(socket.protocol)
    for (const message of waiting.splice(0)) socket.send(message)
  })
  socket.on('message', (data: Buffer, isBinary) => ears.message(isBinary ? data : data.toString('utf8')))
  socket.on('unexpected-response', (_request, response) => {
    status = response.statusCode
    response.destroy()
    socket.terminate()
  })
  socket.on('error', () => {})
  socket.on('close', (code, reason) => {
    const close = { code, reason: reason.toString('utf8') }
    ears.closed(status === undefined ? close : { ...close, status })
  })
  return {
    send: (message) => {
      if (socket.readyState === WebSocket.CONNECTING) waiting.push(message)
      else if (socket.readyState === WebSocket.OPEN) socket.send(message)
    },
    close: (code = 1000, reason) => socket.close(code, reason),
    drop: () => socket.terminate(),
  }
}
