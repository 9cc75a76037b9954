/**
 * Messages of Google's Speech v2 `StreamingRecognize`, from the protobuf descriptions in `@google-cloud/speech` 7.5.0, read on
 * 2026-11-25.
 */
import { DURATION, type Enum, type Message } from '../carrier/protobuf.ts'

export const RECOGNIZE = '/google.cloud.speech.v2.Speech/StreamingRecognize'

const ENCODING: Enum = {
  values: {
    AUDIO_ENCODING_UNSPECIFIED: 0,
    LINEAR16: 1,
    MULAW: 2,
    ALAW: 3,
    AMR: 4,
    AMR_WB: 5,
    FLAC: 6,
    MP3: 7,
    OGG_OPUS: 8,
    WEBM_OPUS: 9,
    MP4_AAC: 10,
    M4A_AAC: 11,
    MOV_AAC: 12,
  },
}
const PHRASE: Message = { name: 'Phrase', fields: { value: [1, 'string'], boost: [2, 'float'] } }
const PHRASE_SET: Message = {
  name: 'PhraseSet',
  fields: {
    name: [1, 'string'],
    phrases: [3, PHRASE, 'many'],
    boost: [4, 'float'],
    displayName: [5, 'string'],
  },
}
const CONFIG: Message = {
  name: 'RecognitionConfig',
  fields: {
    autoDecodingConfig: [7, 'opaque'],
    explicitDecodingConfig: [
      8,
      {
        name: 'ExplicitDecodingConfig',
        fields: { encoding: [1, ENCODING], sampleRateHertz: [2, 'int'], audioChannelCount: [3, 'int'] },
      },
    ],
    model: [9, 'string'],
    languageCodes: [10, 'string', 'many'],
    features: [
      2,
      {
        name: 'RecognitionFeatures',
        fields: {
          profanityFilter: [1, 'bool'],
          enableWordTimeOffsets: [2, 'bool'],
          enableWordConfidence: [3, 'bool'],
          enableAutomaticPunctuation: [4, 'bool'],
          enableSpokenPunctuation: [14, 'bool'],
          enableSpokenEmojis: [15, 'bool'],
          multiChannelMode: [17, 'opaque'],
          diarizationConfig: [9, 'opaque'],
          maxAlternatives: [16, 'int'],
          customPromptConfig: [18, 'opaque'],
        },
      },
    ],
    adaptation: [
      6,
      {
        name: 'SpeechAdaptation',
        fields: {
          phraseSets: [
            1,
            {
              name: 'AdaptationPhraseSet',
              fields: { phraseSet: [1, 'string'], inlinePhraseSet: [2, PHRASE_SET] },
            },
            'many',
          ],
          customClasses: [2, 'opaque', 'many'],
        },
      },
    ],
    transcriptNormalization: [11, 'opaque'],
    translationConfig: [15, 'opaque'],
    denoiserConfig: [16, 'opaque'],
  },
}
export const RECOGNIZE_REQUEST: Message = {
  name: 'StreamingRecognizeRequest',
  fields: {
    recognizer: [3, 'string'],
    streamingConfig: [
      6,
      {
        name: 'StreamingRecognitionConfig',
        fields: {
          config: [1, CONFIG],
          configMask: [3, 'opaque'],
          streamingFeatures: [
            2,
            {
              name: 'StreamingRecognitionFeatures',
              fields: {
                enableVoiceActivityEvents: [1, 'bool'],
                interimResults: [2, 'bool'],
                voiceActivityTimeout: [3, 'opaque'],
                endpointingSensitivity: [8, 'opaque'],
              },
            },
          ],
        },
      },
    ],
    audio: [5, 'bytes'],
  },
}

const WORD: Message = {
  name: 'WordInfo',
  fields: {
    startOffset: [1, DURATION],
    endOffset: [2, DURATION],
    word: [3, 'string'],
    confidence: [4, 'float'],
    speakerLabel: [6, 'string'],
  },
}
const ALTERNATIVE: Message = {
  name: 'SpeechRecognitionAlternative',
  fields: { transcript: [1, 'string'], confidence: [2, 'float'], words: [3, WORD, 'many'] },
}
const EVENT: Enum = {
  values: {
    SPEECH_EVENT_TYPE_UNSPECIFIED: 0,
    END_OF_SINGLE_UTTERANCE: 1,
    SPEECH_ACTIVITY_BEGIN: 2,
    SPEECH_ACTIVITY_END: 3,
  },
}
export const RECOGNIZE_RESPONSE: Message = {
  name: 'StreamingRecognizeResponse',
  fields: {
    results: [
      6,
      {
        name: 'StreamingRecognitionResult',
        fields: {
          alternatives: [1, ALTERNATIVE, 'many'],
          isFinal: [2, 'bool'],
          stability: [3, 'float'],
          resultEndOffset: [4, DURATION],
          channelTag: [5, 'int'],
          languageCode: [6, 'string'],
        },
      },
      'many',
    ],
    speechEventType: [3, EVENT],
    speechEventOffset: [7, DURATION],
    metadata: [5, 'opaque'],
  },
}
