/** Smart Turn's features by their properties, the model on human speech. Without the model: `npx parley models pull smart-turn-v3.2`. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { realClock } from '../../../src/clock.ts'
import { ensureModel } from '../../../src/provider/local/models/index.ts'
import { FEATURE_BANDS, FEATURE_FRAMES, features } from '../../../src/provider/local/smart-turn/features.ts'
import { complex, FRAME_SAMPLES, transform } from '../../../src/provider/local/smart-turn/fourier.ts'
import { createSmartTurn, type SmartTurn } from '../../../src/provider/local/smart-turn/index.ts'
import { join, noise, silence } from '../../listen/sound.ts'
import { speech } from '../../listen/speech.ts'

const row = (picture: Float32Array, band: number) =>
  picture.subarray(band * FEATURE_FRAMES, (band + 1) * FEATURE_FRAMES)

function tone(hz: number, ms: number): Int16Array {
  return Int16Array.from({ length: ms * 16 }, (_, i) => 8_000 * Math.sin((2 * Math.PI * hz * i) / 16_000))
}

describe('the features', () => {
  test('rest on a transform that agrees with its definition', () => {
    const data = complex()
    for (let i = 0; i < FRAME_SAMPLES; i++) {
      data.re[i] = Math.sin(i * i)
      data.im[i] = Math.cos(3 * i + i * i)
    }
    const given = { re: data.re.slice(), im: data.im.slice() }
    transform(data, complex())
    for (const k of [0, 1, 7, 25, 80, 199, 200, 201, 399]) {
      let [re, im] = [0, 0]
      for (let i = 0; i < FRAME_SAMPLES; i++) {
        const angle = (-2 * Math.PI * ((k * i) % FRAME_SAMPLES)) / FRAME_SAMPLES
        re += given.re[i]! * Math.cos(angle) - given.im[i]! * Math.sin(angle)
        im += given.re[i]! * Math.sin(angle) + given.im[i]! * Math.cos(angle)
      }
      expect(data.re[k]).toBeCloseTo(re, 9)
      expect(data.im[k]).toBeCloseTo(im, 9)
    }
  })

  test.each([
    [250, 6],
    [1_000, 26],
    [4_000, 62],
  ])('a tone of %i Hz lights one band, where Slaney’s scale has it', (hz, near) => {
    const picture = features(tone(hz, 8_000))
    const at = Array.from({ length: FEATURE_BANDS }, (_, band) => row(picture, band)[400]!)
    expect(Math.abs(at.indexOf(Math.max(...at)) - near)).toBeLessThanOrEqual(1)
  })

  test('stand at the end of the picture: what is shorter has silence before it, what is longer loses its beginning', () => {
    const picture = features(tone(1_000, 1_000))
    const loud = row(picture, 25)
    expect(loud[690]).toBeLessThan(loud[710]!)
    expect(new Set(loud.subarray(0, 690)).size).toBe(1)
    const long = features(join(noise(3_000, 9_000), tone(1_000, 8_000)))
    expect(long).toEqual(features(tone(1_000, 8_000)))
  })

  test('do not care how loud the caller is', () => {
    const [loud, soft] = [speech('amiable'), speech('amiable').map((sample) => sample / 4)]
    const [a, b] = [features(loud), features(soft)]
    let most = 0
    for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i]! - b[i]!))
    // Rounding to whole steps is all that differs.
    expect(most).toBeLessThan(0.3)
  })

  test('span no more than eight decades, and of silence they are finite', () => {
    const picture = features(speech('amiable'))
    expect(Math.max(...picture) - Math.min(...picture)).toBeLessThanOrEqual(2.001)
    expect(features(silence(500)).every(Number.isFinite)).toBe(true)
    expect(features(new Int16Array(0)).every(Number.isFinite)).toBe(true)
  })
})

const found = await ensureModel('smart-turn-v3.2', { bring: 'never' }).catch((error: Error) => error.message)
if (typeof found === 'string') console.log(`skipped: ${found} npx parley models pull smart-turn-v3.2`)

describe.skipIf(typeof found === 'string')('the model', () => {
  let turn: SmartTurn
  beforeAll(async () => {
    const model = typeof found === 'string' ? '' : found.files['model']!
    turn = await createSmartTurn({ clock: realClock, note: () => {}, model })
  })
  afterAll(() => turn?.close())
  const judge = async (samples: Int16Array) => (await turn.judge({ samples, words: null }))?.probability

  test('takes what people said to its end for finished', async () => {
    for (const name of ['ten-of-clubs', 'seven-of-clubs'] as const) {
      expect(await judge(join(speech(name), silence(200)))).toBeGreaterThan(0.9)
    }
  })

  test('takes a sentence that breaks off for unfinished, and less so its end', async () => {
    const end = await judge(join(speech('amiable'), silence(200)))
    for (const ms of [1_150, 1_700]) {
      const broken = await judge(join(speech('amiable').slice(0, ms * 16), silence(200)))
      expect(broken).toBeLessThan(0.15)
      expect(end).toBeGreaterThan(2 * broken!)
    }
  })

  test('answers many at once in their order, and refuses what it could not answer in time', async () => {
    const before = turn.unanswered
    const answers = await Promise.all(Array.from({ length: 20 }, () => judge(speech('ten-of-clubs'))))
    const given = answers.filter((answer) => answer !== undefined)
    expect(given.length).toBe(9)
    expect(new Set(given).size).toBe(1)
    expect(turn.unanswered - before).toBe(11)
  })

  test('closed, it says nothing and holds nobody', async () => {
    const model = typeof found === 'string' ? '' : found.files['model']!
    const other = await createSmartTurn({ clock: realClock, note: () => {}, model })
    const asked = [1, 2, 3].map(() => other.judge({ samples: speech('amiable'), words: null }))
    await other.close()
    expect(await Promise.all(asked)).toEqual([undefined, undefined, undefined])
    expect(await other.judge({ samples: new Int16Array(1), words: null })).toBeUndefined()
  })
})
