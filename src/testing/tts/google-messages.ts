/**
 * Messages of Google's Text-to-Speech v1 `StreamingSynthesize`, from the protobuf descriptions in `@google-cloud/text-to-speech`
 * 6.4.1, read on 2026-11-25.
 */
import type { Enum, Message } from '../carrier/protobuf.ts'

export const SYNTHESIZE = '/google.cloud.texttospeech.v1.TextToSpeech/StreamingSynthesize'

const ENCODING: Enum = {
  values: {
    AUDIO_ENCODING_UNSPECIFIED: 0,
    LINEAR16: 1,
    MP3: 2,
    OGG_OPUS: 3,
    MULAW: 5,
    ALAW: 6,
    PCM: 7,
    M4A: 8,
  },
}
const VOICE: Message = {
  name: 'VoiceSelectionParams',
  fields: {
    languageCode: [1, 'string'],
    name: [2, 'string'],
    ssmlGender: [3, 'opaque'],
    customVoice: [4, 'opaque'],
    voiceClone: [5, 'opaque'],
    modelName: [6, 'string'],
    multiSpeakerVoiceConfig: [7, 'opaque'],
  },
}
const CONFIG: Message = {
  name: 'StreamingSynthesizeConfig',
  fields: {
    voice: [1, VOICE],
    streamingAudioConfig: [
      4,
      {
        name: 'StreamingAudioConfig',
        fields: { audioEncoding: [1, ENCODING], sampleRateHertz: [2, 'int'], speakingRate: [3, 'double'] },
      },
    ],
    customPronunciations: [5, 'opaque'],
    advancedVoiceOptions: [7, 'opaque'],
  },
}
export const SYNTHESIZE_REQUEST: Message = {
  name: 'StreamingSynthesizeRequest',
  fields: {
    streamingConfig: [1, CONFIG],
    input: [
      2,
      {
        name: 'StreamingSynthesisInput',
        fields: {
          text: [1, 'string'],
          markup: [5, 'string'],
          multiSpeakerMarkup: [7, 'opaque'],
          prompt: [6, 'string'],
        },
      },
    ],
  },
}
export const SYNTHESIZE_RESPONSE: Message = {
  name: 'StreamingSynthesizeResponse',
  fields: { audioContent: [1, 'bytes'] },
}
