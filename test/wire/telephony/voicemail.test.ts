/**
 * Who answered: a person or a machine. Texts as recognisers write them (no marks, or wrong ones), greetings of people's and of
 * networks, in ten languages; beeps, and what is none.
 */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { MULAW_8K, PCM16_16K } from '../../../src/audio/format.ts'
import { readWav } from '../../../src/audio/wav.ts'
import { VirtualClock } from '../../../src/clock.ts'
import { loadPipeline } from '../../../src/config/pipeline-set.ts'
import { formatProblem } from '../../../src/config/problem.ts'
import { BeepDetector } from '../../../src/wire/telephony/voicemail/beep.ts'
import { bridgesVerdict, WordJudge } from '../../../src/wire/telephony/voicemail/judge.ts'
import { VoicemailWatch } from '../../../src/wire/telephony/voicemail/watch.ts'
import { noise, sine, tones } from '../../support/tones.ts'

const MACHINES: readonly [string, string][] = [
  [
    'en',
    'Hi, this is Anna. I can’t come to the phone right now, but leave me a message and I’ll call you back.',
  ],
  ['en', 'your call has been forwarded to an automated voice messaging system'],
  ['en', 'The person you are trying to reach is not available. At the tone, please record your message.'],
  ['en', 'Hey it’s Joe, leave your name after the beep'],
  ['en-GB', 'Welcome to the Vodafone voicemail of zero seven seven'],
  ['en', 'the mailbox is full and cannot accept any messages at this time goodbye'],
  [
    'de',
    'Guten Tag, Sie sind verbunden mit der Mailbox von Peter Müller. Bitte hinterlassen Sie eine Nachricht nach dem Signalton.',
  ],
  ['de', 'hallo hier ist der Anrufbeantworter von Familie Huber'],
  ['de-AT', 'Wir sind zurzeit leider nicht erreichbar, bitte versuchen Sie es später noch einmal.'],
  ['de', 'der gewünschte Gesprächspartner ist im Moment nicht erreichbar'],
  ['fr', 'Bonjour, vous êtes bien sur le répondeur de Claire, laissez-moi un message après le bip.'],
  ['fr', 'votre correspondant n’est pas disponible pour le moment merci de rappeler'],
  ['es', 'Ha llamado al buzón de voz del seis tres cuatro. Deje su mensaje después de oír la señal.'],
  ['es', 'El número al que llama no está disponible en este momento'],
  ['it', 'Risponde la segreteria telefonica, lasciate un messaggio dopo il segnale acustico'],
  ['pt', 'Sua chamada está sendo encaminhada para a caixa postal, deixe seu recado após o sinal'],
  ['nl', 'Dit is de voicemail van Jan, spreek een bericht in na de piep'],
  ['pl', 'Dzień dobry, proszę zostawić wiadomość po sygnale'],
  ['ja', 'ただいま電話に出ることができません。ピーという発信音の後にお名前とご用件をお話しください。'],
  ['zh', '您拨打的用户暂时无法接听，请在提示音后留言'],
  // A machine of the network's in a country that speaks otherwise.
  ['fr', 'please leave a message after the tone'],
]

const PEOPLE: readonly [string, string][] = [
  ['en', 'Hello?'],
  ['en', 'Acme Plumbing, this is Joe speaking, how can I help you today?'],
  ['en', 'He is not available'],
  ['en', 'Yes, hi, who is this?'],
  ['de', 'Ja, hallo?'],
  ['de', 'Müller'],
  ['de', 'Praxis Doktor Huber, guten Tag, Sie sprechen mit Frau Maier, was kann ich für Sie tun?'],
  ['fr', 'Allô oui bonjour'],
  ['es', '¿Dígame?'],
  ['it', 'Pronto, chi parla?'],
  ['pt', 'Alô'],
  ['nl', 'Met Jan de Vries'],
  ['pl', 'Słucham'],
  ['ja', 'はい、もしもし、田中です'],
  ['zh', '喂，你好'],
]

