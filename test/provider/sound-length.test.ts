/** What is taken for a sentence that was cut off: nothing that a real voice says whole, and most of what is half. */
import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { bytesToMs, PCM16_16K } from '../../src/audio/format.ts'
import { openScope } from '../../src/cancel.ts'
import { realClock } from '../../src/clock.ts'
import { createFlite } from '../../src/provider/local/flite/index.ts'
import { SoundLengths } from '../../src/provider/sound-length.ts'
import { spokenText } from '../../src/provider/spoken-letters.ts'

const VOICE = { model: 'm', voice: 'v', language: 'en', speed: 1 }
const PAGES = ['failover', 'telephony', 'deploy', 'realtime'].map((page) => `../../docs/${page}.md`)
const ODD = [
  'It costs 12,345 dollars, or 1,234,567.89 in all, by the 3rd of May 2026.',
  'Wait... what... was... that... you... said... just... now?',
  'The NATO and the UN, e.g. in the U.S., approx. 5 p.m., Dr. Smith, Mr. Jones.',
  'Hmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm, aaaaaaaaaaaaaaaaaaaah, yes.',
  'See https://example.com/a/very/long/address/that/nobody/wants/to/hear.html, please.',
  'Well, no, I, er, do not, um, know, sir, so, ah, let us, hm, see, now, then.',
  'A, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y and z.',
  '************************************************************************',
  'Strengths, scrunched, stretched, straightforward, thoughtlessness, breakthroughs.',
  'Banana, oregano, Alabama, Minnesota, Panama, Honolulu, Okinawa, Ouagadougou.',
  'Yes. No. Yes. No. Yes. No. Yes. No. Yes. No. Yes. No. Yes. No.',
]

/** Orders that are the same in every run. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

let spoken: { readonly text: string; readonly ms: number }[]
beforeAll(async () => {
  const flite = await createFlite({ clock: realClock, note: () => {}, threads: 1 })
  spoken = []
  for (const text of [...PAGES.flatMap(sentencesOf), ...ODD]) {
    const stream = await flite.open({
      voice: 'kal',
      format: PCM16_16K,
      signal: openScope().signal,
      clock: realClock,
    })
    stream.say({ index: 0, text })
    stream.end()
    let bytes = 0
    for await (const event of stream) if (event.type === 'audio') bytes += event.audio.length
    spoken.push({ text, ms: bytesToMs(PCM16_16K, bytes) })
  }
  await flite.close()
}, 60_000)

/** Prose, with the names of settings and the signs that stand in it. */
function sentencesOf(page: string): string[] {
  const text = readFileSync(new URL(page, import.meta.url), 'utf8').replaceAll(/^[|#].*$/gm, '')
  return text
    .split(/(?<=[.:;])\s+|\n\n/)
    .map((sentence) => sentence.replaceAll(/\s+/g, ' ').trim())
    .filter(({ length }) => length > 1 && length < 240)
    .slice(0, 50)
}

function shuffled<T>(all: readonly T[], random: () => number): T[] {
  return all
    .map((one) => ({ one, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ one }) => one)
}

function refused(lengths: SoundLengths, text: string, ms: number, voice = VOICE): boolean {
  try {
    lengths.judge(voice)(text, ms)
    return false
  } catch {
    return true
  }
}

describe('a sound that may be too short', () => {
  test('what a real voice says whole is never refused, in whatever order it comes', () => {
    const random = seeded(7)
    const wrong = new Set<string>()
    for (let order = 0; order < 300; order++) {
      const lengths = new SoundLengths()
      // Some voices are silent before and after, and not for as long each time.
      const silentMs = order % 2 === 0 ? 0 : 800
      for (const { text, ms } of shuffled(spoken, random)) {
        if (refused(lengths, text, ms + random() * silentMs)) wrong.add(text)
      }
    }
    expect([...wrong]).toEqual([])
  })

  test('a third of a sentence is found in most of what can be judged, once the voice is known', () => {
    const plain = spoken.filter(({ text }) => spokenText(text).plain && spokenText(text).letters >= 20)
    const found = plain.filter(({ text, ms }) => {
      const lengths = new SoundLengths()
      for (const one of spoken) refused(lengths, one.text, one.ms)
      return refused(lengths, text, ms / 3)
    })
    expect(found.length / plain.length).toBeGreaterThan(0.9)
  })

  test('of a voice that nobody heard, only what no mouth can say is refused', () => {
    const text = 'The quick brown fox jumps over the lazy dog.'
    expect(refused(new SoundLengths(), text, 900)).toBe(false)
    expect(refused(new SoundLengths(), text, 800)).toBe(true)
    expect(refused(new SoundLengths(), text, 300, { ...VOICE, speed: 3 })).toBe(false)
    // 24 syllables, at 16 a second and more.
    const chinese = '今天下午三点钟我们在火车站门口见面然后一起去吃饭'
    expect(refused(new SoundLengths(), chinese, 1_600)).toBe(false)
    expect(refused(new SoundLengths(), chinese, 1_300)).toBe(true)
  })

  test('texts that tell little of their length are not judged', () => {
    for (const text of [
      'Yes.',
      '...',
      '12,345,678,901,234',
      '(all of this is perhaps left unsaid by a voice)',
      '😀😀😀😀😀😀😀😀😀😀😀😀',
    ]) {
      expect(refused(new SoundLengths(), text, 50)).toBe(false)
    }
  })

  test('a voice that does it always is believed after the second, and known by the next', () => {
    const lengths = new SoundLengths()
    const text = 'A sentence of which everybody knows how long it takes.'
    for (let i = 0; i < 3; i++) expect(refused(lengths, text, 3_000)).toBe(false)
    expect([1, 2, 3, 4, 5].map(() => refused(lengths, text, 1_200))).toEqual([
      true,
      true,
      false,
      false,
      false,
    ])
  })

  test('memory is bounded: of more voices than are kept, the one unused for longest is forgotten', () => {
    const lengths = new SoundLengths()
    const text = 'A sentence of which everybody knows how long it takes.'
    const of = (n: number) => ({ ...VOICE, voice: `v${n}` })
    for (const n of [0, 1]) for (let i = 0; i < 3; i++) refused(lengths, text, 3_000, of(n))
    for (let n = 2; n < 257; n++) {
      refused(lengths, text, 3_000, of(1))
      refused(lengths, text, 3_000, of(n))
    }
    expect(refused(lengths, text, 1_200, of(1))).toBe(true)
    expect(refused(lengths, text, 1_200, of(0))).toBe(false)
  })
})
