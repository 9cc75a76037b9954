/**
 * Models that turn speech into text: list prices of live recognition, US dollars, pay as you go, without plans and regions. Each row
 * says where the price was read and when; what somebody else read on the provider's page is second-hand and says by whom. None
 * was checked against a bill.
 */
import type { ModelFields } from './fields.ts'

type Origin = Pick<ModelFields, 'source' | 'as_of'>

/** Read on the provider's own page. */
export const read = (page: string, asOf: string): Origin => ({ source: page, as_of: asOf })
/** Read by others, on the page they name. */
export const secondHand = (page: string, by: string, asOf: string): Origin => ({
  source: `${page}, second-hand by ${by}`,
  as_of: asOf,
})
/** The day the tracker looked, or the nearest it says. */
export const HAIL = 'hail-hq/hail'
export const EMBEDDED: Origin = { source: 'runs on this machine', as_of: '2026-11-25' }

const stt = (usdPerMinute: number, from: Origin, fields: ModelFields = {}): ModelFields => ({
  kind: 'stt',
  streaming: true,
  cost: { usd_per_audio_minute_in: usdPerMinute },
  ...from,
  ...fields,
})
/** Takes whole files. */
const files: ModelFields = { streaming: false }
const hour = (usd: number) => Number((usd / 60).toPrecision(6))
const ROMANCE_AND_GERMAN = ['en', 'es', 'pt', 'de', 'fr', 'it']

const deepgram = secondHand('deepgram.com/pricing', HAIL, '2026-05-05')
const assemblyai = secondHand('assemblyai.com/pricing', HAIL, '2026-05-26')
const openai = secondHand('openai.com/api/pricing', 'apiscout.dev', '2026-11-25')
const google = secondHand('cloud.google.com/speech-to-text/pricing', HAIL, '2026-05-19')
const cartesia = read('docs.cartesia.ai/pricing, at the rate of the plan Scale', '2026-11-25')
const groq = read('console.groq.com/docs/speech-text', '2026-11-25')

