import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Channel } from '../../src/channel.ts'
import { realClock, VirtualClock } from '../../src/clock.ts'
import { RELOAD_QUIET_MS } from '../../src/config/defaults.ts'
import { type Reload, type WatchFolder, watchPipelines } from '../../src/config/watch.ts'

function folder(text: string): { dir: string; file: string } {
  const dir = mkdtempSync(join(tmpdir(), 'parley-watch-'))
  const file = join(dir, 'a.yaml')
  writeFileSync(file, text)
  return { dir, file }
}

/** A watched folder whose events the test sends by hand. */
function byHand() {
  const wires: { event: () => void; error: () => void; closed: number } = {
    event: () => {},
    error: () => {},
    closed: 0,
  }
  const watch: WatchFolder = (_dir, event, error) => {
    wires.event = event
    wires.error = error
    return { close: () => void wires.closed++ }
  }
  return { wires, watch }
}

describe('reload, on the virtual clock', () => {
  test('many events of one save are one reload, after the quiet', async () => {
    const { dir, file } = folder('name: a')
    const clock = new VirtualClock()
    const { wires, watch } = byHand()
    const seen: Reload[] = []
    watchPipelines(dir, clock, (reload) => seen.push(reload), watch)
    writeFileSync(file, 'name: b')
    wires.event()
    await clock.advance(RELOAD_QUIET_MS - 1)
    wires.event()
    await clock.advance(RELOAD_QUIET_MS - 1)
    expect(seen).toEqual([])
    await clock.advance(1)
    expect(seen).toMatchObject([{ type: 'loaded', set: { names: ['b'] } }])
  })

  test('a broken file is refused with its place; mended, it loads', async () => {
    const { dir, file } = folder('name: a')
    const clock = new VirtualClock()
    const { wires, watch } = byHand()
    const seen: Reload[] = []
    watchPipelines(dir, clock, (reload) => seen.push(reload), watch)
    for (const text of ['name: a\nvoise: x', 'name: a\nvoice: x']) {
      writeFileSync(file, text)
      wires.event()
      await clock.advance(RELOAD_QUIET_MS)
    }
    expect(seen).toMatchObject([
      { type: 'refused', problems: [{ file, line: 2, column: 1 }] },
      { type: 'loaded', set: { default: { voice: 'x' } } },
    ])
  })

  test('a touch without a change is no reload; nothing comes after close, and no timer stays', async () => {
    const { dir, file } = folder('name: a')
    const clock = new VirtualClock()
    const { wires, watch } = byHand()
    const seen: Reload[] = []
    const watching = watchPipelines(dir, clock, (reload) => seen.push(reload), watch)
    wires.event()
    await clock.advance(RELOAD_QUIET_MS)
    writeFileSync(file, 'name: c')
    wires.event()
    watching.close()
    wires.event()
    await clock.advance(10 * RELOAD_QUIET_MS)
    expect(seen).toEqual([])
    expect(wires.closed).toBe(1)
    expect(clock.pendingTimers).toBe(0)
  })

  test('a folder that cannot be watched, now or later, is said and no crash', () => {
    const { dir } = folder('name: a')
    const seen: Reload[] = []
    watchPipelines(
      dir,
      new VirtualClock(),
      (reload) => seen.push(reload),
      () => {
        throw new Error('ENOSPC')
      },
    )
    const { wires, watch } = byHand()
    watchPipelines(dir, new VirtualClock(), (reload) => seen.push(reload), watch)
    wires.error()
    expect(seen).toMatchObject([{ type: 'refused' }, { type: 'refused' }])
  })
})

test('a real folder: written in place, and replaced by rename as editors do', async () => {
  const { dir, file } = folder('name: a')
  const seen = new Channel<Reload>()
  const watching = watchPipelines(dir, realClock, (reload) => seen.push(reload))
  writeFileSync(file, 'name: b')
  expect((await seen.next()).value).toMatchObject({ type: 'loaded', set: { names: ['b'] } })
  writeFileSync(join(dir, '.a.swp'), 'name: c')
  renameSync(join(dir, '.a.swp'), file)
  expect((await seen.next()).value).toMatchObject({ type: 'loaded', set: { names: ['c'] } })
  rmSync(file)
  expect((await seen.next()).value).toMatchObject({ type: 'refused' })
  watching.close()
})
