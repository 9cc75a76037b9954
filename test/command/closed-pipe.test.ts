import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ROOT } from '../architecture/sources.ts'

test('a reader that closes the pipe early is no failure', async () => {
  const program = `
    import { main } from ${JSON.stringify(join(ROOT, 'src/main.ts'))}
    process.stdin.once('data', () => main(['node', 'parley', 'check', '--schema']))
    process.stdin.resume()
    console.log('ready')`
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
    cwd: ROOT,
  })
  let complaints = ''
  child.stderr.on('data', (text: Buffer) => {
    complaints += text
  })
  await once(child.stdout, 'data')
  child.stdout.destroy()
  await once(child.stdout, 'close')
  child.stdin.write('go')
  const [code] = await once(child, 'close')
  expect(complaints).toBe('')
  expect(code).toBe(0)
})
