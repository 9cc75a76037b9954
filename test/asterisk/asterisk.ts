/** An Asterisk of its own for a test file, in its root folder: calls by a Local channel, and what the caller heard. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { describe } from 'vitest'
import wavefile from 'wavefile'
import { type Connections, configuration, type DialplanCall, dialplan } from './configuration.ts'
import { ASTERISK_ROOT, missing } from './install.ts'

const run = promisify(execFile)

/** PCM16 at 8 kHz, both on one scale of time; while neither says anything, time stands still. */
export interface Recording {
  readonly heard: Buffer
  readonly said: Buffer
}

export interface Asterisk {
  /** Writes PCM16 at 8 kHz where `Playback` finds it; returns the step. */
  playback(name: string, pcm8k: Uint8Array): string
  /** Calls, and gives the recording once the caller has hung up. */
  call(call: DialplanCall): Promise<Recording>
  /** What it warned of. */
  readonly warnings: readonly string[]
  stop(): Promise<void>
}

/** Skipped, saying why, where there is no Asterisk. */
export function describeAsterisk(name: string, tests: () => void): void {
  const why = process.env['PARLEY_TEST_ASTERISK'] === undefined ? 'npm run test:asterisk runs it' : missing()
  if (why === null) return void describe(name, tests)
  console.info(`skipped: ${name}: ${why}`)
  describe.skip(`${name}: ${why}`, tests)
}

export async function startAsterisk(connections: Connections): Promise<Asterisk> {
  mkdirSync(join(ASTERISK_ROOT, 'srv'), { recursive: true })
  const outside = mkdtempSync(join(ASTERISK_ROOT, 'srv', 'parley-'))
  const inside = outside.slice(ASTERISK_ROOT.length)
  for (const name of ['etc', 'lib', 'lib/keys', 'spool', 'run', 'log', 'sounds', 'done'])
    mkdirSync(join(outside, name))
  for (const [name, text] of Object.entries(configuration(inside, connections)))
    writeFileSync(join(outside, 'etc', name), text)
  const etc = `${inside}/etc/asterisk.conf`
  const child = spawn('chroot', [ASTERISK_ROOT, '/usr/sbin/asterisk', '-f', '-C', etc], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
  })
  const warnings: string[] = []
  await ready(child, warnings)
  const tell = (command: string) =>
    run('chroot', [ASTERISK_ROOT, '/usr/sbin/asterisk', '-C', etc, '-rx', command])
  let calls = 0
  return {
    warnings,
    playback(name, pcm8k) {
      const wav = new wavefile.WaveFile()
      wav.fromScratch(1, 8000, '16', new Int16Array(Uint8Array.from(pcm8k).buffer))
      writeFileSync(join(outside, 'sounds', `${name}.wav`), wav.toBuffer())
      return `Playback(${inside}/sounds/${name})`
    },
    async call(call) {
      const id = `call${++calls}`
      appendFileSync(join(outside, 'etc/extensions.conf'), dialplan(id, inside, call))
      await tell('dialplan reload')
      const done = appears(join(outside, 'done'), id)
      await tell(`channel originate Local/s@caller-${id}/n extension s@far-${id}`)
      await done
      const samples = (name: string) => samplesOf(readFileSync(join(outside, `${id}-${name}.wav`)))
      return { heard: samples('heard'), said: samples('said') }
    },
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM')
        await once(child, 'exit')
      }
      rmSync(outside, { recursive: true, force: true })
    },
  }
}

/** Resolves when it says so; what it prints later is a warning. */
async function ready(child: ChildProcess, warnings: string[]): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout!, child.stderr!])
      createInterface(stream).on('line', (line) => {
        if (line.includes('Asterisk Ready')) resolve()
        else warnings.push(line)
      })
    child.once('error', reject)
    child.once('exit', () => reject(new Error(`Asterisk ended:\n${warnings.join('\n')}`)))
  })
  warnings.length = 0
}

function appears(folder: string, name: string): Promise<void> {
  return new Promise((resolve) => {
    const watcher = watch(folder, (_, file) => {
      if (file !== name) return
      watcher.close()
      resolve()
    })
  })
}

function samplesOf(file: Buffer): Buffer {
  const wav = new wavefile.WaveFile(file)
  const samples = wav.getSamples(false, Int16Array) as unknown as Int16Array
  return Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength)
}
