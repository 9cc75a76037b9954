/**
 * What the Realtime wire costs: `npx tsx bench/realtime-wire.ts`. First the codec alone, then whole frames over a loopback
 * socket, the far side in a process of its own; CPU of this process, a 20 ms frame of 24 kHz PCM each.
 */
import { fork } from 'node:child_process'
import { WebSocket } from 'ws'
import { PCM16_24K } from '../src/audio/format.ts'
import { Encoder } from '../src/wire/realtime/encode.ts'
import { parseFrame } from '../src/wire/realtime/parse.ts'
import { PIPELINE_SETTINGS } from '../test/support/fake-session.ts'
import { sound } from '../test/wire/realtime/outputs.ts'
import { startServer } from '../test/wire/realtime/server.ts'

const FRAMES = 200_000
const PCM = new Uint8Array(960).fill(7)
const APPEND = JSON.stringify({
  type: 'input_audio_buffer.append',
  audio: Buffer.from(PCM).toString('base64'),
})
/** Long enough not to spin. */
const breath = () => new Promise((resolve) => setTimeout(resolve, 1))

const port = process.argv[2]
if (port) await farSide(port)
else {
  codec()
  await overSocket()
}

function codec(): void {
  const frame = Buffer.from(APPEND)
  const view = { sessionId: 's', settings: PIPELINE_SETTINGS, echo: {}, model: 'm', expiresAt: 0 }
  const encoder = new Encoder({ ...view, conversationId: 'c' }, () => {})
  const output = sound(PCM)
  measure('parse and decode', () => parseFrame(frame, { outputFormat: PCM16_24K }))
  measure('encode', () => encoder.output(output))
}

function measure(name: string, act: () => unknown): void {
  for (let n = 0; n < FRAMES / 4; n++) act()
  const before = process.cpuUsage()
  for (let n = 0; n < FRAMES; n++) act()
  report(name, before)
}

async function overSocket(): Promise<void> {
  const server = await startServer()
  const child = fork(process.argv[1] ?? '', [String(server.port)])
  const session = await server.host.first()
  let before = process.cpuUsage()
  await session.received(1)
  report('in, over a socket', before)
  before = process.cpuUsage()
  for (let n = 0; n < FRAMES; n++) {
    session.say(sound(PCM))
    while (session.outputs.size > 200) await breath()
  }
  while (session.outputs.size > 0) await breath()
  report('out, over a socket', before)
  child.kill()
  await server.app.close()
}

function report(name: string, before: NodeJS.CpuUsage): void {
  const { user, system } = process.cpuUsage(before)
  console.log(`${name.padEnd(20)} ${((user + system) / FRAMES).toFixed(2)} µs of CPU a frame`)
}

async function farSide(at: string): Promise<void> {
  const socket = new WebSocket(`ws://127.0.0.1:${at}/v1/realtime`)
  await new Promise((resolve) => socket.on('open', resolve))
  for (let n = 0; n < FRAMES; n++) {
    socket.send(APPEND)
    while (socket.bufferedAmount > 1e6) await breath()
  }
  socket.send('{"type":"input_audio_buffer.commit"}')
}
