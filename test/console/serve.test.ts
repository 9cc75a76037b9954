import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import Fastify from 'fastify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { consolePage, PAGE_HEADERS } from '../../src/console/index.ts'
import { type BuiltPage, buildPage } from './built-page.ts'

describe('the page as it is served', () => {
  let page: BuiltPage
  beforeAll(async () => {
    page = await buildPage()
  })
  afterAll(() => page.remove())

  test('every file carries the strict headers, and hashed files may be kept', async () => {
    const app = Fastify()
    await app.register(consolePage, { root: page.root })
    const assets = (await readdir(join(page.root, 'assets'))).map((name) => `/assets/${name}`)
    expect(assets.length).toBeGreaterThanOrEqual(4)
    for (const path of ['/', '/icon.svg', ...assets]) {
      const answer = await app.inject(path)
      expect(answer.statusCode).toBe(200)
      expect(answer.headers).toMatchObject(PAGE_HEADERS)
      const kept = path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache'
      expect(answer.headers['cache-control']).toBe(kept)
    }
    await app.close()
  })

  test('the policy names no place but this one, and allows nothing inline', () => {
    const policy = PAGE_HEADERS['content-security-policy']
    expect(policy).toContain("default-src 'none'")
    expect(policy).not.toMatch(/unsafe|https?:|data:|blob:|\*/)
  })

  test('the page has nothing inline and nothing from elsewhere', async () => {
    const html = await readFile(join(page.root, 'index.html'), 'utf8')
    expect(html).toContain('<script type="module"')
    expect(html).not.toMatch(/<script(?![^>]*\ssrc=)/)
    expect(html).not.toMatch(/<style|\sstyle=|\son\w+=|https?:\/\//)
  })

  test('other paths stay with their owners', async () => {
    const app = Fastify()
    await app.register(consolePage, { root: page.root })
    app.get('/v1/turns', async () => ({ data: [] }))
    expect((await app.inject('/v1/turns')).json()).toEqual({ data: [] })
    expect((await app.inject('/nowhere')).statusCode).toBe(404)
    expect((await app.inject('/assets/..%2f..%2fpackage.json')).statusCode).toBe(404)
    await app.close()
  })

  test('a page that was not built says how to build it', async () => {
    const app = Fastify()
    await app.register(consolePage, { root: join(page.root, 'missing') })
    const answer = await app.inject('/')
    expect(answer.statusCode).toBe(503)
    expect(answer.body).toContain('npm run build')
    await app.close()
  })

  test('all of its JavaScript together is under 30 kB compressed', async () => {
    const folder = join(page.root, 'assets')
    let bytes = 0
    for (const name of await readdir(folder))
      if (name.endsWith('.js')) bytes += gzipSync(await readFile(join(folder, name))).length
    expect(bytes).toBeGreaterThan(0)
    expect(bytes).toBeLessThan(30_000)
  })
})
