/** `parley catalog`: what it shows, and a refresh from a server on this machine, which keeps the old list when anything is wrong. */
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { MAX_REFRESH_BYTES } from '../../src/catalog/refreshed.ts'
import { VirtualClock } from '../../src/clock.ts'
import { refreshCatalog } from '../../src/command/catalog-refresh.ts'
import { UserError } from '../../src/command/user-error.ts'
import { run } from '../../src/main.ts'
import { modelsDevList } from '../catalog/models-dev-list.ts'
import { MemoryContext } from './memory-context.ts'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/api.json`
}

const json = (value: unknown) =>
  serve((_request, response) => response.end(typeof value === 'string' ? value : JSON.stringify(value)))

function context() {
  const home = mkdtempSync(join(tmpdir(), 'parley-home-'))
  const clock = new VirtualClock(Date.parse('2026-12-01T10:00:00Z'))
  const surroundings = new MemoryContext({ clock, env: { PARLEY_HOME: home } })
  return { surroundings, clock, file: join(home, 'catalog.json') }
}

const refusal = async (work: Promise<unknown>): Promise<string> => {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(UserError)
  return (error as UserError).message
}

describe('refresh', () => {
  test('brings a list, which the next look at the catalogue goes by', async () => {
    const { surroundings, file } = context()
    const asked: (string | undefined)[] = []
    const from = await serve((request, response) => {
      asked.push(request.headers.authorization, request.url)
      response.end(JSON.stringify(modelsDevList()))
    })
    expect(await run(['catalog', 'refresh', '--from', `${from}?token=secret`], surroundings)).toBe(0)
    expect(asked).toEqual([undefined, '/api.json?token=secret'])
    expect(surroundings.out).toContain('22 models of 4 providers')
    expect(readFileSync(file, 'utf8')).not.toContain('secret')
    surroundings.out = ''
    expect(await run(['catalog', 'show', 'openai/gpt-4o-mini'], surroundings)).toBe(0)
    expect(surroundings.out).toContain('$ 9 in, 0.9 cached, 18 out a million tokens')
    expect(surroundings.out).toContain('2026-12-01')
  })

  test('takes a file as well', async () => {
    const { surroundings, file } = context()
    const list = join(mkdtempSync(join(tmpdir(), 'parley-list-')), 'api.json')
    writeFileSync(list, JSON.stringify(modelsDevList()))
    expect(await refreshCatalog({ from: list }, surroundings)).toBe(0)
    expect(existsSync(file)).toBe(true)
  })

  test('keeps the list that was there when the new one is no list', async () => {
    const { surroundings, file } = context()
    await refreshCatalog({ from: await json(modelsDevList()) }, surroundings)
    const before = readFileSync(file, 'utf8')
    for (const wrong of ['<html>', '[]', '{"error":"gone"}', { openai: { models: { m: { cost: 'x' } } } }]) {
      expect(await refusal(refreshCatalog({ from: await json(wrong) }, surroundings))).toContain('127.0.0.1')
      expect(readFileSync(file, 'utf8')).toBe(before)
    }
  })

  test('does not follow a redirect, and tells a refusal by its number', async () => {
    const { surroundings, file } = context()
    const target = await json(modelsDevList())
    const moved = await serve((_request, response) => response.writeHead(302, { location: target }).end())
    expect(await refusal(refreshCatalog({ from: moved }, surroundings))).toContain('status 302')
    const gone = await serve((_request, response) => response.writeHead(500).end('at this address: password'))
    const message = await refusal(refreshCatalog({ from: gone }, surroundings))
    expect(message).toContain('status 500')
    expect(message).not.toContain('password')
    expect(existsSync(file)).toBe(false)
  })

  test('reads no more than a list may be long', async () => {
    const { surroundings, file } = context()
    let sent = 0
    const endless = await serve((_request, response) => {
      const piece = Buffer.alloc(1 << 20, 0x20)
      const more = () => {
        while (!response.destroyed && response.write(piece)) sent += piece.length
        sent += piece.length
      }
      response.on('drain', more)
      more()
    })
    expect(await refusal(refreshCatalog({ from: endless }, surroundings))).toContain('larger than')
    expect(sent).toBeLessThan(2 * MAX_REFRESH_BYTES)
    expect(existsSync(file)).toBe(false)
  })

  test('gives up on a server that begins and never ends, and when it is asked to stop', async () => {
    for (const stop of ['deadline', 'signal'] as const) {
      const { surroundings, clock, file } = context()
      let began: () => void = () => {}
      const beginning = new Promise<void>((resolve) => {
        began = resolve
      })
      const slow = await serve((_request, response) => {
        response.write('{"openai":')
        began()
      })
      const refused = refusal(refreshCatalog({ from: slow }, surroundings))
      await beginning
      if (stop === 'deadline') await clock.advance(60_000)
      else surroundings.interrupt()
      expect(await refused).toContain('took too long, or was interrupted')
      expect(surroundings.watchers).toBe(0)
      expect(existsSync(file)).toBe(false)
    }
  })

  test('says so when nobody listens there', async () => {
    const { surroundings } = context()
    const from = await json({})
    servers.splice(0).forEach((server) => void server.close())
    expect(await refusal(refreshCatalog({ from }, surroundings))).toContain('ECONNREFUSED')
    expect(await refusal(refreshCatalog({ from: '/no/such/file' }, surroundings))).toContain('cannot be read')
  })
})

describe('list and show', () => {
  test('list finds by text, kind and provider', async () => {
    const { surroundings } = context()
    expect(
      await run(['catalog', 'list', 'sonic', '--kind', 'tts', '--provider', 'cartesia'], surroundings),
    ).toBe(0)
    expect(surroundings.out).toMatch(/cartesia\/sonic-3 +tts +\$ 0\.0374 a thousand characters/)
    expect(surroundings.out).toContain('4 models of 1 providers.')
    surroundings.out = ''
    await run(['catalog', 'list', '--provider', 'gemini', '--json'], surroundings)
    expect(JSON.parse(surroundings.out).length).toBeGreaterThan(10)
  })

  test('show tells where a price is from, of a bare name at every provider', async () => {
    const { surroundings } = context()
    expect(await run(['catalog', 'show', 'gpt-4o-mini'], surroundings)).toBe(0)
    expect(surroundings.out).toMatch(/openai\/gpt-4o-mini[\s\S]*read +2026-11-10, @earendil-works\/pi-ai/)
    expect(surroundings.out.indexOf('openai/')).toBeLessThan(surroundings.out.indexOf('openrouter/'))
  })

  test('an unknown name, and an unknown kind, are refused', async () => {
    const { surroundings } = context()
    expect(await run(['catalog', 'show', 'nope'], surroundings)).toBe(1)
    expect(surroundings.err).toContain('no model named nope')
    expect(await run(['catalog', 'list', '--kind', 'poem'], surroundings)).toBe(2)
  })

  test('the operator’s own entries are among them', async () => {
    const { surroundings } = context()
    const file = join(mkdtempSync(join(tmpdir(), 'parley-settings-')), 'parley.yaml')
    writeFileSync(file, 'catalog: { my-vllm/llama: { name: Ours, cost: { input: 0.5, output: 1 } } }\n')
    expect(await run(['catalog', 'show', 'my-vllm/llama', '--config', file], surroundings)).toBe(0)
    expect(surroundings.out).toContain('Ours')
    expect(surroundings.out).toContain('catalog in parley.yaml')
  })
})
