import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { WebSocketServer } from 'ws'
import { realClock } from '../../../src/clock.ts'
import { dialWebSocket } from '../../../src/testing/telephony/dial.ts'
import type { LineClose } from '../../../src/testing/telephony/line.ts'
import { Phone } from '../../../src/testing/telephony/phone.ts'
import { twilioPhone } from '../../../src/testing/telephony/twilio.ts'

let server: WebSocketServer | undefined
afterEach(() => server?.close())

async function listen(verify: () => boolean = () => true): Promise<string> {
  const created = new WebSocketServer({
    host: '127.0.0.1',
    port: 0,
    verifyClient: (_info, done) => done(verify(), 403),
  })
  server = created
  await new Promise((resolve) => created.on('listening', resolve))
  return `ws://127.0.0.1:${(created.address() as AddressInfo).port}/v1/telephony/twilio`
}

describe('a phone over a real socket', () => {
  test('calls, hears, echoes the mark and says goodbye', async () => {
    const url = await listen()
    const phone = new Phone({ clock: realClock, dialect: twilioPhone(), dial: dialWebSocket, url })
    const heard: string[] = []
    const over = new Promise<void>((resolve) => {
      server!.on('connection', (socket) => {
        socket.on('message', (data) => {
          const message = JSON.parse(String(data))
          if (heard.at(-1) !== message.event) heard.push(message.event)
          if (message.event === 'mark') phone.hangUp()
          if (message.event !== 'start') return
          const { streamSid } = message
          const payload = Buffer.alloc(320).toString('base64')
          socket.send(JSON.stringify({ event: 'media', streamSid, media: { payload } }))
          socket.send(JSON.stringify({ event: 'mark', streamSid, mark: { name: 'm1' } }))
        })
        socket.on('close', () => resolve())
      })
    })
    phone.call()
    await over
    expect([heard[0], heard[1], heard.at(-1)]).toEqual(['connected', 'start', 'stop'])
    expect([phone.record.mistakes, phone.playback.heardMs]).toEqual([[], 40])
  })

  test('is told the status of a refusal', async () => {
    const url = await listen(() => false)
    const close = await new Promise<LineClose>((resolve) => {
      dialWebSocket({ url, headers: {}, protocols: [] }, { message: () => {}, closed: resolve })
    })
    expect(close).toMatchObject({ code: 1006, status: 403 })
  })
})
