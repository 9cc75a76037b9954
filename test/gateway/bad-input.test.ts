/** What clients and providers get wrong: a clear answer in the caller's shape, and the next request is served as if nothing had been. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { chunk, type RawUpstream, SSE_HEAD, startRawUpstream } from './raw-upstream.ts'
import { GATEWAY_KEY, type Gateway, startGateway } from './server.ts'

let upstream: RawUpstream
let gateway: Gateway
beforeAll(async () => {
  upstream = await startRawUpstream()
  gateway = await startGateway({
    settings: `
providers: { up: { type: openai, baseUrl: '${upstream.baseUrl}', apiKey: sk-upstream-secret } }
gateway: { bodyMb: 0.25, idleMs: 1000 }`,
  })
})
afterAll(async () => {
  await gateway.close()
  await upstream.close()
})

const JSON_TYPE = { 'content-type': 'application/json', authorization: `Bearer ${GATEWAY_KEY}` }
const ASKED = { model: 'up/m', messages: [{ role: 'user', content: 'Hi' }] }
const HEALTHY = [SSE_HEAD, `data: ${chunk('Fine', 'stop')}\n\n`, 'data: [DONE]\n\n']

async function post(body: string | Uint8Array, headers: Record<string, string> = JSON_TYPE) {
  const answer = await fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', headers, body })
  return { status: answer.status, text: await answer.text() }
}
const ask = (more: object = {}) => post(JSON.stringify({ ...ASKED, ...more }))
const errorOf = ({ text }: { text: string }) => JSON.parse(text).error
const said = ({ text }: { text: string }) =>
  text
    .split('\n')
    .filter((line) => line.startsWith('data: {'))
    .map((line) => JSON.parse(line.slice(6)).choices[0]?.delta?.content ?? '')
    .join('')

describe('a client', () => {
  afterEach(async () => {
    upstream.answer(...HEALTHY)
    expect(said(await ask({ stream: true }))).toBe('Fine')
  })

  test('without a key, or with a wrong one', async () => {
    const { status, text } = await post('{}', {
      'content-type': 'application/json',
      authorization: 'Bearer no',
    })
    expect([status, JSON.parse(text).error.code]).toEqual([401, 'invalid_api_key'])
  })
  test('a body over the limit', async () => {
    const big = await ask({ padding: 'x'.repeat(300_000) })
    expect([big.status, errorOf(big).code]).toEqual([413, 'payload_too_large'])
  })
  test.each([
    ['nothing', ''],
    ['half a body', '{"model":"up/m","mess'],
    ['a list', '[1,2]'],
    ['a word', '"hello"'],
    ['invalid UTF-8', Buffer.from([...Buffer.from('{"model":"'), 0xff, 0xfe, ...Buffer.from('"}')])],
    ['JSON of a hundred thousand levels', `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
  ])('%s', async (_what, body) => {
    const wrong = await post(body)
    expect([wrong.status, errorOf(wrong).code]).toEqual([400, 'invalid_json'])
    expect(errorOf(wrong).type).toBe('invalid_request_error')
  })
  test('a content type that is no JSON', async () => {
    const wrong = await post('model=x', { ...JSON_TYPE, 'content-type': 'application/x-www-form-urlencoded' })
    expect([wrong.status, errorOf(wrong).code]).toEqual([415, 'unsupported_media_type'])
  })
  test.each([
    [{ model: undefined }, 'model', 'missing_required_parameter'],
    [{ model: 7 }, 'model', 'invalid_value'],
    [{ messages: undefined }, 'messages', 'missing_required_parameter'],
    [{ messages: {} }, 'messages', 'invalid_value'],
    [{ stream: 'yes' }, 'stream', 'invalid_value'],
    [{ tools: 'all' }, 'tools', 'invalid_value'],
  ])('members: %j', async (more, param, code) => {
    const wrong = await ask(more)
    expect([wrong.status, errorOf(wrong).param, errorOf(wrong).code]).toEqual([400, param, code])
  })
  test.each(['nobody/m', 'gpt-unheard-of', 'router/none', 'up/', '/m', '__proto__', 'up'])(
    'a model that is not there: %s',
    async (model) => {
      const wrong = await ask({ model })
      expect([wrong.status, errorOf(wrong).code, errorOf(wrong).param]).toEqual([
        404,
        'model_not_found',
        'model',
      ])
    },
  )
  test('names that reach into objects are names like any other', async () => {
    upstream.answer(...HEALTHY)
    const body = `{"model":"up/m","messages":[{"role":"user","content":"Hi"}],"stream":true,"__proto__":{"polluted":1},"metadata":{"constructor":"x"}}`
    expect((await post(body)).status).toBe(200)
    expect(({} as { polluted?: number }).polluted).toBeUndefined()
  })
  test('that leaves before the first byte: the request upstream is closed', async () => {
    upstream.answer(SSE_HEAD)
    const before = upstream.requests.length
    const { port, hostname } = new URL(gateway.url)
    const socket = connect(Number(port), hostname)
    const body = JSON.stringify({ ...ASKED, stream: true })
    socket.write(
      `POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${GATEWAY_KEY}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    )
    await expect.poll(() => upstream.requests.length).toBe(before + 1)
    socket.destroy()
    await upstream.left()
    const turns = async () => {
      const answer = await gateway.app.http.inject({ url: '/v1/turns?limit=1', headers: JSON_TYPE })
      return answer.json().data[0].outcome
    }
    await expect.poll(turns).toBe('cancelled')
  })
  test('that never reads: the reading upstream stops, and after a while both connections end', async () => {
    const piece = `data: ${chunk('x'.repeat(60_000))}\n\n`
    upstream.answer(SSE_HEAD, ...Array.from({ length: 2_000 }, () => piece))
    const { port, hostname } = new URL(gateway.url)
    const socket = connect(Number(port), hostname)
    const body = JSON.stringify({ ...ASKED, stream: true })
    socket.write(
      `POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${GATEWAY_KEY}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    )
    await once(socket, 'readable')
    // From here on nothing is taken out of it.
    await upstream.left()
    // Of 120 MB what sockets and queues hold.
    expect(upstream.said).toBeLessThan(40_000_000)
    socket.destroy()
  })
  test('that leaves in the middle of an answer', async () => {
    upstream.answer(SSE_HEAD, `data: ${chunk('Well')}\n\n`)
    const { port, hostname } = new URL(gateway.url)
    const socket = connect(Number(port), hostname)
    const body = JSON.stringify({ ...ASKED, stream: true })
    socket.write(
      `POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${GATEWAY_KEY}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    )
    await once(socket, 'data')
    socket.destroy()
    await upstream.left()
  })
})

describe('a provider', () => {
  const sse = (...pieces: (string | Uint8Array)[]) => upstream.answer(SSE_HEAD, ...pieces)
  const whole = (head: string, body: string | Uint8Array, length = Buffer.byteLength(body)) =>
    upstream.answer(`HTTP/1.1 ${head}\r\ncontent-length: ${length}\r\nconnection: close\r\n\r\n`, body)
  const ANSWER = JSON.stringify({
    choices: [{ index: 0, message: { role: 'assistant', content: 'Fine' }, finish_reason: 'stop' }],
  })

  test('lines that end with CRLF, comments between, a field that nobody knows', async () => {
    sse(
      `: hello\r\n\r\nretry: 5\r\ndata: ${chunk('A')}\r\n\r\n`,
      `: still here\r\n\r\ndata: ${chunk('B', 'stop')}\r\n\r\ndata: [DONE]\r\n\r\n`,
    )
    expect(said(await ask({ stream: true }))).toBe('AB')
  })
  test('packets that cut characters and lines anywhere', async () => {
    const bytes = Buffer.from(
      `data: ${chunk('Grüße 👋🏽')}\n\ndata: ${chunk('!', 'stop')}\n\ndata: [DONE]\n\n`,
    )
    sse(...Array.from(bytes, (byte) => Buffer.of(byte)))
    expect(said(await ask({ stream: true }))).toBe('Grüße 👋🏽!')
  })
  test('an event of almost a million characters', async () => {
    const long = 'x'.repeat(900_000)
    sse(`data: ${chunk(long, 'stop')}\n\ndata: [DONE]\n\n`)
    expect(said(await ask({ stream: true }))).toBe(long)
  })
  test('an event without an end', async () => {
    sse(`data: ${'x'.repeat(600_000)}`, 'x'.repeat(600_000))
    const failed = await ask({ stream: true })
    expect([failed.status, errorOf(failed).code]).toEqual([502, 'transient'])
  })
  test('half an event, and then nothing: what came before is kept, the end is told', async () => {
    sse(`data: ${chunk('Well')}\n\ndata: {"choices":[{"del`)
    const { body } = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: JSON_TYPE,
      body: JSON.stringify({ ...ASKED, stream: true }),
    })
    let text = ''
    for await (const bytes of body as unknown as AsyncIterable<Uint8Array>) {
      text += Buffer.from(bytes).toString()
      upstream.hangUp()
    }
    expect(said({ text })).toBe('Well')
    expect(text).toContain('"finish_reason":"error"')
    expect(text.trimEnd().endsWith('data: [DONE]')).toBe(true)
  })
  test('an interim answer before the real one, and trailers after', async () => {
    upstream.answer(
      'HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n',
      'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n',
      `${ANSWER.length.toString(16)}\r\n${ANSWER}\r\n0\r\nx-sum: 1\r\n\r\n`,
    )
    const { status, text } = await ask()
    expect([status, JSON.parse(text).choices[0].message.content]).toEqual([200, 'Fine'])
  })
  test.each(['301 Moved', '302 Found', '307 Temporary Redirect', '308 Permanent Redirect'])(
    'a redirect is not followed: %s',
    async (head) => {
      const before = upstream.requests.length
      whole(`${head}\r\nlocation: ${upstream.baseUrl}/elsewhere`, '')
      const failed = await ask()
      expect(failed.status).toBeGreaterThanOrEqual(400)
      expect(upstream.requests.length).toBe(before + 1)
    },
  )
  test('a compressed answer that nobody asked for', async () => {
    whole('200 OK\r\ncontent-type: application/json\r\ncontent-encoding: gzip', gzipSync(ANSWER))
    const failed = await ask()
    expect([failed.status, errorOf(failed).code]).toEqual([502, 'transient'])
    expect(upstream.requests.at(-1)).not.toMatch(/accept-encoding/i)
  })
  test.each([
    ['HTML', '200 OK\r\ncontent-type: text/html', '<html>sign in</html>'],
    ['half a JSON', '200 OK\r\ncontent-type: application/json', ANSWER.slice(0, -9)],
    ['JSON of something else', '200 OK\r\ncontent-type: application/json', '{"status":"ok"}'],
    ['a list', '200 OK\r\ncontent-type: application/json', '[]'],
    ['no status it should have', '204 No Content', ''],
    [
      'an error with the status of a success',
      '200 OK\r\ncontent-type: application/json',
      '{"error":{"message":"sk-upstream-secret is out","code":"server_error"}}',
    ],
  ])('%s for an answer', async (_what, head, body) => {
    whole(head, body)
    const failed = await ask()
    expect(failed.status).toBe(502)
    expect(failed.text).not.toContain('sk-upstream-secret')
    expect(gateway.log.join('\n')).not.toContain('sk-upstream-secret')
  })
  test('a refusal that quotes our key: the caller gets the sentence without it', async () => {
    whole(
      '400 Bad Request\r\ncontent-type: application/json',
      '{"error":{"message":"sk-upstream-secret may not use tools","type":"invalid_request_error","param":"tools","code":"unsupported"}}',
    )
    const refused = await ask()
    expect(errorOf(refused)).toEqual({
      message: '… may not use tools',
      type: 'invalid_request_error',
      param: 'tools',
      code: 'unsupported',
    })
  })
  test('a shorter answer than it announced', async () => {
    upstream.answer('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n', ANSWER)
    expect((await ask()).status).toBe(502)
  })
})
