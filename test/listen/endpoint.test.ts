import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type EndpointOptions, endpointOptions, softSilenceFor } from '../../src/listen/detection.ts'
import { Endpointer, type SpeechWindow } from '../../src/listen/endpoint.ts'
import type { EarEvent } from '../../src/listen/events.ts'

const WINDOW_MS = 32
const DETECTION = { threshold: 0.5, prefixPaddingMs: 300, silenceDurationMs: 500 }
const OPTIONS = endpointOptions(DETECTION, 200)
/** How far behind its audio a window's last sample arrives in these stories. */
const NETWORK_MS = 1000

/** `'.'` silence, `'#'` speech, `'~'` between the two thresholds; one character a window. */
function windows(score: string, fromMs = 0): SpeechWindow[] {
  return Array.from(score.replaceAll(' ', ''), (mark, i) => {
    const startMs = fromMs + i * WINDOW_MS
    const endMs = startMs + WINDOW_MS
    const probability = { '.': 0.02, '#': 0.9, '~': 0.4 }[mark] ?? Number.NaN
    return { startMs, endMs, probability, startAt: startMs + NETWORK_MS, at: endMs + NETWORK_MS }
  })
}

function hear(score: string, options: Partial<EndpointOptions> = {}): EarEvent[] {
  const endpointer = new Endpointer({ ...OPTIONS, ...options })
  return windows(score).flatMap((window) => endpointer.push(window))
}

const kinds = (events: readonly EarEvent[]) => events.map((e) => e.type.replace('speech', '').toLowerCase())
const at = (windowsHeard: number) => windowsHeard * WINDOW_MS

const SILENCE_20 = '....................'

describe('an utterance', () => {
  test('starts after 96 ms of speech, is confirmed at 200, pauses at 200 of silence and ends at 500', () => {
    const events = hear(`${SILENCE_20} ########## ${SILENCE_20}`)
    expect(events).toEqual([
      { type: 'speechStarted', startMs: at(20) - 300, at: at(23) + NETWORK_MS },
      { type: 'speechConfirmed', at: at(27) + NETWORK_MS },
      // The model holds on to speech for one window: it is over where its last voiced window begins.
      { type: 'speechPaused', endMs: at(29), endAt: at(29) + NETWORK_MS, at: at(36) + NETWORK_MS },
      {
        type: 'speechEnded',
        endMs: at(29),
        endAt: at(29) + NETWORK_MS,
        audioEndMs: at(45),
        at: at(45) + NETWORK_MS,
        endedBy: 'silence',
      },
    ])
  })

  test('never begins before the audio does', () => {
    expect(hear('###')[0]).toMatchObject({ type: 'speechStarted', startMs: 0 })
  })

  test('does not begin before the speech of the one before it ended', () => {
    const starts = hear(`${SILENCE_20} ##### ${'.'.repeat(7)} #####`, {
      silenceDurationMs: 224,
      softSilenceMs: 100,
      prefixPaddingMs: 1000,
    }).filter((e) => e.type === 'speechStarted')
    expect(starts.map((e) => e.startMs)).toEqual([0, at(24)])
  })

  test.each([
    ['a click of one window', '..#................'],
    ['a knock of two windows', '..##...............'],
    ['clicks far apart', '..#...#...#...#....'],
    ['probabilities that never reach the threshold', '..~~~~~~~~~~~~~~~~~'],
  ])('is not begun by %s', (_name, score) => {
    expect(hear(score)).toEqual([])
  })

  test('begins in spite of one weak window in its first word', () => {
    expect(hear('..##.#').map((e) => e.type)).toEqual(['speechStarted'])
  })

  test('is left at a lower probability than it is entered', () => {
    const events = hear(`###${'~'.repeat(40)}${SILENCE_20}`)
    expect(kinds(events)).toEqual(['started', 'confirmed', 'paused', 'ended'])
    expect(events.at(-1)).toMatchObject({ endMs: at(42) })
    expect(kinds(hear(`###....~~~~~~~~~~~~~~~~~~`))).toEqual(['started', 'paused', 'ended'])
  })

  test('too short for an interruption ends without being confirmed', () => {
    expect(kinds(hear(`####${SILENCE_20}`))).toEqual(['started', 'paused', 'ended'])
  })

  test('is confirmed with its start when the start is enough', () => {
    expect(kinds(hear('###', { confirmMs: 0 }))).toEqual(['started', 'confirmed'])
  })

  test('longer than the bound is cut, and the next one takes up where it was cut', () => {
    const events = hear('#'.repeat(40), { maxUtteranceMs: 640, prefixPaddingMs: 300 })
    expect(kinds(events)).toEqual(['started', 'confirmed', 'ended', 'started', 'confirmed', 'ended'])
    const ended = events.find((e) => e.type === 'speechEnded')
    expect(events.findLast((e) => e.type === 'speechStarted')).toMatchObject({ startMs: ended?.endMs })
  })
})

