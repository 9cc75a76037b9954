/**
 * GA's events as the beta API said them: its names, its flat objects, and one event for an item where GA has two. All that
 * knows of the beta stands in this folder; the session and the encoder know GA alone.
 *
 *     conversation.item.added ─► conversation.item.created      response.output_audio.* ─► response.audio.*
 *     conversation.item.done  ─► (nothing)                      response.output_text.*  ─► response.text.*
 */
import type { SessionSettings } from '../../../session/settings.ts'
import type { Json } from '../check.ts'
import type { Shape, ShapedEvent } from '../shape.ts'
import { toBetaPaths } from './paths.ts'
import { betaFormat, betaModalities, betaSession, betaTemperature } from './session.ts'

export interface BetaView {
  readonly settings: SessionSettings
  readonly conversationId: string
}

export function betaShape(view: BetaView): Shape {
  return { audioDelta: 'response.audio.delta', shape: (event) => toBeta(event, view) }
}

const RENAMED: ReadonlyMap<string, string> = new Map([
  ['response.output_text.delta', 'response.text.delta'],
  ['response.output_text.done', 'response.text.done'],
  ['response.output_audio.delta', 'response.audio.delta'],
  ['response.output_audio.done', 'response.audio.done'],
  ['response.output_audio_transcript.delta', 'response.audio_transcript.delta'],
  ['response.output_audio_transcript.done', 'response.audio_transcript.done'],
])

function toBeta({ type, body }: ShapedEvent, view: BetaView): readonly ShapedEvent[] {
  switch (type) {
    case 'session.created':
    case 'session.updated':
      return sessionEvents(type, body['session'] as Json, view)
    case 'conversation.item.added':
      return [{ type: 'conversation.item.created', body: { ...body, item: betaItem(body['item'] as Json) } }]
    case 'conversation.item.done':
      return []
    case 'conversation.item.retrieved':
    case 'response.output_item.added':
    case 'response.output_item.done':
      return [{ type, body: { ...body, item: betaItem(body['item'] as Json) } }]
    case 'response.created':
    case 'response.done':
      return [{ type, body: { response: betaResponse(body['response'] as Json, view) } }]
    case 'error':
      return [{ type, body: { error: betaError(body['error'] as Json) } }]
    default:
      return [{ type: RENAMED.get(type) ?? type, body }]
  }
}

/** The beta told of its conversation right after its session. */
function sessionEvents(type: string, session: Json, view: BetaView): readonly ShapedEvent[] {
  const words = session['type'] === 'transcription'
  const told = {
    type: words ? `transcription_${type}` : type,
    body: { session: betaSession(session, view.settings) },
  }
  if (words || type !== 'session.created') return [told]
  const conversation = { id: view.conversationId, object: 'realtime.conversation' }
  return [told, { type: 'conversation.created', body: { conversation } }]
}

const CONTENT: Readonly<Record<string, string>> = { output_text: 'text', output_audio: 'audio' }

function betaItem(item: Json): Json {
  const { content } = item
  if (!Array.isArray(content)) return item
  const parts = content.map((part: Json) => ({
    ...part,
    type: CONTENT[String(part['type'])] ?? part['type'],
  }))
  return { ...item, content: parts }
}

function betaResponse(response: Json, { settings }: BetaView): Json {
  const { audio, output_modalities, output, max_output_tokens, usage, metadata, parley, ...rest } = response
  const { format, voice } = (audio as { readonly output: Json }).output
  return {
    ...rest,
    output: (output as readonly Json[]).map(betaItem),
    modalities: betaModalities(output_modalities),
    voice,
    output_audio_format: betaFormat(format),
    temperature: betaTemperature(settings),
    max_output_tokens,
    usage,
    metadata,
    ...(parley === undefined ? {} : { parley }),
  }
}

/** Paths in the words of the one who wrote them. */
function betaError(error: Json): Json {
  const { message, param } = error
  return {
    ...error,
    message: toBetaPaths(String(message)),
    param: param === null ? null : toBetaPaths(String(param)),
  }
}
