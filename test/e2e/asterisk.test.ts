/** Both of Asterisk's ways into the whole server, over real sockets, with the embedded models and doubles of Asterisk's end. */
import { createServer } from 'node:net'
import { afterAll, afterEach, expect, test } from 'vitest'
import { PCM16_16K, PCM16_24K } from '../../src/audio/format.ts'
import { realClock } from '../../src/clock.ts'
import { asteriskPhone } from '../../src/testing/telephony/asterisk.ts'
import { audioSocketPhone } from '../../src/testing/telephony/audiosocket.ts'
import { dialWebSocket } from '../../src/testing/telephony/dial.ts'
import { dialTcp } from '../../src/testing/telephony/dial-tcp.ts'
import { Phone, type PhoneOptions } from '../../src/testing/telephony/phone.ts'
import { FakeLlm } from '../support/stages.ts'
import { type RunningApp, startApp } from './app.ts'
import { closeEmbedded, convert, readBack, spoken } from './embedded.ts'

const ANSWER = 'The train to London leaves at nine in the morning.'
const PASSWORD = 'a-password-of-asterisk'
const BASIC = `Basic ${Buffer.from(`asterisk:${PASSWORD}`).toString('base64')}`

let running: RunningApp | undefined
let phone: Phone | undefined
afterEach(async () => {
  phone?.smash()
  await running?.close()
})
afterAll(closeEmbedded)

async function serve(audiosocketPort: number): Promise<RunningApp> {
  running = await startApp({
    key: 'pk-for-tests-only-0000',
    llm: new FakeLlm({ answer: () => ANSWER, firstTokenMs: 20 }),
    settings: `
telephony:
  asterisk: { username: asterisk, password: ${PASSWORD}, key: tester }
  audiosocket: { port: ${audiosocketPort}, sampleRateHz: 16000, key: tester }`,
  })
  return running
}

/** Asked every 20 ms of real time, as the sound moves on. */
async function until(done: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await done())) await new Promise<void>((resolve) => realClock.setTimer(20, resolve))
}

const ways: [
  string,
  (port: number, tcpPort: number) => Pick<PhoneOptions, 'dialect' | 'dial' | 'url' | 'headers'>,
][] = [
  [
    'chan_websocket',
    (port) => ({
      dialect: asteriskPhone(),
      dial: dialWebSocket,
      url: `ws://127.0.0.1:${port}/v1/telephony/asterisk`,
      headers: { authorization: BASIC },
    }),
  ],
  [
    'AudioSocket',
    (_, tcpPort) => ({
      dialect: audioSocketPhone({ sampleRateHz: 16_000 }),
      dial: dialTcp,
      url: `tcp://127.0.0.1:${tcpPort}`,
    }),
  ],
]

test.each(ways)(
  'a call by %s is answered by voice, heard whole, and ends when the caller hangs up',
  async (_, way) => {
    const tcpPort = await freePort()
    const server = await serve(tcpPort)
    const caller = new Phone({ clock: realClock, ...way(server.port, tcpPort) })
    phone = caller
    caller.call()
    caller.say(convert(await spoken('When does the train to London leave?'), PCM16_24K, PCM16_16K))
    await until(async () => (await server.turns()).some(({ heard }) => heard?.text === ANSWER))
    const heard = convert(withoutSilence(caller.playback.heard), PCM16_16K, PCM16_24K)
    expect(await readBack(heard)).toMatch(/train to london/i)
    expect(caller.record.mistakes).toEqual([])
    caller.hangUp()
    await until(() => server.app.host.size === 0)
  },
)

test('AudioSocket’s port is no path, and is closed with the server', async () => {
  const tcpPort = await freePort()
  const server = await serve(tcpPort)
  expect((await fetch(`${server.url}/v1/telephony/audiosocket`)).status).toBe(404)
  await server.close()
  running = undefined
  const caller = new Phone({
    clock: realClock,
    dialect: audioSocketPhone(),
    dial: dialTcp,
    url: `tcp://127.0.0.1:${tcpPort}`,
  })
  phone = caller
  caller.call()
  await until(() => caller.record.closes.length > 0)
  expect(caller.record.closes[0]).toMatchObject({ code: 1006 })
})

/** AudioSocket is sent silence all the time, of which a recogniser makes nothing. */
function withoutSilence(pcm16: Uint8Array): Uint8Array {
  const first = pcm16.findIndex((byte) => byte !== 0)
  const last = pcm16.findLastIndex((byte) => byte !== 0)
  return pcm16.subarray(first & ~1, (last | 1) + 1)
}

/** Free a moment ago. */
async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const address = probe.address()
  await new Promise((resolve) => probe.close(resolve))
  return typeof address === 'object' && address ? address.port : 0
}