describe('a caller who pauses', () => {
  const pause = (windowsLong: number) => '.'.repeat(windowsLong)

  test('for 300 ms within a window of 500 stays in one turn', () => {
    const events = hear(`######### ${pause(10)} ######### ${pause(20)}`)
    expect(kinds(events)).toEqual(['started', 'confirmed', 'paused', 'resumed', 'paused', 'ended'])
    expect(events.at(-1)).toMatchObject({ endMs: at(27) })
  })

  test('shorter than the soft window is not even paused', () => {
    expect(kinds(hear(`##### ${pause(5)} #####`))).toEqual(['started', 'confirmed'])
  })

  test('and clicks stays paused, and the click does not put off the end', () => {
    const quiet = hear(`##### ${pause(20)}`)
    const clicked = hear(`##### ${pause(8)}#${pause(11)}`)
    expect(clicked).toEqual(quiet)
  })

  test('and goes on in the very last window of silence is waited for', () => {
    const events = hear(`##### ${pause(14)} ##### ${pause(20)}`)
    expect(kinds(events)).toEqual(['started', 'paused', 'resumed', 'confirmed', 'paused', 'ended'])
  })

  test('and clicks in the last window of silence ends when the click came to nothing', () => {
    const events = hear(`##### ${pause(14)}#....`)
    expect(events.at(-1)).toMatchObject({ type: 'speechEnded', endMs: at(4), audioEndMs: at(23) })
  })

  test('longer than the window has two turns', () => {
    const events = hear(`####### ${pause(20)} ####### ${pause(20)}`)
    expect(kinds(events.filter((e) => e.type !== 'speechPaused'))).toEqual([
      'started',
      'confirmed',
      'ended',
      'started',
      'confirmed',
      'ended',
    ])
  })
})

describe('what the client changes', () => {
  test('a cleared buffer drops the open utterance, and the next begins after it', () => {
    const endpointer = new Endpointer(OPTIONS)
    for (const window of windows('#####')) endpointer.push(window)
    expect(endpointer.drop(at(5), 7)).toEqual([{ type: 'speechDropped', at: 7 }])
    expect(endpointer.busy).toBe(false)
    const events = windows('#####', at(5)).flatMap((window) => endpointer.push(window))
    expect(events[0]).toMatchObject({ type: 'speechStarted', startMs: at(5) })
  })

  test('dropping what nobody was told of says nothing', () => {
    const endpointer = new Endpointer(OPTIONS)
    for (const window of windows('##')) endpointer.push(window)
    expect(endpointer.busy).toBe(true)
    expect(endpointer.drop(at(2), 0)).toEqual([])
  })

  test('a low threshold can still be left', () => {
    expect(kinds(hear(`###${SILENCE_20}`, { threshold: 0.1 }))).toEqual(['started', 'paused', 'ended'])
  })

  test('a shorter silence holds for the utterance that is open', () => {
    const endpointer = new Endpointer(OPTIONS)
    const score = windows(`##### ${SILENCE_20}`)
    const before = score.slice(0, 8).flatMap((w) => endpointer.push(w))
    endpointer.configure(endpointOptions({ ...DETECTION, silenceDurationMs: 200 }, 200))
    const after = score.slice(8).flatMap((w) => endpointer.push(w))
    expect(kinds([...before, ...after])).toEqual(['started', 'paused', 'ended'])
    expect(after.at(-1)).toMatchObject({ audioEndMs: at(11) })
  })

  test('the soft end is 200 ms, and half of a shorter silence', () => {
    expect([1000, 500, 400, 200, 0].map(softSilenceFor)).toEqual([200, 200, 200, 100, 0])
  })
})

