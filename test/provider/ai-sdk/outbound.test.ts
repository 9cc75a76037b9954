/** The `fetch` that packages are given, against a bare server. */
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Agent } from 'undici'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { outbound } from '../../../src/provider/ai-sdk/outbound.ts'

let answer: (response: ServerResponse) => void
const asked: string[] = []
const server = createServer((request, response) => {
  asked.push(`${request.method} ${request.url} ${request.headers['accept-encoding']}`)
  answer(response)
})
const agent = new Agent()
const out = outbound(agent)
let url: string
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(async () => {
  await agent.destroy()
  server.closeAllConnections()
  server.close()
})

const post = (headers: Record<string, string> = {}) =>
  out.fetch(`${url}/v1`, { method: 'POST', headers, body: '{}' })

test('only POST is sent: no package fetches an address out of a message', async () => {
  const before = asked.length
  await expect(out.fetch(`${url}/picture.png`)).rejects.toThrow('only POST')
  await expect(out.fetch(`${url}/picture.png`, { method: 'HEAD' })).rejects.toThrow('only POST')
  expect(asked.length).toBe(before)
})

test('a redirect is not followed', async () => {
  answer = (response) => response.writeHead(307, { location: '/elsewhere' }).end()
  await expect(post()).rejects.toThrow()
  expect(asked.filter((one) => one.includes('elsewhere'))).toEqual([])
})

test('a compressed answer is neither asked for nor taken', async () => {
  answer = (response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end('x')
  await expect(post()).rejects.toThrow('compressed')
  expect(asked.at(-1)).toContain(' identity')
})

test('a stream may be long, a line of it may not', async () => {
  const line = `data: ${'x'.repeat(1_000)}\n`
  answer = (response) => response.end(line.repeat(3_000))
  expect((await (await post()).text()).length).toBe(3_000 * line.length)
  answer = (response) => response.end('x'.repeat(1_100_000))
  await expect((await post()).text()).rejects.toThrow('longer than is taken')
})

test('nor may a refusal', async () => {
  answer = (response) => response.writeHead(400).end('{}\n'.repeat(30_000))
  const refusal = await post()
  expect(refusal.status).toBe(400)
  await expect(refusal.text()).rejects.toThrow('longer than is taken')
})

test('keys that went out are known, wherever they came from', async () => {
  answer = (response) => response.end('{}')
  await post({
    authorization: 'Bearer sk-from-the-environment',
    'x-goog-api-key': 'goog-0123456789',
    accept: 'text/plain',
  })
  expect(out.secrets()).toEqual(expect.arrayContaining(['sk-from-the-environment', 'goog-0123456789']))
  expect(out.secrets()).not.toContain('text/plain')
})