describe('words', () => {
  test.each(MACHINES)('%s: a machine says “%s”', (language, text) => {
    expect(new WordJudge({ language }).heard(text)).toBe('machine')
    expect(new WordJudge({ language: null }).heard(text)).toBe('machine')
  })

  test.each(PEOPLE)('%s: a person says “%s”', (language, text) => {
    for (const judge of [new WordJudge({ language }), new WordJudge({ language: null })]) {
      expect(judge.heard(text)).toBe('unsure')
      expect(judge.paused(text.length * 70)).not.toBe('machine')
    }
  })

  test('who says little and then waits is a person', () => {
    const judge = new WordJudge({ language: 'en' })
    judge.heard('Hello?')
    expect(judge.paused(600)).toBe('person')
  })

  test('a short text that a machine is likely to begin with is not yet a person', () => {
    const judge = new WordJudge({ language: 'en' })
    judge.heard('You have reached 555')
    expect(judge.paused(1_500)).toBe('unsure')
  })

  test('silence without words is nobody', () => {
    expect(new WordJudge({ language: 'en' }).paused(300)).toBe('unsure')
  })

  test('who speaks on and on is a machine, whatever it says', () => {
    const judge = new WordJudge({ language: 'en' })
    expect(judge.heard(Array.from({ length: 25 }, () => 'monday').join(' '))).toBe('machine')
    judge.heard('opening hours')
    expect(judge.paused(9_000)).toBe('machine')
  })

  test('a flood of words is read in its beginning, and in no time', () => {
    const judge = new WordJudge({ language: null })
    expect(judge.heard('a '.repeat(500_000))).toBe('machine')
  })
})

test('what the bridges say of it', () => {
  for (const word of ['human', 'human_residence', 'false']) expect(bridgesVerdict(word)).toBe('person')
  for (const word of ['machine_start', 'machine_end_beep', 'machine', 'answering-machine', 'fax', 'true'])
    expect(bridgesVerdict(word)).toBe('machine')
  for (const word of ['unknown', 'not_sure', 'silence', '', 'constructor'])
    expect(bridgesVerdict(word)).toBe('unsure')
})

describe('a beep', () => {
  /** Ends of beeps in it. In pieces of 7 ms, which is no frame's length. */
  function beeps(samples: Int16Array, rateHz = 16_000): number {
    const detector = new BeepDetector({ ...PCM16_16K, sampleRateHz: rateHz })
    const bytes = new Uint8Array(samples.buffer)
    let count = 0
    for (let at = 0; at < bytes.length; at += 14 * 16) {
      if (detector.push(bytes.subarray(at, at + 14 * 16)) === 'beep') count++
    }
    return count
  }
  const quiet = (ms: number, rateHz = 16_000) => noise(ms, 30, rateHz)
  const around = (samples: Int16Array, rateHz = 16_000) =>
    Int16Array.from([...quiet(500, rateHz), ...samples, ...quiet(500, rateHz)])

  test.each([400, 425, 440, 612, 850, 1_000, 1_023, 1_400, 2_100])(
    'of %i Hz is heard once, at its end',
    (hz) => {
      for (const rateHz of [8_000, 16_000]) {
        for (const ms of [300, 1_000, 2_000])
          expect(beeps(around(sine(hz, ms, 8_000, rateHz), rateHz), rateHz)).toBe(1)
      }
    },
  )

  test('is heard on a noisy line, in G.711', () => {
    const tone = sine(1_000, 500, 4_000, 8_000)
    const hiss = noise(500, 600, 8_000)
    expect(
      beeps(
        around(
          tone.map((sample, i) => sample + hiss[i]!),
          8_000,
        ),
        8_000,
      ),
    ).toBe(1)
    const detector = new BeepDetector(MULAW_8K)
    expect(detector.push(new Uint8Array(800).fill(0xff))).toBe('none')
  })

  test.each(['amiable', 'seven-of-clubs', 'ten-of-clubs'])('is not in recorded speech: %s', (name) => {
    const file = readFileSync(new URL(`../../../fixtures/speech/${name}.wav`, import.meta.url))
    const { samples, sampleRateHz } = readWav(file)
    expect(samples.length).toBeGreaterThan(sampleRateHz)
    expect(beeps(samples.slice(), sampleRateHz)).toBe(0)
  })

  test.each([
    ['silence', () => new Int16Array(32_000)],
    ['noise', () => noise(2_000, 8_000)],
    ['a blip', () => around(sine(1_000, 120, 8_000))],
    ['a fax', () => around(sine(1_100, 3_000, 8_000))],
    ['a key', () => around(tones([770, 1_336], 500, 6_000))],
    ['ringing', () => around(tones([440, 480], 2_000, 6_000))],
    ['a voice: harmonics of 140 Hz', () => around(tones([140, 280, 420, 560, 700, 840], 1_000, 2_500))],
    [
      'a siren',
      () => around(Int16Array.from({ length: 16_000 }, (_, i) => 8_000 * Math.sin(0.2 * i + 4e-6 * i * i))),
    ],
    ['a tune', () => around(Int16Array.from([523, 659, 784].flatMap((hz) => [...sine(hz, 300, 8_000)])))],
    ['a tone too soft', () => around(sine(1_000, 500, 60))],
  ])('is not %s', (_name, samples) => {
    expect(beeps(samples())).toBe(0)
  })
})

