/** The providers of the settings: by its `type` each gets its adapters, with the keys it has. This file and `app.ts` alone know any by name. */
import { dirname } from 'node:path'
import { canonicalProvider } from './catalog/names.ts'
import type { ProviderSetting, Settings } from './config/settings.ts'
import { aiSdkEntry, aiSdkSettings, createAiSdk } from './provider/ai-sdk/index.ts'
import { createAnthropic } from './provider/anthropic/index.ts'
import { createAssemblyAi } from './provider/assemblyai/index.ts'
import {
  azureEntry,
  azureSdk,
  azureSpeechSettings,
  createAzureSpeech,
} from './provider/azure-speech/index.ts'
import { createBedrock } from './provider/bedrock/index.ts'
import { createCartesia } from './provider/cartesia/index.ts'
import { createDeepgram } from './provider/deepgram/index.ts'
import { createElevenLabs } from './provider/elevenlabs/index.ts'
import { createGemini } from './provider/gemini/index.ts'
import { createVertex } from './provider/gemini/vertex.ts'
import { createGladia } from './provider/gladia/index.ts'
import {
  createGoogleSpeech,
  googleEntries,
  googleRpcs,
  googleSpeechSettings,
} from './provider/google-speech/index.ts'
import { createHume } from './provider/hume/index.ts'
import { createInworld } from './provider/inworld/index.ts'
import { keptAdapters } from './provider/kept.ts'
import { keyedProvider } from './provider/keyed.ts'
import { apiOf, createOpenAi, PRESETS, presetOf, speechOf, sttOf } from './provider/openai/index.ts'
import { createRime } from './provider/rime/index.ts'
import { createSoniox } from './provider/soniox/index.ts'
import { createSpeechmatics } from './provider/speechmatics/index.ts'
import type { Provider, ProviderDeps } from './stage/provider.ts'

/** Adapters by the `type` a provider has in `parley.yaml`, of those that need a key. */
const CLOUD = {
  anthropic: createAnthropic,
  deepgram: createDeepgram,
  assemblyai: createAssemblyAi,
  elevenlabs: createElevenLabs,
  cartesia: createCartesia,
  gemini: createGemini,
  soniox: createSoniox,
  speechmatics: createSpeechmatics,
  gladia: createGladia,
  inworld: createInworld,
  rime: createRime,
  hume: createHume,
} as const

/** Those that may be told several kinds of key, and say themselves whether there is one. */
const KEYED = { bedrock: createBedrock, vertex: createVertex } as const

/** Those whose package is the operator's; its credentials may be the machine's. */
const OPTIONAL = ['ai-sdk', 'google-speech', 'azure-speech']

/** Every `type` that a provider may have; each has other names too, as the catalogue knows them. */
export const providerTypes: readonly string[] = [
  'local',
  ...OPTIONAL,
  ...Object.keys(CLOUD),
  ...Object.keys(KEYED),
  ...PRESETS.keys(),
]

/** Every provider of the settings that has an adapter, and a key where one is needed. Throws an `Error` naming a setting that is wrong. */
export function providersOf(settings: Settings, deps: ProviderDeps): Provider[] {
  const folder = settings.file === null ? '.' : dirname(settings.file)
  return Object.values(settings.providers).flatMap((setting) => {
    const create = creatorOf(setting, deps, folder)
    if (!create) return []
    const { name, apiKey, apiKeys } = setting
    const made =
      apiKeys.length > 0
        ? keyedProvider(apiKeys, ({ key }) => create({ apiKey: key.reveal() }) ?? missing(name))
        : apiKey !== null || !needsKey(setting)
          ? create(apiKey === null ? {} : { apiKey: apiKey.reveal() })
          : undefined
    if (made) return [keptAdapters(withClientKeys(made, setting, create))]
    deps.note(`providers.${name} has no key: its targets are skipped`)
    return []
  })
}

