import fc from 'fast-check'
import Fastify from 'fastify'
import { describe, expect, test } from 'vitest'
import { Secret } from '../../src/config/secret.ts'
import { createLogger } from '../../src/trace/logger.ts'
import { redact } from '../../src/trace/redact.ts'

function capture(transcripts: boolean) {
  const lines: string[] = []
  const log = createLogger(
    { level: 'trace', transcripts },
    { write: (line: string) => void lines.push(line) },
  )
  return { log, lines, last: () => JSON.parse(lines.at(-1) ?? '{}') }
}

describe('the log', () => {
  test('never shows a secret, wherever it hides', () => {
    const { log, lines, last } = capture(true)
    const secret = 'sk-very-secret'
    log.info(
      {
        apiKey: secret,
        a: { b: [{ 'api-key': secret }] },
        headers: { Authorization: `Bearer ${secret}`, cookie: secret },
      },
      'x',
    )
    log.error(
      { err: Object.assign(new Error('refused'), { token: secret, cause: { password: secret } }) },
      'y',
    )
    log.info({ provider: { key: new Secret(secret) } })
    log
      .child({ session: 's1' })
      .child({ secret })
      .warn({ options: { client_secret: secret, 'sec-websocket-protocol': secret } }, 'z')
    expect(lines).toHaveLength(4)
    expect(lines.join()).not.toContain(secret)
    expect(last().session).toBe('s1')
  })

  test('shows no words of callers, unless the operator wants them', () => {
    const words = 'my address is'
    const facts = {
      turn: 't1',
      text: words,
      heard: { text: words },
      messages: [{ content: words }],
      deep: { transcript: words },
      keys: [{ digit: words, atMs: 1 }],
    }
    const quiet = capture(false)
    quiet.log.info(facts, 'turn')
    expect(quiet.lines.join()).not.toContain(words)
    expect(quiet.last()).toMatchObject({
      level: 'info',
      msg: 'turn',
      turn: 't1',
      text: '[words]',
      deep: { transcript: '[words]' },
    })
    const open = capture(true)
    open.log.info(facts, 'turn')
    expect(open.last()).toMatchObject({ deep: { transcript: words } })
  })

  test('addresses lose their queries, whoever logs them', () => {
    const { log, last, lines } = capture(true)
    log.info({ path: '/v1/realtime?user=ada', upgrade: { url: 'wss://voice.example/v1?key=sk-1' } })
    expect(last()).toMatchObject({ path: '/v1/realtime', upgrade: { url: 'wss://voice.example/v1' } })
    expect(lines.join()).not.toMatch(/ada|sk-1/)
  })

  test('counts and times pass, though their names are near', () => {
    const { log, last } = capture(false)
    log.info({ inputTokens: 5, maxTokens: 7, textOnly: true, keyId: 'web', atMs: 1.5, none: null })
    expect(last()).toMatchObject({
      inputTokens: 5,
      maxTokens: 7,
      textOnly: true,
      keyId: 'web',
      atMs: 1.5,
      none: null,
    })
  })

  test('of an error: name, message, stack, cause', () => {
    const { log, last } = capture(false)
    log.error({ err: new TypeError('broken', { cause: new Error('below') }) }, 'failed')
    expect(last().err).toMatchObject({
      type: 'TypeError',
      message: 'broken',
      cause: { type: 'Error', message: 'below' },
    })
    expect(last().err.stack).toContain('logger.test')
  })

  test('of a request: method and path, no query, no header', async () => {
    const { log, lines } = capture(false)
    const app = Fastify({ loggerInstance: log })
    app.get('/v1/x', () => 'ok')
    await app.inject({
      url: '/v1/x?user=%2B4312345&metadata.name=Ada',
      headers: { authorization: 'Bearer abc-secret' },
    })
    expect(lines.map((line) => JSON.parse(line)).find((line) => line.req)?.req).toMatchObject({
      method: 'GET',
      path: '/v1/x',
    })
    expect(lines.map((line) => JSON.parse(line)).find((line) => line.res)?.res).toEqual({ status: 200 })
    for (const hidden of ['4312345', 'Ada', 'abc-secret']) expect(lines.join()).not.toContain(hidden)
  })

  test('is bounded: deep, long, round and binary things', () => {
    const round: { self?: unknown } = {}
    round.self = round
    const { log, lines } = capture(true)
    log.info({
      round,
      long: 'x'.repeat(1e6),
      list: Array(1e5).fill(1),
      audio: new Uint8Array(1e6),
      big: 10n,
      date: new Date(Number.NaN),
    })
    expect(lines.join().length).toBeLessThan(10_000)
    expect(lines.join()).toContain('[1000000 bytes]')
  })

  test('whatever is logged comes out as JSON', () => {
    fc.assert(
      fc.property(
        fc.object({
          withBigInt: true,
          withDate: true,
          withTypedArray: true,
          withMap: true,
          withNullPrototype: true,
        }),
        (facts) => void JSON.stringify(redact(facts, 'hidden')),
      ),
    )
  })
})