describe('a call that we placed', () => {
  function watch(message: string | null) {
    const clock = new VirtualClock()
    const did: string[] = []
    const call = new VoicemailWatch({
      policy: { message },
      judge: new WordJudge({ language: 'en' }),
      format: PCM16_16K,
      clock,
      acts: {
        machine: () => did.push('machine'),
        leave: (say) => did.push(`say ${say}`),
        hangUp: () => did.push('hang up'),
      },
    })
    const speaks = async (text: string, ms: number) => {
      call.speechStarted()
      await clock.advance(ms)
      call.words(text)
    }
    const beeps = () => {
      for (const samples of [sine(1_000, 500, 8_000), noise(200, 30)])
        call.audio(new Uint8Array(samples.buffer))
    }
    return { clock, did, call, speaks, beeps }
  }
  const GREETING = 'please leave a message after the tone'

  test('a person picks up: nothing is done, and nothing is left waiting', async () => {
    const { clock, did, call, speaks, beeps } = watch('Call us.')
    await speaks('Hello?', 700)
    call.speechStopped()
    expect(call.isOver).toBe(true)
    await speaks(GREETING, 3_000)
    beeps()
    expect([did, clock.pendingTimers]).toEqual([[], 0])
  })

  test('a machine is hung up on as soon as it is known to be one', async () => {
    const { clock, did, speaks } = watch(null)
    await speaks(GREETING, 3_000)
    expect([did, clock.pendingTimers]).toEqual([['machine', 'hang up'], 0])
  })

  test('the message is said after the beep, not before', async () => {
    const { clock, did, call, speaks, beeps } = watch('Call us.')
    await speaks(GREETING, 3_000)
    call.speechStopped()
    await clock.advance(2_000)
    expect(did).toEqual(['machine'])
    beeps()
    await clock.advance(60_000)
    expect([did, clock.pendingTimers]).toEqual([['machine', 'say Call us.'], 0])
  })

  test('without a beep it is said in the silence after the greeting; a pause within it is none', async () => {
    const { clock, did, call, speaks } = watch('Call us.')
    await speaks(GREETING, 3_000)
    call.speechStopped()
    await clock.advance(1_500)
    await speaks(`${GREETING} or press one`, 2_000)
    call.speechStopped()
    await clock.advance(2_400)
    expect(did).toEqual(['machine'])
    await clock.advance(200)
    expect(did).toEqual(['machine', 'say Call us.'])
  })

  test('a machine that never falls silent is spoken to all the same', async () => {
    const { clock, did, call, speaks } = watch('Call us.')
    await speaks(GREETING, 3_000)
    expect(call.isOver).toBe(false)
    await clock.advance(45_000)
    expect(did).toEqual(['machine', 'say Call us.'])
  })

  test('a beep alone is a machine', () => {
    const { did, beeps } = watch('Call us.')
    beeps()
    expect(did).toEqual(['machine', 'say Call us.'])
  })

  test('the bridge’s own word counts', async () => {
    const { did, call } = watch(null)
    call.told('unknown')
    expect(did).toEqual([])
    call.told('machine_start')
    expect(did).toEqual(['machine', 'hang up'])
    const person = watch(null)
    person.call.told('human')
    expect(person.call.isOver).toBe(true)
  })

  test('who has not been judged after 20 s is a person', async () => {
    const { clock, did, call } = watch(null)
    await clock.advance(20_000)
    call.words(GREETING)
    expect([did, call.isOver, clock.pendingTimers]).toEqual([[], true, 0])
  })
})

test('the pipeline’s member wants a message where one is left, and none where not', () => {
  const said = (text: string) =>
    loadPipeline(`name: p\nvoicemail: ${text}\n`, 'p.yaml').problems.map(formatProblem)
  expect(loadPipeline('name: p\nvoicemail: { then: hang_up }', 'p.yaml').loaded?.pipeline.voicemail).toEqual({
    message: null,
  })
  expect(said('{ then: leave_message, say: Call us. }')).toEqual([])
  for (const wrong of ['{ then: leave_message }', '{ then: hang_up, say: Call us. }'])
    expect(said(wrong)).toEqual([expect.stringContaining('leave_message, which needs it')])
})
