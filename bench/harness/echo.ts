/** A bare `ws` server that sends back what it gets: what the network and `ws` cost before anything is done. */
import { WebSocketServer } from 'ws'
import { type Api, serveParent } from './process.ts'

export interface EchoApi extends Api {
  start(_: null): Promise<string>
}

const api: EchoApi = {
  async start() {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false })
    server.on('connection', (socket) => {
      socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
    })
    await new Promise((resolve) => server.once('listening', resolve))
    const address = server.address()
    return `ws://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
  },
}

serveParent(api)
