import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { makePaint, processTerminal } from '../../src/command/terminal.ts'
import { run } from '../../src/main.ts'
import { MemoryContext } from './memory-context.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-check-'))
})
afterEach(() => rm(folder, { recursive: true }))

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, text)
  return path
}

describe('help', () => {
  test('names the commands there are', async () => {
    const context = new MemoryContext()
    expect(await run(['--help'], context)).toBe(0)
    for (const command of ['serve', 'talk', 'check', 'explain', 'replay', 'models'])
      expect(context.out).toContain(`\n  ${command} `)
  })

  test.each(['serve', 'talk', 'check', 'explain', 'replay', 'models'])(
    '%s shows an example of itself',
    async (command) => {
      const context = new MemoryContext()
      expect(await run([command, '--help'], context)).toBe(0)
      expect(context.out).toContain(`$ parley ${command}`)
    },
  )

  test('no command at all shows the help', async () => {
    const context = new MemoryContext()
    expect(await run([], context)).toBe(0)
    expect(context.out).toContain('Usage: parley')
  })
})

describe('a command line that is not understood ends with 2', () => {
  test.each([
    [['sevre']],
    [['talk']],
    [['serve', '--port', 'many']],
    [['serve', '--port', '70000']],
    [['check', '--fast']],
  ])('%j', async (args) => {
    const context = new MemoryContext()
    expect(await run(args, context)).toBe(2)
    expect(context.err).toContain('error:')
  })

  test('and a near miss is guessed', async () => {
    const context = new MemoryContext()
    await run(['sevre'], context)
    expect(context.err).toContain('Did you mean serve?')
  })
})

describe('check', () => {
  test('tells each problem with its place and ends with 1', async () => {
    const path = await file('broken.yaml', 'name: broken\nbudget:\n  turnMs: soon\n')
    const context = new MemoryContext()
    expect(await run(['check', path], context)).toBe(1)
    expect(context.out).toMatch(new RegExp(`^${path.replaceAll('.', '\\.')}:3:\\d+: .*turnMs`, 'm'))
  })

  test('is content with a good pipeline', async () => {
    const context = new MemoryContext()
    expect(await run(['check', await file('good.yaml', 'name: good\n')], context)).toBe(0)
    expect(context.out).toContain('Good:')
  })

  test('reads settings as settings, and names the variable that is missing', async () => {
    const path = await file('parley.yaml', `keys:\n  - { id: me, secret: "\${NOT_SET_HERE}" }\n`)
    const context = new MemoryContext()
    expect(await run(['check', path], context)).toBe(1)
    expect(context.out).toMatch(/parley\.yaml:2:\d+: .*NOT_SET_HERE/)
  })

  test('names the provider that was meant, and knows those that need no type', async () => {
    const path = await file('parley.yaml', 'providers: { gorq: { apiKey: x }, mistral: {}, grok: {} }\n')
    const context = new MemoryContext()
    expect(await run(['check', path], context)).toBe(0)
    expect(context.out).toContain(
      '1:14: warning: providers.gorq: no adapter of the type gorq; did you mean groq?',
    )
    expect(context.out).not.toMatch(/mistral|grok/)
  })

  test('a file that is not there', async () => {
    const context = new MemoryContext()
    expect(await run(['check', join(folder, 'none.yaml')], context)).toBe(1)
    expect(context.out).toContain('none.yaml:1:1:')
  })

  test('the pipelines that come with Parley are good', async () => {
    const context = new MemoryContext()
    expect(await run(['check', '--pipelines', 'pipelines'], context)).toBe(0)
  })

  test('--schema prints a JSON Schema', async () => {
    const context = new MemoryContext()
    expect(await run(['check', '--schema'], context)).toBe(0)
    expect(JSON.parse(context.out)).toMatchObject({ type: 'object', properties: { name: expect.anything() } })
  })
})

describe('colours', () => {
  const output = (isTTY: boolean) => ({ isTTY, columns: 80, write: () => {} })

  test('only where a person looks on and does not object', () => {
    const red = (isTTY: boolean, env: NodeJS.ProcessEnv) =>
      processTerminal(output(isTTY), output(isTTY), env).paint.red('x')
    expect(red(true, {})).toBe('\u001b[31mx\u001b[39m')
    expect(red(false, {})).toBe('x')
    expect(red(true, { NO_COLOR: '1' })).toBe('x')
    expect(red(true, { TERM: 'dumb' })).toBe('x')
  })

  test('an inner colour ends where it ends', () => {
    const { bold, cyan } = makePaint('coloured')
    expect(bold(cyan('x'))).toBe('\u001b[1m\u001b[36mx\u001b[39m\u001b[22m')
  })
})
