/** The members that GA moved, by path. Pure. */

/** Longest first, so that none is taken for the beginning of another. */
const MOVED: readonly (readonly [ga: string, beta: string])[] = [
  ['session.audio.input.noise_reduction', 'session.input_audio_noise_reduction'],
  ['session.audio.input.turn_detection', 'session.turn_detection'],
  ['session.audio.input.transcription', 'session.input_audio_transcription'],
  ['response.audio.output.format', 'response.output_audio_format'],
  ['session.audio.output.format', 'session.output_audio_format'],
  ['session.audio.input.format', 'session.input_audio_format'],
  ['response.audio.output.voice', 'response.voice'],
  ['session.audio.output.voice', 'session.voice'],
  ['session.audio.output.speed', 'session.speed'],
  ['response.max_output_tokens', 'response.max_response_output_tokens'],
  ['response.output_modalities', 'response.modalities'],
  ['session.max_output_tokens', 'session.max_response_output_tokens'],
  ['session.output_modalities', 'session.modalities'],
]

/** A path, or a message that quotes one. */
export function toBetaPaths(text: string): string {
  for (const [ga, beta] of MOVED) if (text.includes(ga)) return text.replaceAll(ga, beta)
  return text
}
