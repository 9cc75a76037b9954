/** What a caller would hear when another voice takes over, told at load. */
import { describe, expect, test } from 'vitest'
import { STOCK_VOICES } from '../../src/catalog/stock-voices.ts'
import { defaultVoice, voiceFacts } from '../../src/catalog/voice-facts.ts'
import { voiceFor } from '../../src/config/pipeline.ts'
import { loadPipeline } from '../../src/config/pipeline-set.ts'
import { formatProblem } from '../../src/config/problem.ts'
import { FLITE_VOICES } from '../../src/provider/local/flite/voices.ts'

const SARAH = 'EXAVITQu4vr4xnSDxMaL'
const GEORGE = 'JBFqnCBsd6RMkjVDRZzb'
const THEO = '79f8b5fb-2cc8-479a-80df-29f7a7cf1a3e'

function said(use: string, voices: string, more = ''): string[] {
  const text = `name: p\nvoice: warm\ntts: { routes: [{ name: any, use: ${use} }] }\nvoices: { warm: { ${voices} } }\n${more}`
  return loadPipeline(text, 'p.yaml').problems.map(formatProblem)
}

describe('a voice that takes over', () => {
  test('of another gender is told at the place where it is named', () => {
    const use = '[elevenlabs/eleven_flash_v2_5, cartesia/sonic-3]'
    expect(said(use, `elevenlabs: ${SARAH}, cartesia: ${THEO}`)).toEqual([
      'p.yaml:3:66: warning: the voice changes from female, elevenlabs/eleven_flash_v2_5 (Sarah), to male when cartesia/sonic-3 (Theo) takes over',
    ])
    expect(said(use, `elevenlabs: ${GEORGE}, cartesia: ${THEO}`)).toEqual([])
  })

  test('of which nothing is known is no reason to warn', () => {
    expect(said('[elevenlabs/eleven_flash_v2_5, acme/tts]', `elevenlabs: ${SARAH}, acme: x`)).toEqual([])
    expect(
      said('[elevenlabs/eleven_flash_v2_5, openai/tts-1]', `elevenlabs: ${SARAH}, openai: alloy`),
    ).toEqual([])
  })

  test('is as the operator says, whatever the catalogue says', () => {
    const use = '[elevenlabs/eleven_flash_v2_5, acme/tts]'
    const male = 'acme: { id: x, gender: male }'
    expect(said(use, `elevenlabs: ${SARAH}, ${male}`)).toEqual([expect.stringContaining('from female')])
    expect(said(use, `elevenlabs: { id: ${SARAH}, gender: male }, ${male}`)).toEqual([])
  })

  test('is told for each list: of variants too, and of a list with `from`', () => {
    const voices = `elevenlabs: ${SARAH}, cartesia: ${THEO}`
    expect(said('{ from: [elevenlabs/eleven_v3, cartesia/sonic-3], sort: [latency] }', voices)).toEqual([
      expect.stringMatching(/^p\.yaml:3:66: /),
    ])
    const variants =
      '[{ id: a, weight: 1, use: [elevenlabs/eleven_v3] }, { id: b, weight: 1, use: [elevenlabs/eleven_v3, cartesia/sonic-3] }]'
    const text = `name: p\nvoice: warm\ntts: { routes: [{ name: any, variants: ${variants} }] }\nvoices: { warm: { ${voices} } }\n`
    const told = loadPipeline(text, 'p.yaml')
      .problems.map(formatProblem)
      .filter((line) => line.includes('voice'))
    expect(told).toEqual([expect.stringMatching(/^p\.yaml:3:\d+: .*female.* to male/)])
  })

  test('that does not speak the language of the pipeline is told, the first one too', () => {
    const use = '[elevenlabs/eleven_flash_v2, deepgram/aura-2, local/flite]'
    const told = said(use, `elevenlabs: ${SARAH}, deepgram: thalia, local: slt`, 'language: de-AT\n')
    expect(told).toEqual([
      'p.yaml:3:36: warning: the voice of elevenlabs/eleven_flash_v2 (Sarah) does not speak de-AT; it speaks en',
      'p.yaml:3:64: warning: the voice of deepgram/aura-2 (thalia) does not speak de-AT; it speaks en',
      'p.yaml:3:81: warning: the voice of local/flite (slt) does not speak de-AT; it speaks en',
    ])
    const able = `elevenlabs: ${SARAH}, deepgram: { id: thalia, byLanguage: { de: aurelia-de } }`
    expect(said('[elevenlabs/eleven_flash_v2_5, deepgram/aura-2]', able, 'language: de-AT\n')).toEqual([])
  })

  test('that is sampled as a telephone is, after one that is not', () => {
    const use = '[elevenlabs/eleven_flash_v2_5, acme/tts]'
    const narrow = 'acme: { id: x, sampleRateHz: 8000 }'
    expect(said(use, `elevenlabs: ${SARAH}, ${narrow}`)).toEqual([expect.stringContaining('8000 Hz')])
    expect(said(use, `elevenlabs: { id: ${SARAH}, sampleRateHz: 8000 }, ${narrow}`)).toEqual([])
  })

  test('that nobody named: which one speaks, or that none will', () => {
    expect(said('[elevenlabs/eleven_flash_v2_5, local/flite]', `elevenlabs: ${SARAH}`)).toEqual([
      'p.yaml:3:66: warning: voices.warm names no voice of local: its default, slt, speaks where local/flite takes over',
    ])
    expect(said('[elevenlabs/eleven_flash_v2_5, cartesia/sonic-3]', `elevenlabs: ${SARAH}`)).toEqual([
      expect.stringContaining('which has no default: cartesia/sonic-3 will not speak'),
    ])
    // Its model is a voice.
    expect(said('[elevenlabs/eleven_v3, deepgram/aura-2-thalia-en]', `elevenlabs: ${SARAH}`)).toEqual([])
  })

  test('a pipeline with the embedded voice alone needs no table', () => {
    expect(loadPipeline('name: p\n', 'p.yaml').problems).toEqual([])
  })
})

