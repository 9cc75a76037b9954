/** Doubles that a provider's own package dials: what they hold against a client that says it wrong. */
import { describe, expect, test } from 'vitest'
import { VirtualClock } from '../../src/clock.ts'
import { encode, type Message } from '../../src/testing/carrier/protobuf.ts'
import { fakeGoogleRecogniser } from '../../src/testing/stt/google.ts'
import { RECOGNIZE, RECOGNIZE_REQUEST } from '../../src/testing/stt/google-messages.ts'
import { readSsml } from '../../src/testing/tts/ssml.ts'

const config = {
  explicitDecodingConfig: { encoding: 'LINEAR16', sampleRateHertz: 16_000, audioChannelCount: 1 },
  model: 'chirp_3',
  languageCodes: ['en-US'],
}
const recognizer = 'projects/p/locations/eu/recognizers/_'
const first = (more: object = {}) =>
  encode(RECOGNIZE_REQUEST, { recognizer, streamingConfig: { config: { ...config, ...more } } })
const audio = (bytes: number) => encode(RECOGNIZE_REQUEST, { audio: new Uint8Array(bytes) })
const NEWER: Message = { name: 'Newer', fields: { other: [99, 'string'] } }

describe('Google’s recogniser refuses, with INVALID_ARGUMENT,', () => {
  test.each([
    [
      'a field that its types do not have',
      [encode(NEWER, { other: 'x' })],
      'StreamingRecognizeRequest has no field 99',
    ],
    ['audio before the config', [audio(320)], 'recognizer'],
    ['a language without its region', [first({ languageCodes: ['en'] })], 'languageCodes'],
    ['no model', [first({ model: '' })], 'model'],
    ['half a sample', [first(), audio(321)], 'half a sample'],
    ['more audio than a message may have', [first(), audio(25_602)], 'audio of 25602 bytes'],
    ['a second config', [first(), first()], 'audio is due'],
  ])('%s', (_what, messages, mistake) => {
    const double = fakeGoogleRecogniser({ clock: new VirtualClock() })
    const failed: number[] = []
    const peer = { send() {}, end() {}, drop() {}, fail: (code: number) => void failed.push(code) }
    const talk = double.grpc.call(RECOGNIZE, peer)!
    for (const message of messages) talk.message(message)
    expect(double.mistakes).toEqual([mistake])
    expect(failed).toEqual([3])
  })
})

describe('SSML', () => {
  const speak = (inside: string, lang = 'en-US') =>
    `<speak version='1.0' xml:lang='${lang}'>${inside}</speak>`

  test('says what stands in it, and in whose voice', () => {
    const inside =
      '<voice name="en-US-AvaNeural"><prosody rate="1.2">Tom &amp; &lt;Jerry&gt;</prosody><break/></voice>'
    expect(readSsml(speak(inside))).toEqual({ voice: 'en-US-AvaNeural', text: 'Tom & <Jerry>' })
  })

  test.each([
    [speak('<voice name="v">Tom & Jerry</voice>'), 'an & that begins nothing'],
    [speak('<voice name="v">Hello'), 'speak is closed before it is open'],
    [speak('<voice name="v">1 < 2</voice>'), 'a tag that is none'],
    [speak('<voice name="v">Hello</voice>', 'english'), 'a document is speak, with xml:lang'],
    ['<voice name="v">Hello</voice>', 'a document is speak, with xml:lang'],
    [speak('Hello'), 'no voice'],
    ['<speak version="1.0" xml:lang="en-US">', 'speak is not closed'],
  ])('%s: %s', (document, wrong) => {
    expect(readSsml(document)).toBe(wrong)
  })
})
