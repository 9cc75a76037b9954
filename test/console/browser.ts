/** A real Chromium with a WAV file for a microphone; tests that need one are skipped where none is installed. */
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BrowserContext, chromium } from 'playwright-core'

const CANDIDATES = [
  process.env['CHROMIUM'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
]

export const chromiumPath = CANDIDATES.find((path) => path !== undefined && existsSync(path))

export const SKIPPED = 'skipped: chromium is not installed (apt-get install chromium)'

export interface Voice {
  readonly silentMs?: number
  readonly toneMs?: number
  /** 48 kHz, after the silence. */
  readonly clip?: Int16Array
}

export const MIC_TONE_HZ = 500
const MIC_RATE_HZ = 48_000

export interface TestBrowser {
  readonly context: BrowserContext
  close(): Promise<void>
}

/** @param spoken what the microphone hears from the moment it is opened; the file then begins again. */
export async function openBrowser(
  spoken: readonly Voice[],
  options: Parameters<typeof chromium.launchPersistentContext>[1] = {},
): Promise<TestBrowser> {
  const folder = await mkdtemp(join(tmpdir(), 'parley-console-'))
  const wav = join(folder, 'microphone.wav')
  await writeFile(wav, wavOf(spoken))
  const context = await chromium.launchPersistentContext(join(folder, 'profile'), {
    ...(chromiumPath === undefined ? {} : { executablePath: chromiumPath }),
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--use-fake-ui-for-media-stream',
      '--use-fake-device-for-media-stream',
      `--use-file-for-fake-audio-capture=${wav}`,
      '--autoplay-policy=no-user-gesture-required',
    ],
    ...options,
  })
  return {
    context,
    async close() {
      await context.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function wavOf(spoken: readonly Voice[]): Buffer {
  const lengths = spoken.map(
    ({ silentMs = 0, toneMs = 0, clip }) => ((silentMs + toneMs) * MIC_RATE_HZ) / 1000 + (clip?.length ?? 0),
  )
  const samples = new Int16Array(lengths.reduce((sum, length) => sum + length, 0))
  let at = 0
  for (const { silentMs = 0, toneMs = 0, clip } of spoken) {
    at += (silentMs * MIC_RATE_HZ) / 1000
    if (clip) {
      samples.set(clip, at)
      at += clip.length
    }
    for (const end = at + (toneMs * MIC_RATE_HZ) / 1000; at < end; at++)
      samples[at] = 9000 * Math.sin((2 * Math.PI * MIC_TONE_HZ * at) / MIC_RATE_HZ)
  }
  const header = Buffer.alloc(44)
  header.write('RIFF', 0)
  header.writeUInt32LE(36 + samples.byteLength, 4)
  header.write('WAVEfmt ', 8)
  header.writeUInt32LE(16, 16)
  header.writeUInt16LE(1, 20)
  header.writeUInt16LE(1, 22)
  header.writeUInt32LE(MIC_RATE_HZ, 24)
  header.writeUInt32LE(MIC_RATE_HZ * 2, 28)
  header.writeUInt16LE(2, 32)
  header.writeUInt16LE(16, 34)
  header.write('data', 36)
  header.writeUInt32LE(samples.byteLength, 40)
  return Buffer.concat([header, Buffer.from(samples.buffer)])
}