/** Those whose key is one text; whether clients may bring theirs is for the settings to say. */
function withClientKeys(provider: Provider, { type }: ProviderSetting, create: Create): Provider {
  if (Object.hasOwn(KEYED, type)) return provider
  return { ...provider, withKey: (apiKey) => create({ apiKey }) ?? provider }
}

/** Makes the provider with one of its keys; undefined: it lacks one. */
type Create = (key: { readonly apiKey?: string }) => Provider | undefined

function creatorOf(
  { name, type: written, baseUrl, options }: ProviderSetting,
  deps: ProviderDeps,
  folder: string,
): Create | undefined {
  const own = Object.hasOwn(CLOUD, written) || Object.hasOwn(KEYED, written)
  const type = own ? written : canonicalProvider(written)
  const headers = isHeaders(options['headers']) ? { headers: options['headers'] } : {}
  const facts = { name, ...headers, ...(baseUrl === null ? {} : { baseUrl }) }
  const cloud = Object.hasOwn(CLOUD, type) ? CLOUD[type as keyof typeof CLOUD] : undefined
  if (cloud) return ({ apiKey = '' }) => cloud(deps, { ...facts, apiKey })
  const keyed = Object.hasOwn(KEYED, type) ? KEYED[type as keyof typeof KEYED] : undefined
  if (keyed) return (key) => keyed(deps, { ...facts, ...key, options, folder }) ?? undefined
  if (written === 'ai-sdk') {
    const read = {
      name,
      members: options,
      folders: packageFolders(folder),
      ...(baseUrl !== null && { baseUrl }),
    }
    const entry = aiSdkEntry(deps, aiSdkSettings(read))
    if (entry === undefined) return undefined
    return (key) => createAiSdk(deps, aiSdkSettings({ ...read, ...key }), entry)
  }
  if (written === 'google-speech') {
    const read = { name, members: options, folder, ...(baseUrl !== null && { baseUrl }) }
    const entries = googleEntries(deps, googleSpeechSettings(read), packageFolders(folder))
    if (entries === undefined) return undefined
    return (key) => {
      const settings = googleSpeechSettings({ ...read, ...key })
      return createGoogleSpeech(deps, settings, googleRpcs(deps, settings, entries))
    }
  }
  if (written === 'azure-speech') {
    const entry = azureEntry(deps, name, packageFolders(folder))
    if (entry === undefined) return undefined
    const read = { name, members: options, ...(baseUrl !== null && { baseUrl }) }
    return ({ apiKey = '' }) =>
      createAzureSpeech(deps, name, azureSdk(entry, azureSpeechSettings({ ...read, apiKey }), deps.clock))
  }
  const preset = presetOf(written)
  if (!preset) return undefined
  const stt = sttOf(name, options['stt'])
  const hears = stt === undefined ? {} : { stt }
  const offers = { api: apiOf(name, options['api']), speech: speechOf(name, options['speech']), ...hears }
  const more = { preset, members: options, ...offers }
  return (key) => createOpenAi(deps, { ...facts, ...more, ...key })
}

/** Somebody else's address may want none, and some have other kinds. */
function needsKey({ type, baseUrl }: ProviderSetting): boolean {
  if (Object.hasOwn(KEYED, type) || (OPTIONAL.includes(type) && type !== 'azure-speech')) return false
  const preset = presetOf(type)
  return preset === undefined || (preset.key === 'needed' && baseUrl === null)
}

/** Where the operator may have installed packages: beside the settings, where the server was started, and beside the server. */
function packageFolders(settings: string): string[] {
  return [settings, process.cwd(), import.meta.dirname]
}

function missing(name: string): never {
  throw new Error(`providers.${name} cannot be made of one of its apiKeys`)
}

function isHeaders(value: unknown): value is Readonly<Record<string, string>> {
  return (
    typeof value === 'object' && value !== null && Object.values(value).every((v) => typeof v === 'string')
  )
}
