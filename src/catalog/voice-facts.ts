/** What is known of one voice of a provider, whichever model speaks with it. Pure. */
import { canonicalProvider } from './names.ts'
import { STOCK_VOICES } from './stock-voices.ts'
import type { VoiceFacts } from './voice-entry.ts'
import { VOICES } from './voices.ts'

/** Who speaks without being told a voice. */
const DEFAULTS: Readonly<Record<string, string>> = { local: 'slt' }
/** Who then refuses. Of a provider that is in neither, nothing is known. */
const WITHOUT_DEFAULT = new Set(['elevenlabs', 'cartesia', 'deepgram', 'openai', 'inworld', 'rime', 'soniox'])
/** Deepgram's names of models hold voice and language. */
const DEEPGRAM_NAME = /^(?:aura-2|aura|flux)-([a-z]+)-([a-z]{2})(?:-[a-z]+)?$/i

/** Of the voice `id` of a provider, as a pipeline's `voices` names it; undefined: nothing is known. */
export function voiceFacts(provider: string, model: string, id: string): VoiceFacts | undefined {
  const maker = canonicalProvider(provider)
  const known = maker === 'deepgram' ? deepgramVoice(model, id) : stockVoice(maker, id)
  const spoken = languagesOf(maker, model)
  return known?.languages === 'any' && spoken !== null ? { ...known, languages: spoken } : known
}

/** What the model speaks; null: nobody says. */
export function languagesOf(provider: string, model: string): readonly string[] | 'any' | null {
  const row = `${canonicalProvider(provider)}/${model}`
  return (Object.hasOwn(VOICES, row) ? VOICES[row]?.languages : null) ?? null
}

/** Who speaks where no voice is named: an id; null: nobody, it is an error; undefined: not known. */
export function defaultVoice(provider: string, model: string): string | null | undefined {
  const maker = canonicalProvider(provider)
  if (maker === 'deepgram' && DEEPGRAM_NAME.test(model)) return model
  if (Object.hasOwn(DEFAULTS, maker)) return DEFAULTS[maker]
  return WITHOUT_DEFAULT.has(maker) ? null : undefined
}

/** As `speakModel` of its adapter reads the two: a whole name wins, a voice's before a model's. */
function deepgramVoice(model: string, id: string): VoiceFacts | undefined {
  const whole = [id, model].find((name) => DEEPGRAM_NAME.test(name))
  const [, star = '', tongue] =
    DEEPGRAM_NAME.exec(whole ?? '') ?? /^([a-z]+)(?:-([a-z]{2}))?$/i.exec(id) ?? []
  const known = stockVoice('deepgram', star.toLowerCase())
  if (known) return tongue === undefined ? known : { ...known, languages: [tongue.toLowerCase()] }
  if (tongue === undefined) return undefined
  const source = 'the name holds the language'
  return {
    name: star,
    gender: null,
    languages: [tongue.toLowerCase()],
    sampleRateHz: null,
    source,
    asOf: '2026-11-25',
  }
}

function stockVoice(maker: string, id: string): VoiceFacts | undefined {
  const voices = Object.hasOwn(STOCK_VOICES, maker) ? STOCK_VOICES[maker] : undefined
  return voices && Object.hasOwn(voices, id) ? voices[id] : undefined
}