describe('in any order of speech and silence', () => {
  const options = fc.record({
    threshold: fc.double({ min: 0.1, max: 0.9, noNaN: true }),
    prefixPaddingMs: fc.nat(1000),
    silenceDurationMs: fc.nat(1500),
    confirmMs: fc.nat(600),
    softSilenceMs: fc.nat(700),
    minSpeechMs: fc.nat(200),
    burstGapMs: fc.nat(150),
    maxUtteranceMs: fc.integer({ min: 300, max: 6000 }),
  })
  /** Runs of windows at one probability, gaps where the gate was closed, and clears by the client. */
  const step = fc.oneof(
    { weight: 8, arbitrary: fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(30)) },
    { weight: 1, arbitrary: fc.constant('clear' as const) },
    { weight: 1, arbitrary: fc.constant('gap' as const) },
  )

  function live(settings: EndpointOptions, steps: readonly (readonly [number, number] | 'clear' | 'gap')[]) {
    const endpointer = new Endpointer(settings)
    const events: EarEvent[] = []
    let ms = 0
    for (const what of steps) {
      if (what === 'clear') events.push(...endpointer.drop(ms, ms))
      else if (what === 'gap') ms += 5 * WINDOW_MS
      else {
        for (let i = 0; i < what[1]; i++) {
          const window = {
            startMs: ms,
            endMs: ms + WINDOW_MS,
            probability: what[0],
            startAt: ms,
            at: ms + WINDOW_MS,
          }
          events.push(...endpointer.push(window))
          ms += WINDOW_MS
        }
      }
    }
    return { endpointer, events, endMs: ms }
  }

  test('events follow the grammar, and times only grow', () => {
    fc.assert(
      fc.property(options, fc.array(step, { maxLength: 60 }), (settings, steps) => {
        const { events, endpointer, endMs } = live(settings, steps)
        let phase: 'idle' | 'speaking' | 'paused' = 'idle'
        let confirmed = false
        let lastAt = 0
        let floorMs = 0
        for (const event of events) {
          expect(event.at).toBeGreaterThanOrEqual(lastAt)
          lastAt = event.at
          switch (event.type) {
            case 'speechStarted':
              expect(phase).toBe('idle')
              expect(event.startMs).toBeGreaterThanOrEqual(floorMs)
              floorMs = event.startMs
              phase = 'speaking'
              confirmed = false
              break
            case 'speechConfirmed':
              expect(phase).toBe('speaking')
              expect(confirmed).toBe(false)
              confirmed = true
              break
            case 'speechPaused':
            case 'speechResumed':
              expect(phase).toBe(event.type === 'speechPaused' ? 'speaking' : 'paused')
              phase = event.type === 'speechPaused' ? 'paused' : 'speaking'
              break
            case 'speechDropped':
              expect(phase).not.toBe('idle')
              phase = 'idle'
              break
            case 'speechEnded':
              expect(phase).not.toBe('idle')
              phase = 'idle'
              expect(event.endMs).toBeGreaterThanOrEqual(floorMs)
              expect(event.audioEndMs).toBeGreaterThanOrEqual(event.endMs)
              expect(event.endAt).toBeLessThanOrEqual(event.at)
              floorMs = event.endMs
          }
        }
        // Silence always ends what is open: nothing can be stuck in speech.
        const silence = windows('.'.repeat(120), endMs).flatMap((window) => endpointer.push(window))
        expect(silence.filter((e) => e.type === 'speechEnded').length).toBe(phase === 'idle' ? 0 : 1)
        expect(endpointer.busy).toBe(false)
      }),
      { numRuns: 400 },
    )
  })

  test('an utterance is never longer than its bound', () => {
    fc.assert(
      fc.property(options, fc.array(step, { maxLength: 60 }), (settings, steps) => {
        let startMs = 0
        for (const event of live(settings, steps).events) {
          if (event.type === 'speechStarted') startMs = event.startMs
          // One burst may be undecided when the bound is reached, and a gap counts as one window.
          if (event.type === 'speechEnded') {
            const slackMs = settings.prefixPaddingMs + settings.minSpeechMs * 6 + 700
            expect(event.audioEndMs - startMs).toBeLessThanOrEqual(settings.maxUtteranceMs + slackMs)
          }
        }
      }),
      { numRuns: 200 },
    )
  })
})