describe('the table of voices', () => {
  test('has one voice for a language, where a provider has several', () => {
    const text = 'name: p\nvoices: { a: { deepgram: { id: thalia, byLanguage: { DE: fabian-de } } } }\n'
    const pipeline = loadPipeline(text, 'p.yaml').loaded!.pipeline
    const spoken = ['de-AT', 'DE', 'fr', null].map((tag) => voiceFor(pipeline, 'a', 'deepgram', tag))
    expect(spoken).toEqual(['fabian-de', 'fabian-de', 'thalia', 'thalia'])
    expect(voiceFor(pipeline, 'a', 'deepgram', 'toString')).toBe('thalia')
  })

  test('refuses what it does not know, at its place', () => {
    const text = 'name: p\nvoices: { a: { x: { id: y, gander: male } } }\n'
    expect(loadPipeline(text, 'p.yaml').problems.map(formatProblem)).toEqual([
      'p.yaml:2:28: voices.a.x.gander is not known; did you mean gender?',
    ])
  })
})

describe('the catalogue of voices', () => {
  test('says of each voice where it was read, and when', () => {
    for (const voices of Object.values(STOCK_VOICES)) {
      for (const { source, asOf, name } of Object.values(voices)) {
        expect([source, name, asOf]).toEqual([
          expect.stringMatching(/./),
          expect.stringMatching(/./),
          expect.stringMatching(/^\d{4}-\d{2}-\d{2}$/),
        ])
      }
    }
  })

  test('has the embedded voices as they are', () => {
    expect(Object.keys(STOCK_VOICES['local'] ?? {})).toEqual([...FLITE_VOICES.keys()])
    expect(FLITE_VOICES.has(defaultVoice('local', 'flite') ?? '')).toBe(true)
  })

  test('reads a voice of Deepgram as its adapter does, and its language from its name', () => {
    expect(voiceFacts('deepgram', 'aura-2', 'thalia')).toMatchObject({ gender: 'female', languages: ['en'] })
    expect(voiceFacts('deepgram', 'aura-2', 'aura-2-fabian-de')).toMatchObject({
      gender: 'male',
      languages: ['de'],
    })
    expect(voiceFacts('deepgram', 'aura-2-orion-en', '')).toMatchObject({ gender: 'male' })
    expect(voiceFacts('deepgram', 'aura-2', 'nobody-fr')).toMatchObject({ gender: null, languages: ['fr'] })
    expect(voiceFacts('deepgram', 'aura-2', 'constructor')).toBeUndefined()
  })
})
