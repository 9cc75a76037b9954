/** Speech with a pause put into it: a sentence is cut where it is quiet and the parts are moved apart. 16 kHz. */
import { readFileSync } from 'node:fs'

export interface Sound {
  /** With a second of room in front and `tailMs` behind. */
  readonly samples: Int16Array
  /** Where the pause begins and ends, and where all speech ends, in ms. */
  readonly pauseMs: number
  readonly resumeMs: number
  readonly endMs: number
}

/** Recordings of `fixtures/speech`: first sound, end of the last voiced one, places between words, in ms, read off their envelopes. */
export const HUMAN = [
  { name: 'ten-of-clubs', fromMs: 175, toMs: 940, splits: [520] },
  { name: 'seven-of-clubs', fromMs: 100, toMs: 1_220, splits: [640] },
  { name: 'amiable', fromMs: 240, toMs: 2_870, splits: [700, 1_150, 1_700, 2_300] },
] as const

const RATE = 16
const BLOCK = 10 * RATE
/** How far around a named place the quietest moment is looked for. */
const NEAR_MS = 120
const LEAD_MS = 1_000
/** Cuts fade, so that no click is heard. */
const FADE = 8 * RATE
const ROOM_PEAK = 20

export function human(name: (typeof HUMAN)[number]['name']): Int16Array {
  const wav = readFileSync(new URL(`../../fixtures/speech/${name}.wav`, import.meta.url))
  return new Int16Array(wav.buffer.slice(wav.byteOffset + 44, wav.byteOffset + wav.length))
}

export interface Splice {
  readonly pauseMs: number
  readonly tailMs: number
  readonly at: number | 'longest gap'
  /** Where its speech begins and ends, in ms; left out: where it is loud. */
  readonly within?: readonly [number, number]
}

/** `at`: ms into `speech`, or the longest gap within it. The pause is `pauseMs` long in all. */
export function spliced(speech: Int16Array, { pauseMs, tailMs, at, within }: Splice): Sound {
  const loud = loudness(speech)
  const quiet = 0.02 * Math.max(...loud)
  const first = within ? within[0] * RATE : loud.findIndex((rms) => rms > quiet) * BLOCK
  const last = within ? within[1] * RATE : (loud.findLastIndex((rms) => rms > quiet) + 1) * BLOCK
  const [from, to] = at === 'longest gap' ? longestGap(loud, quiet) : quietest(loud, at)
  const parts = [
    new Int16Array(LEAD_MS * RATE),
    faded(speech.slice(first, from)),
    new Int16Array(pauseMs * RATE),
    faded(speech.slice(to, last)),
    new Int16Array(tailMs * RATE),
  ]
  const starts: number[] = []
  const samples = new Int16Array(parts.reduce((sum, part) => sum + part.length, 0))
  let position = 0
  for (const part of parts) {
    starts.push(position)
    samples.set(part, position)
    position += part.length
  }
  let seed = 1
  for (let i = 0; i < samples.length; i++) {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) | 0
    samples[i] = samples[i]! + (seed / 2 ** 31) * ROOM_PEAK
  }
  const [, , pause, resume, end] = starts.map((start) => start / RATE)
  return { samples, pauseMs: pause!, resumeMs: resume!, endMs: end! }
}

function loudness(samples: Int16Array): number[] {
  return Array.from({ length: Math.floor(samples.length / BLOCK) }, (_, block) => {
    let energy = 0
    for (const sample of samples.subarray(block * BLOCK, (block + 1) * BLOCK)) energy += sample * sample
    return Math.sqrt(energy / BLOCK)
  })
}

function longestGap(loud: readonly number[], quiet: number): [number, number] {
  const first = loud.findIndex((rms) => rms > quiet)
  const last = loud.findLastIndex((rms) => rms > quiet)
  let best: [number, number] = [first, first]
  for (let from = first; from < last; from++) {
    let to = from
    while (loud[to]! <= quiet) to++
    if (to - from > best[1] - best[0]) best = [from, to]
    from = Math.max(from, to - 1)
  }
  return [best[0] * BLOCK, best[1] * BLOCK]
}

function quietest(loud: readonly number[], atMs: number): [number, number] {
  const near = loud
    .map((rms, block) => ({ rms, block }))
    .filter(({ block }) => Math.abs(block * 10 - atMs) <= NEAR_MS)
  const cut = near.reduce((least, one) => (one.rms < least.rms ? one : least)).block * BLOCK
  return [cut, cut]
}

function faded(samples: Int16Array): Int16Array {
  const fade = Math.min(FADE, samples.length >> 1)
  for (let i = 0; i < fade; i++) {
    samples[i] = (samples[i]! * i) / fade
    const back = samples.length - 1 - i
    samples[back] = (samples[back]! * i) / fade
  }
  return samples
}
