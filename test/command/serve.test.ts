import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { settled, VirtualClock } from '../../src/clock.ts'
import { type ServeOptions, type ServeParts, type Server, serve } from '../../src/command/serve.ts'
import type { ModelShelf } from '../../src/command/shelf.ts'
import { MemoryContext } from './memory-context.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-serve-'))
  await writeFile(join(folder, 'support.yaml'), 'name: support\n')
})
afterEach(() => rm(folder, { recursive: true }))

const ear = { name: 'ear', title: 'Ear', licence: 'MIT', purpose: 'listens', bytes: 1e6, folder: 'ear' }

class FakeServer implements Server {
  readonly calls: string[] = []
  readonly runsOn = { stt: 'local/ear', llm: 'local/scripted', tts: 'local/mouth' }
  readonly advice = ['For a real model, name one in parley.yaml.']
  finishTurns: () => void = () => {}

  constructor(readonly listenFails?: string) {}

  async listen(): Promise<string> {
    this.calls.push('listen')
    if (this.listenFails) throw Object.assign(new Error('listen failed'), { code: this.listenFails })
    return 'http://127.0.0.1:8080'
  }

  drain(): Promise<void> {
    this.calls.push('drain')
    return new Promise((resolve) => {
      this.finishTurns = resolve
    })
  }

  async close(): Promise<void> {
    this.calls.push('close')
  }
}

function begin(options: ServeOptions & { listenFails?: string; shelf?: ModelShelf } = {}) {
  const clock = new VirtualClock()
  const context = new MemoryContext({ clock })
  const server = new FakeServer(options.listenFails)
  const shelf = options.shelf ?? {
    list: async () => [{ ...ear, state: 'present' as const }],
    ensure: async () => {},
  }
  const parts: ServeParts = { shelf, buildApp: async () => server }
  const code = serve({ pipelines: folder, ...options }, parts, context)
  code.catch(() => {})
  return { clock, context, server, code }
}

/** Files are read for real: the server listens a little later. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await settled()
}

describe('a start', () => {
  test('says where to go, what it runs on, and how to get better', async () => {
    const { context } = begin()
    await until(() => context.out.includes('Ctrl+C'))
    expect(context.out).toContain('http://127.0.0.1:8080')
    expect(context.out).toContain('ws://127.0.0.1:8080/v1/realtime')
    for (const told of ['support', 'local/ear', 'local/scripted', 'local/mouth', 'For a real model']) {
      expect(context.out).toContain(told)
    }
  })

  test('brings what is missing, and goes on without what cannot be had', async () => {
    const shelf: ModelShelf = {
      list: async () => [{ ...ear, state: 'absent' }],
      ensure: async () => {
        throw new Error('the registry cannot be reached.')
      },
    }
    const { context } = begin({ shelf })
    await until(() => context.out.includes('Ctrl+C'))
    expect(context.out).toContain('✕ ear: the registry cannot be reached.')
  })

  test('asks nobody for models when offline', async () => {
    const shelf: ModelShelf = {
      list: async () => [{ ...ear, state: 'absent' }],
      ensure: () => {
        throw new Error('must not be asked')
      },
    }
    const { context } = begin({ shelf, offline: true })
    await until(() => context.out.includes('Ctrl+C'))
    expect(context.out).not.toContain('must not')
  })

  test.each([
    ['EADDRINUSE', 'listens on 127.0.0.1:8080 already'],
    ['EACCES', 'needs privileges'],
    ['EADDRNOTAVAIL', 'has no address'],
  ])('that fails with %s says what to do and leaves nothing open', async (listenFails, message) => {
    const { code, server, context } = begin({ listenFails })
    await expect(code).rejects.toThrow(message)
    expect(server.calls).toEqual(['listen', 'close'])
    expect(context.watchers).toBe(0)
  })

  test('that is interrupted while a model comes does not go on to listen', async () => {
    const shelf: ModelShelf = {
      list: async () => [{ ...ear, state: 'absent' }],
      ensure: (_name, { signal }) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    }
    const { context, code, server } = begin({ shelf })
    await until(() => context.out.includes('Bringing'))
    context.interrupt()
    expect(await code).toBe(1)
    expect(server.calls).toEqual([])
  })

  test('with a broken pipeline ends before anything is brought', async () => {
    await writeFile(join(folder, 'broken.yaml'), 'name: [')
    const { code, server } = begin()
    await expect(code).rejects.toMatchObject({ name: 'ConfigError' })
    expect(server.calls).toEqual([])
  })
})

describe('an end', () => {
  async function listening() {
    const all = begin()
    await until(() => all.context.out.includes('Ctrl+C'))
    return all
  }

  test('lets running turns end, then closes', async () => {
    const { context, code, server } = await listening()
    context.interrupt()
    await until(() => server.calls.includes('drain'))
    expect(server.calls).toEqual(['listen', 'drain'])
    server.finishTurns()
    expect(await code).toBe(0)
    expect(server.calls).toEqual(['listen', 'drain', 'close'])
    expect(context.watchers).toBe(0)
  })

  test('does not wait for ever', async () => {
    const { context, code, server, clock } = await listening()
    context.interrupt()
    await clock.advance(24_000)
    expect(server.calls).not.toContain('close')
    await clock.advance(2_000)
    expect(await code).toBe(0)
    expect(context.out).toContain('Time is up')
  })

  test('comes at once when asked twice', async () => {
    const { context, code, server, clock } = await listening()
    context.interrupt()
    await until(() => server.calls.includes('drain'))
    context.interrupt()
    expect(await code).toBe(0)
    expect(clock.now()).toBe(0)
  })
})