export const RECOGNISERS: Readonly<Record<string, ModelFields>> = {
  'deepgram/nova-3': stt(0.0048, deepgram, {
    name: 'Nova-3',
    languages: 'any',
    note: 'one language; 0.0058 with language multi. Pages of 2025 and guides of 2026 say 0.0077',
  }),
  'deepgram/nova-3-medical': stt(0.0048, deepgram, { name: 'Nova-3 Medical', languages: ['en'] }),
  'deepgram/nova-2': stt(0.0059, secondHand('deepgram.com/pricing', 'a guide on skills.sh', '2026-02-18'), {
    name: 'Nova-2',
  }),
  'deepgram/flux-general-en': stt(0.0065, deepgram, { name: 'Flux, English', languages: ['en'] }),
  'deepgram/flux-general-multi': stt(0.0078, deepgram, { name: 'Flux, multilingual' }),
  'assemblyai/universal-streaming-english': stt(
    hour(0.15),
    read('assemblyai.com/blog/introducing-universal-streaming', '2026-11-25'),
    {
      name: 'Universal-Streaming',
      languages: ['en'],
      aliases: ['universal-streaming'],
      note: 'charged for the time the session is open',
    },
  ),
  'assemblyai/universal-streaming-multilingual': stt(hour(0.15), assemblyai, {
    name: 'Universal-Streaming Multilingual',
    languages: ROMANCE_AND_GERMAN,
  }),
  'assemblyai/u3-rt-pro': stt(hour(0.45), assemblyai, {
    name: 'Universal-3 Pro Streaming',
    languages: ROMANCE_AND_GERMAN,
    aliases: ['universal-3-pro-streaming'],
  }),
  'assemblyai/universal-3-6': stt(
    hour(0.45),
    secondHand('assemblyai.com/pricing', 'api-evangelist/assemblyai', '2026-10-07'),
    { name: 'Universal-3.6 Pro Realtime', aliases: ['universal-3-6-pro'], note: 'the id is a guess' },
  ),
  'assemblyai/whisper-rt': stt(hour(0.3), assemblyai, { name: 'Whisper-Streaming', languages: 'any' }),
  'soniox/stt-rt-v5': stt(hour(0.12), read('soniox.com/speech-to-text/features/diarization', '2026-11-25'), {
    name: 'Soniox real-time v5',
    languages: 'any',
    aliases: ['stt-rt-v4'],
    note: 'charged by audio tokens; the provider reckons 0.12 an hour',
  }),
  'speechmatics/enhanced': stt(
    hour(0.24),
    secondHand('speechmatics.com/pricing', 'api-evangelist/speechmatics', '2026-06-12'),
    { name: 'Speechmatics Enhanced', languages: 'any' },
  ),
  'gladia/solaria-1': stt(
    hour(0.75),
    secondHand('gladia.io/pricing', 'api-evangelist/gladia', '2026-06-12'),
    {
      name: 'Solaria-1',
      languages: 'any',
    },
  ),
  'elevenlabs/scribe_v2_realtime': stt(
    hour(0.39),
    secondHand('elevenlabs.io/pricing/api', 'developer.puter.com', '2026-06-30'),
    { name: 'Scribe v2 Realtime', languages: 'any' },
  ),
  'elevenlabs/scribe_v2': stt(
    hour(0.22),
    secondHand('elevenlabs.io/pricing/api', 'developer.puter.com', '2026-06-30'),
    { name: 'Scribe v2', languages: 'any', aliases: ['scribe_v1'], ...files },
  ),
  'cartesia/ink-2': stt(0.00673, cartesia, { name: 'Ink 2', note: '3 credits a second' }),
  'cartesia/ink-whisper': stt(0.00224, cartesia, {
    name: 'Ink Whisper',
    languages: 'any',
    note: '1 credit a second',
  }),
  'openai/gpt-4o-transcribe': stt(0.006, secondHand('openai.com/api/pricing', HAIL, '2026-05-05'), {
    name: 'GPT-4o Transcribe',
    languages: 'any',
    cost: { usd_per_audio_minute_in: 0.006, input: 2.5, output: 10, input_audio: 6 },
    note: 'charged by tokens; the provider reckons 0.006 a minute',
  }),
  'openai/gpt-4o-mini-transcribe': stt(0.003, openai, {
    name: 'GPT-4o mini Transcribe',
    languages: 'any',
    cost: { usd_per_audio_minute_in: 0.003, input: 1.25, output: 5, input_audio: 3 },
    note: 'charged by tokens; the provider reckons 0.003 a minute',
  }),
  'openai/gpt-transcribe': stt(0.0045, read('developers.openai.com, gpt-transcribe', '2026-11-25'), {
    name: 'GPT Transcribe',
    languages: 'any',
    note: 'of files, and of committed turns in realtime sessions',
  }),
  'openai/gpt-live-transcribe': stt(0.017, read('developers.openai.com, gpt-live-transcribe', '2026-11-25'), {
    name: 'GPT Live Transcribe',
    languages: 'any',
  }),
  'openai/gpt-realtime-whisper': stt(
    0.017,
    read('developers.openai.com, gpt-realtime-whisper', '2026-11-25'),
    {
      name: 'GPT Realtime Whisper',
      languages: 'any',
    },
  ),
  'openai/whisper-1': stt(0.006, openai, { name: 'Whisper', languages: 'any', ...files }),
  'groq/whisper-large-v3': stt(hour(0.111), groq, {
    name: 'Whisper large v3',
    languages: 'any',
    note: 'at least ten seconds are charged',
    ...files,
  }),
  'groq/whisper-large-v3-turbo': stt(hour(0.04), groq, {
    name: 'Whisper large v3 Turbo',
    languages: 'any',
    note: 'at least ten seconds are charged',
    ...files,
  }),
  'azure/speech': stt(hour(1), secondHand('azure.microsoft.com/pricing/details/speech', HAIL, '2026-05-19'), {
    name: 'Azure Speech, real-time',
    languages: 'any',
  }),
  'google/chirp_3': stt(0.016, google, { name: 'Chirp 3', languages: 'any' }),
  'google/chirp_2': stt(0.016, google, { name: 'Chirp 2', languages: 'any' }),
  'xai/grok-stt': stt(hour(0.2), read('docs.x.ai/developers/models/speech-to-text', '2026-04-15'), {
    name: 'Grok Speech to Text',
    languages: 'any',
  }),
  'local/moonshine-tiny': stt(0, EMBEDDED, { name: 'Moonshine tiny', languages: ['en'] }),
  'local/moonshine-base': stt(0, EMBEDDED, { name: 'Moonshine base', languages: ['en'] }),
}
