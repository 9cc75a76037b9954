import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'
import { readWav, writeWav } from '../../src/audio/wav.ts'
import { realClock } from '../../src/clock.ts'
import { run } from '../../src/main.ts'
import type { TurnRecord } from '../../src/trace/record.ts'
import { MemoryContext } from './memory-context.ts'
import { answer, opened, turnOf, updated, words } from './scripted-server.ts'

const tone = Int16Array.from({ length: 1_600 }, (_, n) => Math.round(8_000 * Math.sin(n / 5)))
const reply = Int16Array.from({ length: 4_800 }, (_, n) => n)

const record: TurnRecord = {
  id: 'turn_r',
  sessionId: 'sess_1',
  keyId: null,
  wire: 'realtime',
  pipeline: 'default',
  startedAt: '2026-11-23T00:00:00.000Z',
  revision: 1,
  responseIds: ['r'],
  experiments: [],
  route: {},
  marks: { committed: 500, firstAudioSent: 640 },
  endedBy: 'silence',
  language: null,
  attempts: [],
  budget: { turnMs: 1500, actualMs: 640, brokenBy: null, degraded: [] },
  heard: null,
  text: { user: 'hello', said: 'Hi.' },
  underruns: 0,
  costUsd: null,
  outcome: 'said',
}

let folder: string
let server: Server
let sockets: WebSocketServer
let port: number
/** What came in: `/v1/realtime?…` with its Authorization header. */
let requests: { url: string; authorization: string | undefined }[]

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-talk-'))
  await writeFile(join(folder, 'question.wav'), writeWav(tone, 16_000))
  requests = []
  server = createServer((request, response) => {
    requests.push({ url: request.url ?? '', authorization: request.headers.authorization })
    response.end(JSON.stringify(record))
  })
  sockets = new WebSocketServer({ noServer: true })
  server.on('upgrade', (request, socket, head) => {
    requests.push({ url: request.url ?? '', authorization: request.headers.authorization })
    if (request.headers.authorization === 'Bearer wrong') {
      socket.end('HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n')
    } else {
      sockets.handleUpgrade(request, socket, head, converse)
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
})

afterEach(async () => {
  for (const socket of sockets.clients) socket.terminate()
  await new Promise((resolve) => server.close(resolve))
  await rm(folder, { recursive: true })
})

/** Answers once the whole recording has come. */
function converse(socket: WebSocket): void {
  const say = (...events: object[]) => {
    for (const event of events) socket.send(JSON.stringify(event))
  }
  let chunks = 0
  say(opened)
  socket.on('message', (data) => {
    const event = JSON.parse(data.toString()) as { type: string }
    if (event.type === 'session.update') say(updated())
    // 100 ms of recording.
    if (event.type !== 'input_audio_buffer.append' || ++chunks !== 6) return
    const audio = new Uint8Array(reply.buffer)
    say(...turnOf('a'), ...words('a', 'hel', 'lo'), ...answer('r', 'Hi.', audio))
  })
}

function talk(context: MemoryContext, ...more: string[]) {
  return run(
    [
      'talk',
      join(folder, 'question.wav'),
      '--url',
      `ws://127.0.0.1:${port}`,
      '--out',
      join(folder, 'answer.wav'),
      ...more,
    ],
    context,
  )
}

test('a recording is spoken, the answer printed and saved, the turn drawn', async () => {
  const context = new MemoryContext({ clock: realClock })
  expect(await talk(context, '--pipeline', 'support')).toBe(0)
  expect(context.err).toBe('')
  expect(context.out).toContain('you     hello\n  parley  Hi.')
  expect(context.out).toContain('The turn turn_r · pipeline default')
  expect(context.out).toContain('860 ms to spare')
  const saved = readWav(await readFile(join(folder, 'answer.wav')))
  expect(saved).toEqual({ samples: reply, sampleRateHz: 24_000 })
  expect(requests.map((request) => request.url)).toEqual(['/v1/realtime?model=support', '/v1/turns/turn_r'])
})

test('the key goes with both requests and is never printed', async () => {
  const context = new MemoryContext({ clock: realClock, env: { PARLEY_KEY: 'sesame-opens' } })
  expect(await talk(context)).toBe(0)
  expect(requests.map((request) => request.authorization)).toEqual([
    'Bearer sesame-opens',
    'Bearer sesame-opens',
  ])
  expect(context.out + context.err).not.toContain('sesame')
})

describe('what a person can mend is said without a stack trace', () => {
  const cases: [string, () => string[], string][] = [
    ['no server', () => ['--url', 'ws://127.0.0.1:1'], 'No server listens at ws://127.0.0.1:1.'],
    ['a wrong key', () => ['--key', 'wrong'], 'does not know this key'],
    ['an address that is none', () => ['--url', 'http://'], 'is no address'],
    ['a place that cannot be written', () => ['--out', join(folder, 'no', 'where.wav')], 'cannot be saved'],
  ]
  test.each(cases)('%s', async (_name, args, message) => {
    const context = new MemoryContext({ clock: realClock })
    expect(await talk(context, ...args())).toBe(1)
    expect(context.err).toContain(message)
    expect(context.err).not.toMatch(/\n\s+at /)
  })

  test('no such file, and one that is no WAV', async () => {
    const context = new MemoryContext({ clock: realClock })
    expect(await run(['talk', join(folder, 'nothing.wav')], context)).toBe(1)
    await writeFile(join(folder, 'text.wav'), 'hello')
    expect(await run(['talk', join(folder, 'text.wav')], context)).toBe(1)
    expect(context.err).toContain('There is no file')
    expect(context.err).toContain('cannot be used')
  })
})
