import { expect, test } from 'vitest'
import { listModels, pullModels } from '../../src/command/models.ts'
import type { ModelShelf, ShelfModel } from '../../src/command/shelf.ts'
import { MemoryContext } from './memory-context.ts'

function model(name: string, state: ShelfModel['state'], bytes: number): ShelfModel {
  return {
    name,
    state,
    bytes,
    title: name.toUpperCase(),
    licence: 'MIT',
    purpose: 'listens',
    folder: `models/${name}`,
  }
}

const models = [model('ear', 'present', 2_300_000), model('mouth', 'absent', 98_400_000)]

function shelf(ensure: ModelShelf['ensure'] = async () => {}): ModelShelf {
  return { list: async () => models, ensure }
}

test('list tells what is here, what is not, and how to bring it', async () => {
  const context = new MemoryContext()
  expect(await listModels(shelf(), context)).toBe(0)
  expect(context.out).toContain('✓ ear       2.3 MB  listens')
  expect(context.out).toContain('· mouth    98.4 MB  listens')
  expect(context.out).toContain('1 of 2 are here. Bring the rest: parley models pull')
})

test('pull shows a log the beginning, the quarters and the end, not every byte', async () => {
  const context = new MemoryContext()
  const bring: ModelShelf['ensure'] = async (_name, { onProgress }) => {
    for (let n = 0; n <= 100; n++) onProgress({ phase: 'download', bytes: n * 1e6, totalBytes: 100e6 })
  }
  expect(await pullModels(['mouth'], shelf(bring), context)).toBe(0)
  expect(context.out.trim().split('\n')).toEqual([
    'mouth: download, 100.0 MB',
    '  mouth: download, 25 %',
    '  mouth: download, 50 %',
    '  mouth: download, 75 %',
    '  ✓ mouth  MOUTH, MIT: listens',
  ])
})

test('one that cannot be had is told with its reason, the others come all the same, and the end is 1', async () => {
  const context = new MemoryContext()
  const asked: string[] = []
  const bring: ModelShelf['ensure'] = async (name) => {
    asked.push(name)
    if (name === 'ear') throw new Error('the registry cannot be reached.')
  }
  expect(await pullModels([], shelf(bring), context)).toBe(1)
  expect(asked).toEqual(['ear', 'mouth'])
  expect(context.out).toContain('✕ ear: the registry cannot be reached.')
  expect(context.out).toContain('✓ mouth')
})

test('a name that is none is refused with those there are', async () => {
  await expect(pullModels(['nose'], shelf(), new MemoryContext())).rejects.toMatchObject({
    message: 'There is no model named nose.',
    hint: 'There are ear, mouth',
  })
})

test('an interruption ends the pull, says that it can go on, and watches signals no longer', async () => {
  const context = new MemoryContext()
  const bring: ModelShelf['ensure'] = (_name, { signal }) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason))
      context.interrupt()
    })
  await expect(pullModels([], shelf(bring), context)).rejects.toThrow('Interrupted')
  expect(context.watchers).toBe(0)
})
