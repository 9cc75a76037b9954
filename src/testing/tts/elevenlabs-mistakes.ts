/** What is wrong with a frame for ElevenLabs, by the names of its own client's types, as they go over the wire. */
const FIELDS = new Set([
  'text',
  'voice_settings',
  'generation_config',
  'pronunciation_dictionary_locators',
  'xi_api_key',
  'authorization',
  'context_id',
  'flush',
  'close_context',
  'close_socket',
])

/** Each with its range; booleans have none. */
const SETTINGS: Readonly<Record<string, readonly [number, number] | 'boolean'>> = {
  stability: [0, 1],
  similarity_boost: [0, 1],
  style: [0, 1],
  speed: [0.7, 1.2],
  use_speaker_boost: 'boolean',
}

export function unknownFields(frame: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(frame).filter((field) => !FIELDS.has(field))
}

export function settingsMistakes(settings: unknown): string | undefined {
  if (settings === undefined) return undefined
  if (typeof settings !== 'object' || settings === null) return 'voice_settings is no object'
  for (const [name, value] of Object.entries(settings)) {
    const range = SETTINGS[name]
    if (range === undefined) return `voice_settings.${name} is unknown`
    if (range === 'boolean') {
      if (typeof value !== 'boolean') return `voice_settings.${name} is no boolean`
    } else if (typeof value !== 'number' || value < range[0] || value > range[1]) {
      return `voice_settings.${name} is out of range`
    }
  }
  return undefined
}
