/**
 * Models that turn text into speech: list prices a thousand characters, US dollars, as `recognisers.ts` has them of the other
 * direction. `ttft_ms` is the time to the first sound that others measured over the internet, where somebody did; what a provider
 * says of its model alone is left out.
 */
import type { ModelFields } from './fields.ts'
import { EMBEDDED, HAIL, read, secondHand } from './recognisers.ts'

type Origin = Pick<ModelFields, 'source' | 'as_of'>

const tts = (usdPerThousandChars: number, from: Origin, fields: ModelFields = {}): ModelFields => ({
  kind: 'tts',
  streaming: true,
  cost: { usd_per_1k_chars: usdPerThousandChars },
  ...from,
  ...fields,
})
/** Takes text in pieces, as a model writes it. */
const pieces: ModelFields = { streaming_text: true }

const MULTILINGUAL_V2 =
  'en ja zh de hi fr ko pt it es id nl tr fil pl sv bg ro ar cs el fi hr ms sk da ta uk ru'.split(' ')
const eleven = secondHand('elevenlabs.io/pricing/api', HAIL, '2026-05-19')
const cartesia = read('docs.cartesia.ai/pricing, at the rate of the plan Scale', '2026-11-25')
const deepgram = secondHand('deepgram.com/pricing', 'api-evangelist/deepgram', '2026-05-04')
const openai = secondHand('openai.com/api/pricing', HAIL, '2026-05-05')
const google = secondHand('cloud.google.com/text-to-speech/pricing', HAIL, '2026-05-19')
const azure = secondHand('azure.microsoft.com/pricing/details/speech', HAIL, '2026-05-19')
const inworld = secondHand('inworld.ai/pricing', 'grokipedia.com', '2026-11-25')
const rime = secondHand('rime.ai/pricing', HAIL, '2026-05-19')
const polly = secondHand('aws.amazon.com/polly/pricing', 'api-evangelist/amazon-polly', '2026-10-07')

