/** The session object as the beta API shows it: flat, with its own names, without a type. Pure. */
import type { SessionSettings } from '../../../session/settings.ts'
import type { Json } from '../check.ts'

/** The beta's own default, shown where nobody set another; the model then has its provider's. */
const TEMPERATURE = 0.8

export function betaTemperature({ temperature }: Pick<SessionSettings, 'temperature'>): number {
  return temperature ?? TEMPERATURE
}

/** `session`: GA's object. */
export function betaSession(session: Json, settings: Pick<SessionSettings, 'temperature'>): Json {
  const { input, output } = session['audio'] as { readonly input: Json; readonly output?: Json }
  const shared = {
    id: session['id'],
    object: session['object'],
    input_audio_format: betaFormat(input['format']),
    input_audio_transcription: input['transcription'],
    input_audio_noise_reduction: input['noise_reduction'],
    turn_detection: input['turn_detection'],
    include: session['include'],
    expires_at: session['expires_at'],
    ...(session['providerData'] === undefined ? {} : { providerData: session['providerData'] }),
  }
  if (!output) return { ...shared, modalities: ['text'] }
  return {
    ...shared,
    model: session['model'],
    modalities: betaModalities(session['output_modalities']),
    instructions: session['instructions'],
    voice: output['voice'],
    output_audio_format: betaFormat(output['format']),
    tools: session['tools'],
    tool_choice: session['tool_choice'],
    temperature: betaTemperature(settings),
    max_response_output_tokens: session['max_output_tokens'],
    speed: output['speed'],
    tracing: session['tracing'],
    prompt: session['prompt'],
  }
}

/** Audio always came with its words. */
export function betaModalities(modalities: unknown): readonly string[] {
  return Array.isArray(modalities) && modalities.includes('audio') ? ['text', 'audio'] : ['text']
}

export function betaFormat(format: unknown): string {
  switch ((format as Json)['type']) {
    case 'audio/pcmu':
      return 'g711_ulaw'
    case 'audio/pcma':
      return 'g711_alaw'
    default:
      return 'pcm16'
  }
}
