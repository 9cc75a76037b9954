/**
 * Voices that providers offer to everybody, as far as their gender or languages were read somewhere: what `parley check` compares
 * voices by. Not listed: what was read nowhere (Rime publishes names without genders). An operator's own voices, and what is
 * wrong here, are told in a pipeline's `voices`.
 */
import { EMBEDDED, read, secondHand } from './recognisers.ts'
import type { Gender, VoiceFacts } from './voice-entry.ts'

type Row = readonly [id: string, name: string, gender: Gender | null, languages?: readonly string[] | null]
type Origin = ReturnType<typeof read>

/** `languages` left out of a row: the model's. */
function voices(origin: Origin, rows: readonly Row[], sampleRateHz: number | null = null) {
  const { source = '', as_of: asOf = '' } = origin
  const facts = (name: string, gender: Gender | null, languages: VoiceFacts['languages']): VoiceFacts => ({
    name,
    gender,
    languages,
    sampleRateHz,
    source,
    asOf,
  })
  return Object.fromEntries(
    rows.map(([id, name, gender, languages]) => [
      id,
      facts(name, gender, languages === undefined ? 'any' : languages),
    ]),
  )
}

const deepgram = (tongue: string, names: { readonly female?: string; readonly male?: string }): Row[] =>
  (['female', 'male'] as const).flatMap((gender) =>
    (names[gender] ?? '')
      .split(' ')
      .flatMap((star): Row[] => (star === '' ? [] : [[star, star, gender, [tongue]]])),
  )

