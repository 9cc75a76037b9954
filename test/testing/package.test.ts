/** The package as somebody else's project has it: built, under its name, with types; nothing of this tree is in reach. */
import { execFileSync } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ROOT } from '../architecture/sources.ts'

const folder = mkdtempSync(join(tmpdir(), 'parley-adopter-'))
const modules = join(folder, 'node_modules')

const TSC = join(ROOT, 'node_modules/typescript/bin/tsc')

beforeAll(() => {
  mkdirSync(modules)
  for (const name of readdirSync(join(ROOT, 'node_modules'))) {
    if (!name.startsWith('.')) symlinkSync(join(ROOT, 'node_modules', name), join(modules, name))
  }
  const parley = join(modules, 'parley')
  mkdirSync(parley)
  for (const part of ['package.json', 'catalog', 'pipelines', 'optional'])
    cpSync(join(ROOT, part), join(parley, part), { recursive: true })
  execFileSync(process.execPath, [
    TSC,
    '-p',
    join(ROOT, 'tsconfig.build.json'),
    '--outDir',
    join(parley, 'dist'),
  ])
  cpSync(join(ROOT, 'examples/testing'), folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('a double, started by the package’s name, answers the official client and refuses what is wrong', () => {
  writeFileSync(
    join(folder, 'client.ts'),
    `import OpenAI from 'openai'
import { fakeDeepgram, fakeOpenAi, inMemory, startDouble, VirtualClock } from 'parley/testing'

const double = await startDouble(fakeOpenAi({ answer: { pieces: ['Hello'] } }))
const client = new OpenAI({ apiKey: double.settings.apiKey, baseURL: double.baseUrl, maxRetries: 0 })
const messages = [{ role: 'user' as const, content: 'Hi' }]
const { choices } = await client.chat.completions.create({ model: 'm', messages })
const refused = await client.chat.completions.create({ model: 'm', messages: [] }).catch((error) => error.status)
await double.close()
const { connect } = inMemory(fakeDeepgram({ clock: new VirtualClock() }))
console.log(JSON.stringify([choices[0]?.message.content, refused, double.mistakes.length > 0, typeof connect]))
`,
  )
  typechecks('client.ts')
  expect(JSON.parse(run('client.js'))).toEqual(['Hello', 400, true, 'function'])
})

test('doubles that providers’ SDKs dial need no SDK to listen: one answers a call over HTTP/2, one a WebSocket', () => {
  writeFileSync(
    join(folder, 'dialled.ts'),
    `import { once } from 'node:events'
import { connect } from 'node:http2'
import WebSocket from 'ws'
import { fakeAzureRecogniser, fakeGoogleVoices, startDouble } from 'parley/testing'

const google = await startDouble(fakeGoogleVoices())
const client = connect(google.url)
const path = '/google.cloud.texttospeech.v1.TextToSpeech/StreamingSynthesize'
const call = client.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc' })
const [[trailers]] = await Promise.all([once(call, 'trailers'), call.resume().end()])
client.close()

const azure = await startDouble(fakeAzureRecogniser())
const at = '/speech/recognition/conversation/cognitiveservices/v1?language=en-US'
const socket = new WebSocket(azure.url + at, { headers: { 'Ocp-Apim-Subscription-Key': 'wrong' } })
const [, refusal] = await once(socket, 'unexpected-response')
console.log(JSON.stringify([trailers['grpc-status'], google.mistakes, google.settings.type, refusal.statusCode]))
await Promise.all([google.close(), azure.close()])
`,
  )
  typechecks('dialled.ts')
  expect(JSON.parse(run('dialled.js'))).toEqual(['3', ['an end without a text'], 'google-speech', 401])
})

test('a telephone calls over a real socket, by the package’s name', () => {
  writeFileSync(
    join(folder, 'phone.ts'),
    `import { createServer } from 'node:http'
import { WebSocketServer } from 'ws'
import { dialWebSocket, Phone, realClock, twilioPhone } from 'parley/testing'

const server = createServer().listen(0, '127.0.0.1', () => {
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const url = \`ws://127.0.0.1:\${port}/\`
  const phone = new Phone({ clock: realClock, dialect: twilioPhone(), dial: dialWebSocket, url })
  new WebSocketServer({ server }).on('connection', (socket) => {
    socket.on('message', (data) => {
      const { event, streamSid } = JSON.parse(String(data))
      const say = (message: object) => socket.send(JSON.stringify({ streamSid, ...message }))
      if (event === 'start') {
        say({ event: 'media', media: { payload: Buffer.alloc(160).toString('base64') } })
        say({ event: 'mark', mark: { name: 'end' } })
      }
      if (event === 'mark') phone.hangUp()
    })
    socket.on('close', () => {
      console.log(JSON.stringify([phone.record.mistakes, phone.record.marks[0]?.name, phone.playback.heardMs]))
      server.close()
    })
  })
  phone.call()
})
`,
  )
  typechecks('phone.ts')
  expect(JSON.parse(run('phone.js'))).toEqual([[], 'end', 20])
})

test('the example: a model breaks, the answer comes', () => {
  typechecks('failover.ts')
  expect(run('failover.js')).toContain('answered: We open at nine.')
})

test('the page shows the example as it is', () => {
  const page = readFileSync(join(ROOT, 'docs/testing.md'), 'utf8')
  const code = readFileSync(join(ROOT, 'examples/testing/failover.ts'), 'utf8')
  expect(page).toContain(code.slice(code.indexOf('const breaks'), code.indexOf('console.log')).trim())
})

/** With all its types, and nothing but what the package declares. */
function typechecks(file: string): void {
  const options = '--strict --target es2023 --module nodenext --skipLibCheck --types node'.split(' ')
  execFileSync(process.execPath, [TSC, ...options, file], { cwd: folder, encoding: 'utf8', stdio: 'pipe' })
}

function run(file: string): string {
  return execFileSync(process.execPath, [file], { cwd: folder, encoding: 'utf8' })
}