export const VOICES: Readonly<Record<string, ModelFields>> = {
  'elevenlabs/eleven_flash_v2_5': tts(0.05, eleven, {
    name: 'Eleven Flash v2.5',
    languages: [...MULTILINGUAL_V2, 'hu', 'no', 'vi'],
    // Coval, May 2026, of the provider.
    ttft_ms: 264,
    ...pieces,
  }),
  'elevenlabs/eleven_flash_v2': tts(0.05, eleven, { name: 'Eleven Flash v2', languages: ['en'], ...pieces }),
  'elevenlabs/eleven_turbo_v2_5': tts(0.05, eleven, {
    name: 'Eleven Turbo v2.5',
    languages: [...MULTILINGUAL_V2, 'hu', 'no', 'vi'],
    status: 'deprecated',
    ...pieces,
  }),
  'elevenlabs/eleven_multilingual_v2': tts(0.1, eleven, {
    name: 'Eleven Multilingual v2',
    languages: MULTILINGUAL_V2,
    ...pieces,
  }),
  'elevenlabs/eleven_v3': tts(0.1, eleven, { name: 'Eleven v3', languages: 'any' }),
  'cartesia/sonic-3.5': tts(0.0374, cartesia, {
    name: 'Sonic 3.5',
    languages: 'any',
    note: 'a credit a character; 0.05 on the smallest plan',
    // Coval, May 2026.
    ttft_ms: 188,
    ...pieces,
  }),
  'cartesia/sonic-3': tts(0.0374, cartesia, { name: 'Sonic 3', languages: 'any', ttft_ms: 188, ...pieces }),
  'cartesia/sonic-2': tts(0.0374, cartesia, {
    name: 'Sonic 2',
    languages: ['en', 'fr', 'de', 'es', 'pt', 'zh', 'ja', 'ko'],
    ...pieces,
  }),
  'cartesia/sonic-turbo': tts(0.0374, cartesia, { name: 'Sonic Turbo', ...pieces }),
  'deepgram/aura-2': tts(0.03, deepgram, {
    name: 'Aura-2',
    languages: ['en', 'es', 'de', 'fr', 'nl', 'it', 'ja'],
    note: "the provider's ids hold the voice: aura-2-thalia-en",
    // Coval, May 2026.
    ttft_ms: 313,
    ...pieces,
  }),
  'deepgram/aura-1': tts(0.015, deepgram, { name: 'Aura-1', languages: ['en'], ...pieces }),
  'openai/tts-1': tts(0.015, openai, {
    name: 'TTS-1',
    languages: 'any',
    note: 'a bill of November 2025 says the same (sanand0/blog)',
  }),
  'openai/tts-1-hd': tts(0.03, openai, { name: 'TTS-1 HD', languages: 'any' }),
  'openai/gpt-4o-mini-tts': tts(0.02, openai, {
    name: 'GPT-4o mini TTS',
    languages: 'any',
    cost: {
      usd_per_1k_chars: 0.02,
      usd_per_audio_minute_out: 0.015,
      input: 0.6,
      output: 12,
      output_audio: 12,
    },
    note: 'charged by tokens, about 0.015 a minute; a thousand characters at 750 a minute',
  }),
  'google/chirp-3-hd': tts(0.03, google, { name: 'Chirp 3 HD', languages: 'any', ...pieces }),
  'google/neural2': tts(0.016, google, { name: 'Neural2', languages: 'any' }),
  'google/wavenet': tts(0.016, google, { name: 'WaveNet', languages: 'any' }),
  'azure/neural': tts(0.016, azure, { name: 'Azure Neural', languages: 'any' }),
  'azure/neural-hd': tts(0.022, azure, {
    name: 'Azure Neural HD',
    languages: ['en', 'zh', 'de', 'es', 'fr', 'ja'],
  }),
  'inworld/inworld-tts-2': tts(0.035, secondHand('inworld.ai/pricing', HAIL, '2026-05-19'), {
    name: 'Inworld TTS-2',
    languages: 'any',
    ...pieces,
  }),
  'inworld/inworld-tts-1.5-max': tts(0.01, inworld, { name: 'Inworld TTS-1.5 Max', ...pieces }),
  'inworld/inworld-tts-1.5-mini': tts(0.005, inworld, { name: 'Inworld TTS-1.5 Mini', ...pieces }),
  'rime/coda': tts(0.05, rime, {
    name: 'Rime Coda',
    languages: ['en', 'es', 'fr', 'pt', 'de', 'ja'],
    ...pieces,
  }),
  'rime/arcana': tts(0.04, rime, { name: 'Rime Arcana', ...pieces }),
  'rime/mistv3': tts(0.03, rime, { name: 'Rime Mist v3', languages: ['en'], ...pieces }),
  'rime/mistv2': tts(0.03, rime, { name: 'Rime Mist v2', ...pieces }),
  'hume/octave-2': {
    kind: 'tts',
    name: 'Octave 2',
    streaming: true,
    ...pieces,
    ...secondHand('hume.ai', 'aiwiki.ai', '2026-05-16'),
    note: 'sold in plans; no price a character was found',
  },
  'xai/grok-tts': tts(0.0042, read('docs.x.ai/developers/models/text-to-speech', '2026-04-15'), {
    name: 'Grok Text to Speech',
    languages: 'any',
    note: 'the id is a guess',
  }),
  'groq/canopylabs/orpheus-v1-english': tts(0.022, secondHand('groq.com/pricing', HAIL, '2026-05-05'), {
    name: 'Orpheus English',
    languages: ['en'],
  }),
  'lmnt/blizzard': tts(0.05, secondHand('lmnt.com/pricing', 'api-evangelist/lmnt', '2026-06-12'), {
    name: 'LMNT Blizzard',
    languages: 'any',
    note: 'the rate beyond the smallest plan',
    ...pieces,
  }),
  'aws/polly-neural': tts(0.016, polly, { name: 'Polly Neural' }),
  'aws/polly-generative': tts(0.03, polly, { name: 'Polly Generative' }),
  'local/flite': tts(0, EMBEDDED, { name: 'Flite', languages: ['en'], ...pieces }),
}
