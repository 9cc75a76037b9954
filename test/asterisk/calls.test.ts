/**
 * Calls through a real Asterisk and the whole of Parley, with the embedded models: what the caller hears was recorded by Asterisk,
 * and is read back.
 */
import { createServer } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { PCM16_24K } from '../../src/audio/format.ts'
import { type RunningApp, startApp } from '../e2e/app.ts'
import { closeEmbedded, convert, quiet, readBack, spoken } from '../e2e/embedded.ts'
import { FakeLlm } from '../support/stages.ts'
import { type Asterisk, describeAsterisk, startAsterisk } from './asterisk.ts'
import { loudness, PCM16_8K } from './likeness.ts'

const ANSWER = 'The train to London leaves at nine in the morning.'
const STORY =
  'Once upon a time there was a king who lived in a castle by the sea. Every morning he walked down to the water and looked for ships. ' +
  'One day a ship came from far away, and on it there was a box of gold, a map, and a very old letter.'
const PASSWORD = 'a-password-of-asterisk'
const KEY = 'pk-for-tests-only-0000'
const UUID = '40325ec2-5efd-4bd3-805f-53576e581d13'

describeAsterisk('calls through Asterisk', () => {
  let server: RunningApp
  let pbx: Asterisk
  let audiosocketPort: number
  let answer = ANSWER
  const llm = new FakeLlm({ answer: () => answer, firstTokenMs: 20 })

  beforeAll(async () => {
    audiosocketPort = await freePort()
    server = await startApp({
      key: KEY,
      llm,
      settings: `
telephony:
  asterisk: { username: asterisk, password: ${PASSWORD}, key: tester }
  audiosocket: { port: ${audiosocketPort}, key: tester }`,
    })
    const uri = `ws://127.0.0.1:${server.port}/v1/telephony/asterisk`
    pbx = await startAsterisk({
      websockets: {
        parley: { uri, username: 'asterisk', password: PASSWORD },
        stranger: { uri, username: 'asterisk', password: 'another-password' },
      },
    })
  })
  afterAll(async () => {
    await pbx?.stop()
    await server?.close()
    await closeEmbedded()
  })

  /** Words of a caller, as `Playback` plays them. */
  async function says(name: string, ...parts: (string | number)[]): Promise<string> {
    const sounds = await Promise.all(
      parts.map((part) => (typeof part === 'string' ? spoken(part) : quiet(part))),
    )
    return pbx.playback(name, convert(Buffer.concat(sounds), PCM16_24K, PCM16_8K))
  }

  const ways = [
    [
      'chan_websocket, plain, µ-law',
      () => 'Dial(WebSocket/parley/c(ulaw)f(plain-text)v(from=200,tenant=acme))',
    ],
    ['chan_websocket, JSON, 16 kHz', () => 'Dial(WebSocket/parley/c(slin16)f(json)v(from=200,tenant=acme))'],
    ['AudioSocket, 8 kHz', () => `AudioSocket(${UUID},127.0.0.1:${audiosocketPort})`],
  ] as const

  test.each(ways)('%s: a question is answered, and the caller hears it', async (_, far) => {
    answer = ANSWER
    const question = await says('train', 'When does the train to London leave?')
    // Nothing is sent while the caller waits: its silence is no frames.
    const { heard } = await pbx.call({ far: [far()], caller: ['Wait(0.5)', question, 'Wait(8)'] })
    expect(await readBack(convert(withoutSilence(heard), PCM16_8K, PCM16_24K))).toMatch(
      /train to london .* nine in the morning/i,
    )
    const [turn] = await server.turns()
    expect(turn).toMatchObject({ text: { said: ANSWER }, heard: { text: ANSWER, interrupted: false } })
    expect(turn?.text?.user).toMatch(/train/i)
    expect(server.app.host.size).toBe(0)
  })

  test.each(ways)('%s: a caller who interrupts hears silence', async (_, far) => {
    answer = STORY
    const storyMs = 4_000
    const line = await says('story', 500, 'Please tell me a story.', storyMs, 'Stop. Stop it, please.', 600)
    const turnsBefore = (await server.turns()).length
    const { heard, said } = await pbx.call({ far: [far()], caller: [line, 'Wait(0.2)'] })
    // The second words begin after the long silence.
    const stopsAt = onsets(said, storyMs / 2)[1]!
    const isLoud = (fromMs: number, ms: number) =>
      loudMoments(heard).some((at) => at >= fromMs && at < fromMs + ms)
    expect(isLoud(stopsAt - 500, 500)).toBe(true)
    // The story would go on for ten seconds. It falls silent, and nothing of it comes after.
    const silentAt = loudMoments(heard).find((at) => at >= stopsAt && !isLoud(at + 10, 700))!
    expect(silentAt - stopsAt).toBeLessThan(1_000)
    const turns = await server.turns()
    const told = turns
      .slice(0, turns.length - turnsBefore)
      .find(({ heard }) => heard?.text.startsWith('Once upon a time'))
    expect(told?.heard?.interrupted).toBe(true)
    expect(told!.heard!.text.length).toBeLessThan(STORY.length / 2)
  })

  test.each(ways)('%s: keys become a turn', async (_, far) => {
    answer = ANSWER
    await pbx.call({ far: [far()], caller: ['Wait(0.5)', 'SendDTMF(42#)', 'Wait(3)'] })
    const [turn] = await server.turns()
    expect(turn?.text?.user).toBe('Keypad: 42#')
  })

  test('an Asterisk with another password is refused', async () => {
    const before = (await server.turns()).length
    await pbx.call({ far: ['Dial(WebSocket/stranger/c(ulaw))'], caller: ['Wait(5)'] })
    expect((await server.turns()).length).toBe(before)
    expect(server.log.some((line) => line.includes('a telephone stream was refused'))).toBe(true)
  })
})

/** From the first sound to the last, with a little around it: a recogniser makes nothing of a long silence. */
function withoutSilence(pcm8k: Buffer): Buffer {
  const loud = loudMoments(pcm8k)
  const around = Buffer.alloc(3_200)
  return Buffer.concat([around, pcm8k.subarray((loud[0] ?? 0) * 16, ((loud.at(-1) ?? 0) + 10) * 16), around])
}

/** Tens of milliseconds that are not silent, in ms. */
function loudMoments(pcm8k: Buffer): number[] {
  return [...loudness(pcm8k).entries()].filter(([, level]) => level > 100).map(([at]) => at * 10)
}

/** Where sound begins after a silence of so long, or at first. */
function onsets(pcm8k: Buffer, silenceMs: number): number[] {
  return loudMoments(pcm8k).filter((at, i, all) => i === 0 || at - all[i - 1]! > silenceMs)
}

/** Free a moment ago. */
async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const address = probe.address()
  await new Promise((resolve) => probe.close(resolve))
  return typeof address === 'object' && address ? address.port : 0
}