export const STOCK_VOICES: Readonly<Record<string, Readonly<Record<string, VoiceFacts>>>> = {
  elevenlabs: voices(
    secondHand('elevenlabs.io, default voices', 'applications that list them', '2026-11-25'),
    [
      ['EXAVITQu4vr4xnSDxMaL', 'Sarah', 'female'],
      ['FGY2WhTYpPnrIDTdsKH5', 'Laura', 'female'],
      ['pFZP5JQG7iQjIQuC4Bku', 'Lily', 'female'],
      ['cgSgspJ2msm6clMCkdW9', 'Jessica', 'female'],
      ['XrExE9yKIg1WjnnlVkGX', 'Matilda', 'female'],
      ['Xb7hH8MSUJpSbSDYk0k2', 'Alice', 'female'],
      ['hpp4J3VqNfWAUOO0d1Us', 'Bella', 'female'],
      ['21m00Tcm4TlvDq8ikWAM', 'Rachel', 'female'],
      ['AZnzlk1XvdvUeBnXmlld', 'Domi', 'female'],
      ['MF3mGyEYCl7XYWbV9V6O', 'Elli', 'female'],
      ['JBFqnCBsd6RMkjVDRZzb', 'George', 'male'],
      ['TX3LPaxmHKxFdv7VOQHJ', 'Liam', 'male'],
      ['cjVigY5qzO86Huf0OWal', 'Eric', 'male'],
      ['nPczCjzI2devNBz1zQrb', 'Brian', 'male'],
      ['onwK4e9ZLuTAKqWW03F9', 'Daniel', 'male'],
      ['N2lVS1w4EtoT3dr4eOWO', 'Callum', 'male'],
      ['iP95p4xoKVk53GoZ742B', 'Chris', 'male'],
      ['bIHbv24MWmeRgasZH58o', 'Will', 'male'],
      ['CwhRBWXzGAHq8TQ4Fs17', 'Roger', 'male'],
      ['IKne3meq5aSn9XLyUdCD', 'Charlie', 'male'],
      ['pNInz6obpgDQGcFmaJgB', 'Adam', 'male'],
      ['ErXwobaYiN019PkySvjV', 'Antoni', 'male'],
      ['TxGEqnHWrfWFTfGW9XjX', 'Josh', 'male'],
      ['VR6AewLTigWG4xSOukaG', 'Arnold', 'male'],
      ['yoZ06aMxZJJ28mfd3POQ', 'Sam', 'male'],
    ],
  ),
  cartesia: voices(secondHand('api.cartesia.ai/voices', 'a catalogue of 2026-09-25', '2026-11-25'), [
    ['694f9389-aac1-45b6-b726-9d9369183238', 'Sarah', 'female'],
    ['c2ac25f9-ecc4-4f56-9095-651354df60c0', 'Renee', 'female'],
    ['b7d50908-b17c-442d-ad8d-810c63997ed9', 'Sierra', 'female'],
    ['bf0a246a-8642-498a-9950-80c35e9276b5', 'Sophie', 'female'],
    ['db6b0ed5-d5d3-463d-ae85-518a07d3c2b4', 'Skylar', 'female'],
    ['5c42302c-194b-4d0c-ba1a-8cb485c84ab9', 'Mary', 'female'],
    ['f4e8781b-a420-4080-81cf-576331238efa', 'Samantha', 'female'],
    ['156fb8d2-335b-4950-9cb3-a2d33befec77', 'Sunny', 'female'],
    ['57b6bf63-c7a1-4ffc-8e10-23bf45152dd6', 'Rebecca', 'female'],
    ['5c5ad5e7-1020-476b-8b91-fdcbe9cc313c', 'Daniela', 'female'],
    ['79f8b5fb-2cc8-479a-80df-29f7a7cf1a3e', 'Theo', 'male'],
    ['e00d0e4c-a5c8-443f-a8a3-473eb9a62355', 'Zeke', 'male'],
    ['820a3788-2b37-4d21-847a-b65d8a68c99a', 'Tyler', 'male'],
    ['565510e8-6b45-45de-8758-13588fbaec73', 'Ray', 'male'],
    ['5ee9feff-1265-424a-9d7f-8e4d431a12c7', 'Ronald', 'male'],
    ['726d5ae5-055f-4c3d-8355-d9677de68937', 'Troy', 'male'],
    ['39b376fc-488e-4d0c-8b37-e00b72059fdd', 'Sheldon', 'male'],
    ['15d0c2e2-8d29-44c3-be23-d585d5f154a1', 'Pedro', 'male'],
  ]),
  deepgram: voices(read('github.com/deepgram/deepclaw, the list of its voices', '2026-11-25'), [
    ...deepgram('en', { female: 'thalia athena luna pandora', male: 'orion apollo zeus draco hyperion' }),
    ...deepgram('es', { female: 'estrella celeste', male: 'javier alvaro' }),
    ...deepgram('de', { female: 'aurelia lara', male: 'fabian' }),
    ...deepgram('fr', { female: 'agathe', male: 'hector' }),
    ...deepgram('it', { female: 'livia', male: 'cesare' }),
    ...deepgram('nl', { female: 'daphne', male: 'lars' }),
    ...deepgram('ja', { female: 'izanami', male: 'ebisu' }),
  ]),
  // OpenAI tells no gender: those on which listeners agree have one.
  openai: voices(secondHand('developers.openai.com, text to speech', 'listeners', '2026-11-25'), [
    ['alloy', 'alloy', null],
    ['ash', 'ash', null],
    ['ballad', 'ballad', null],
    ['cedar', 'cedar', null],
    ['coral', 'coral', null],
    ['fable', 'fable', null],
    ['nova', 'nova', 'female'],
    ['shimmer', 'shimmer', 'female'],
    ['sage', 'sage', 'female'],
    ['marin', 'marin', 'female'],
    ['echo', 'echo', 'male'],
    ['onyx', 'onyx', 'male'],
    ['verse', 'verse', 'male'],
  ]),
  // Each has a language of its own and is said to manage others: how well, nobody says.
  inworld: voices(secondHand('api.inworld.ai/tts/v1/voices', 'applications that list them', '2026-11-25'), [
    ['Ashley', 'Ashley', 'female', null],
    ['Deborah', 'Deborah', 'female', null],
    ['Julia', 'Julia', 'female', null],
    ['Olivia', 'Olivia', 'female', null],
    ['Priya', 'Priya', 'female', null],
    ['Sarah', 'Sarah', 'female', null],
    ['Pixie', 'Pixie', 'female', null],
    ['Alex', 'Alex', 'male', null],
    ['Craig', 'Craig', 'male', null],
    ['Dennis', 'Dennis', 'male', null],
    ['Edward', 'Edward', 'male', null],
    ['Hades', 'Hades', 'male', null],
    ['Mark', 'Mark', 'male', null],
    ['Shaun', 'Shaun', 'male', null],
  ]),
  soniox: voices(
    read('soniox.com/docs/tts/concepts/voices', '2026-11-25'),
    'Maya Daniel Noah Nina Emma Jack Adrian Claire Grace Owen Mina Kenji'
      .split(' ')
      .map((name): Row => [name, name, null]),
  ),
  local: voices(
    EMBEDDED,
    [
      ['slt', 'slt', 'female', ['en']],
      ['rms', 'rms', 'male', ['en']],
      ['awb', 'awb', 'male', ['en']],
      ['kal', 'kal', 'male', ['en']],
    ],
    16_000,
  ),
}
