/** The few Realtime events that a caller needs, out of whatever the server sends. Unknown ones are `other`. */
import type { RealtimeEvent } from './connection.ts'

export type ServerWord =
  | { readonly type: 'opened' }
  /** `manual`: the pipeline has no turn detection, so the caller says when the turn is over. */
  | { readonly type: 'ready'; readonly manual: boolean }
  | { readonly type: 'speechStarted' }
  | { readonly type: 'committed'; readonly itemId: string }
  | { readonly type: 'heard'; readonly itemId: string; readonly delta: string }
  | { readonly type: 'heardAll'; readonly itemId: string; readonly transcript: string }
  | { readonly type: 'notHeard'; readonly itemId: string; readonly message: string }
  | { readonly type: 'answering'; readonly responseId: string }
  | { readonly type: 'answerText'; readonly responseId: string; readonly delta: string }
  | { readonly type: 'answerAudio'; readonly responseId: string; readonly audio: Uint8Array }
  | { readonly type: 'tool'; readonly name: string; readonly arguments: string }
  | {
      readonly type: 'answered'
      readonly responseId: string
      readonly turnId: string | null
      readonly status: string
      readonly why: string
    }
  | { readonly type: 'error'; readonly code: string; readonly message: string }
  | { readonly type: 'other' }

/** PCM16 at 24 kHz both ways, and the recogniser's words shown while they are said. */
export const sessionUpdate: RealtimeEvent = {
  type: 'session.update',
  session: {
    type: 'realtime',
    output_modalities: ['audio'],
    audio: {
      input: { format: { type: 'audio/pcm', rate: 24_000 }, transcription: { model: 'parley' } },
      output: { format: { type: 'audio/pcm', rate: 24_000 } },
    },
    providerData: { parley: { transcriptDeltas: 'early' } },
  },
}

const TRANSCRIPTION = 'conversation.item.input_audio_transcription'

export function readEvent(event: RealtimeEvent): ServerWord {
  const text = (path: string) => asText(at(event, path))
  switch (event.type) {
    case 'session.created':
      return { type: 'opened' }
    case 'session.updated':
      return { type: 'ready', manual: at(event, 'session.audio.input.turn_detection') === null }
    case 'input_audio_buffer.speech_started':
      return { type: 'speechStarted' }
    case 'input_audio_buffer.committed':
      return { type: 'committed', itemId: text('item_id') }
    case `${TRANSCRIPTION}.delta`:
      return { type: 'heard', itemId: text('item_id'), delta: text('delta') }
    case `${TRANSCRIPTION}.completed`:
      return { type: 'heardAll', itemId: text('item_id'), transcript: text('transcript') }
    case `${TRANSCRIPTION}.failed`:
      return { type: 'notHeard', itemId: text('item_id'), message: text('error.message') }
    case 'response.created':
      return { type: 'answering', responseId: text('response.id') }
    case 'response.output_audio_transcript.delta':
    case 'response.output_text.delta':
      return { type: 'answerText', responseId: text('response_id'), delta: text('delta') }
    case 'response.output_audio.delta':
      return {
        type: 'answerAudio',
        responseId: text('response_id'),
        audio: new Uint8Array(Buffer.from(text('delta'), 'base64')),
      }
    case 'response.function_call_arguments.done':
      return { type: 'tool', name: text('name'), arguments: text('arguments') }
    case 'response.done':
      return {
        type: 'answered',
        responseId: text('response.id'),
        turnId: text('response.parley.turnId') || null,
        status: text('response.status'),
        why: text('response.status_details.error.message') || text('response.status_details.reason'),
      }
    case 'error':
      return { type: 'error', code: text('error.code'), message: text('error.message') }
    default:
      return { type: 'other' }
  }
}

function at(value: unknown, path: string): unknown {
  let here = value
  for (const member of path.split('.')) {
    if (typeof here !== 'object' || here === null) return undefined
    here = (here as Record<string, unknown>)[member]
  }
  return here
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
