/**
 * What the session says, as OpenAI's GA events in their documented order (a `Shape` may have other words for them). One
 * output becomes one event or a run of them, handed to `emit` as JSON text. Audio goes out by joining strings around the base64: fifty times a
 * second a session, a serialiser would be half of the cost.
 */
import type { Allowance } from '../../access/response-rates.ts'
import { ERRORS, type ErrorCode, type ErrorType } from '../../errors.ts'
import type { Item, ServerCallItem } from '../../session/items.ts'
import type { AnswerOutput, AnswerPlace, SessionOutput } from '../../session/output.ts'
import type { SessionSettings } from '../../session/settings.ts'
import type { Json } from './check.ts'
import { eventIds } from './ids.ts'
import { wireItem } from './items.ts'
import type { BufferNews } from './media.ts'
import { responseObject } from './response-object.ts'
import { sessionObject } from './session-object.ts'
import type { WireEcho } from './session-update.ts'
import { GA, type Shape } from './shape.ts'

/** What the encoder reads of its connection at the moment of an event. */
export interface EncoderView {
  readonly sessionId: string
  readonly settings: SessionSettings
  readonly echo: WireEcho
  readonly model: string
  readonly expiresAt: number
  readonly conversationId: string
}

export interface WireError {
  readonly type: ErrorType
  readonly code: string | null
  readonly message: string
  readonly param?: string | null
  /** The client event's id. */
  readonly ref?: string | null
}

type Of<T extends SessionOutput['type']> = Extract<SessionOutput, { type: T }>

export class Encoder {
  readonly #view: EncoderView
  readonly #emit: (text: string) => void
  readonly #nextId = eventIds()
  #audioPlace = ''
  #audioTail = ''
  readonly #shape: Shape

  constructor(view: EncoderView, emit: (text: string) => void, shape: Shape = GA) {
    this.#view = view
    this.#emit = emit
    this.#shape = shape
  }

  sessionCreated(): void {
    this.#event('session.created', { session: this.#session() })
  }

  sessionUpdated(): void {
    this.#event('session.updated', { session: this.#session() })
  }

  rateLimits({ limit, remaining, resetMs }: Allowance): void {
    const one = { name: 'requests', limit, remaining, reset_seconds: Math.ceil(resetMs / 1000) }
    this.#event('rate_limits.updated', { rate_limits: [one] })
  }

  /** Where the server owns the far side's playback. */
  outputBuffer(what: BufferNews, responseId: string): void {
    this.#event(`output_audio_buffer.${what}`, { response_id: responseId })
  }

  /** All five keys are always there; `event_id` inside is the client's, and frees what waits for it. */
  error(error: WireError): void {
    this.#emit(this.errorText(error))
  }

  /** The event as text, for the last word before a close. */
  errorText(error: WireError): string {
    const { type, code, message, param = null, ref = null } = error
    const body = { error: { type, code, message, param, event_id: ref } }
    return this.#texts('error', body).join('')
  }

  output(output: SessionOutput): void {
    switch (output.type) {
      case 'answerAudio':
        return this.#audio(output)
      case 'responseCreated':
      case 'answerStarted':
      case 'answerText':
      case 'answerDone':
      case 'toolCalled':
      case 'serverCalled':
      case 'approvalRequested':
      case 'responseDone':
        return this.#answer(output)
      case 'listingTools':
        return this.#event(`mcp_list_tools.${output.status}`, { item_id: output.itemId })
      case 'serverRunning':
        return this.#callState('in_progress', output.item)
      case 'serverAnswered':
        return this.#serverAnswered(output)
      case 'settingsApplied':
        return this.sessionUpdated()
      case 'speechStarted':
        return this.#event('input_audio_buffer.speech_started', {
          audio_start_ms: Math.round(output.audioStartMs),
          item_id: output.itemId,
        })
      case 'speechStopped':
        return this.#event('input_audio_buffer.speech_stopped', {
          audio_end_ms: Math.round(output.audioEndMs),
          item_id: output.itemId,
        })
      case 'committed':
        return this.#event('input_audio_buffer.committed', {
          previous_item_id: output.previousItemId,
          item_id: output.itemId,
        })
      case 'timeoutTriggered':
        return this.#event('input_audio_buffer.timeout_triggered', {
          audio_start_ms: output.audioStartMs,
          audio_end_ms: output.audioEndMs,
          item_id: output.itemId,
        })
      case 'cleared':
        return this.#event('input_audio_buffer.cleared', {})
      case 'itemAdded':
        return this.#item('conversation.item.added', output.item, output.previousItemId)
      case 'itemDone':
        return this.#item('conversation.item.done', output.item, output.previousItemId)
      case 'itemDeleted':
        return this.#event('conversation.item.deleted', { item_id: output.itemId })
      case 'itemTruncated':
        return this.#event('conversation.item.truncated', {
          item_id: output.itemId,
          content_index: output.contentIndex,
          audio_end_ms: output.audioEndMs,
        })
      case 'itemRetrieved':
        return this.#event('conversation.item.retrieved', {
          item: wireItem(output.item, output.audio === null ? null : base64(output.audio)),
        })
      case 'transcriptDelta':
      case 'transcript':
      case 'transcriptFailed':
        return this.#transcript(output)
      case 'refused':
        return this.error({ ...output, type: refusalType(output.code) })
      case 'fault':
        return this.error({ ...output, type: 'server_error' })
      case 'outputCleared':
        return // A WebSocket client owns its playback and was told by `speech_started`.
      case 'turn':
        if (this.#view.echo.parley?.turnEvents) this.#event('parley.turn', { turn: output.record })
        return
      default:
        output satisfies never
    }
  }

  #transcript(output: Of<'transcriptDelta' | 'transcript' | 'transcriptFailed'>): void {
    if (!this.#view.settings.showTranscription) return
    const place = { item_id: output.itemId, content_index: 0 }
    const name = 'conversation.item.input_audio_transcription'
    switch (output.type) {
      case 'transcriptDelta':
        return this.#event(`${name}.delta`, { ...place, delta: output.delta })
      case 'transcript': {
        const usage = { type: 'duration', seconds: Math.round(output.audioMs) / 1000 }
        return this.#event(`${name}.completed`, { ...place, transcript: output.transcript, usage })
      }
      case 'transcriptFailed': {
        const { code, message } = output
        const error = { type: 'transcription_error', code, message }
        return this.#event(`${name}.failed`, { ...place, error })
      }
    }
  }

  #answer(output: Exclude<AnswerOutput, { type: 'answerAudio' }>): void {
    switch (output.type) {
      case 'responseCreated':
        return this.#event('response.created', {
          response: responseObject(output.response, this.#facts(), null),
        })
      case 'answerStarted':
        return this.#answerStarted(output)
      case 'answerText': {
        const kind = output.modality === 'audio' ? 'output_audio_transcript' : 'output_text'
        return this.#event(`response.${kind}.delta`, { ...inPart(output), delta: output.delta })
      }
      case 'answerDone':
        return this.#answerDone(output)
      case 'toolCalled':
        return this.#toolCalled(output)
      case 'serverCalled':
        return this.#serverCalled(output)
      case 'approvalRequested':
        return this.#approvalRequested(output)
      case 'responseDone':
        return this.#event('response.done', {
          response: responseObject(output.response, this.#facts(), output.record),
        })
    }
  }

  /** The item comes before its part: clients look the item up when the part arrives. */
  #answerStarted(output: Of<'answerStarted'>): void {
    const item: Item = { ...output.item, status: 'in_progress', parts: [] }
    this.#event('response.output_item.added', { ...inResponse(output), item: wireItem(item) })
    if (output.inConversation) this.#item('conversation.item.added', item, output.previousItemId)
    this.#event('response.content_part.added', { ...inPart(output), part: wirePart(output.modality, '') })
  }

  #answerDone(output: Of<'answerDone'>): void {
    const place = inPart(output)
    if (output.modality === 'audio') {
      this.#event('response.output_audio.done', place)
      this.#event('response.output_audio_transcript.done', { ...place, transcript: output.text })
    } else {
      this.#event('response.output_text.done', { ...place, text: output.text })
    }
    this.#event('response.content_part.done', { ...place, part: wirePart(output.modality, output.text) })
    if (output.inConversation) this.#item('conversation.item.done', output.item, output.previousItemId)
    this.#event('response.output_item.done', { ...inResponse(output), item: wireItem(output.item) })
  }

  /** The model's call comes whole, so its arguments are one delta. */
  #toolCalled(output: Of<'toolCalled'>): void {
    const { item, inConversation, previousItemId } = output
    const place = inResponse(output)
    const call = { ...place, item_id: item.id, call_id: item.callId }
    const started: Item = { ...item, status: 'in_progress', arguments: '' }
    this.#event('response.output_item.added', { ...place, item: wireItem(started) })
    if (inConversation) this.#item('conversation.item.added', started, previousItemId)
    this.#event('response.function_call_arguments.delta', { ...call, delta: item.arguments })
    this.#event('response.function_call_arguments.done', {
      ...call,
      name: item.name,
      arguments: item.arguments,
    })
    if (inConversation) this.#item('conversation.item.done', item, previousItemId)
    this.#event('response.output_item.done', { ...place, item: wireItem(item) })
  }

  /** A tool of the server's, or of an MCP server that it asks: nobody but the server answers it. */
  #serverCalled(output: Of<'serverCalled'>): void {
    const { item, inConversation, previousItemId } = output
    const place = inResponse(output)
    const call = { ...place, item_id: item.id }
    const started: Item = { ...item, arguments: '' }
    this.#event('response.output_item.added', { ...place, item: wireItem(started) })
    if (inConversation) this.#item('conversation.item.added', started, previousItemId)
    // A client's schema asks for the last member.
    const delta = { ...call, delta: item.arguments, obfuscation: '' }
    this.#event('response.mcp_call_arguments.delta', delta)
    this.#event('response.mcp_call_arguments.done', { ...call, arguments: item.arguments })
    this.#callState('in_progress', item)
    this.#event('response.output_item.done', { ...place, item: wireItem(item) })
  }

  #serverAnswered({ item, previousItemId }: Of<'serverAnswered'>): void {
    this.#callState(item.error === null ? 'completed' : 'failed', item)
    this.#item('conversation.item.done', item, previousItemId)
  }

  #callState(state: 'in_progress' | 'completed' | 'failed', { id, outputIndex }: ServerCallItem): void {
    this.#event(`response.mcp_call.${state}`, { item_id: id, output_index: outputIndex })
  }

  /** It is whole at once: what happens next is the client's to say. */
  #approvalRequested(output: Of<'approvalRequested'>): void {
    const { item, inConversation, previousItemId } = output
    const place = { ...inResponse(output), item: wireItem(item) }
    this.#event('response.output_item.added', place)
    if (inConversation) {
      this.#item('conversation.item.added', item, previousItemId)
      this.#item('conversation.item.done', item, previousItemId)
    }
    this.#event('response.output_item.done', place)
  }

  #audio(output: Of<'answerAudio'>): void {
    const place = `${output.responseId} ${output.itemId} ${output.outputIndex}`
    if (place !== this.#audioPlace) {
      this.#audioPlace = place
      this.#audioTail = `",${JSON.stringify(inPart(output)).slice(1, -1)},"delta":"`
    }
    this.#emit(
      `{"type":"${this.#shape.audioDelta}","event_id":"${this.#nextId()}${this.#audioTail}${base64(output.audio)}"}`,
    )
  }

  #item(type: string, item: Item, previousItemId: string | null): void {
    this.#event(type, { previous_item_id: previousItemId, item: wireItem(item) })
  }

  #event(type: string, body: object): void {
    for (const text of this.#texts(type, body)) this.#emit(text)
  }

  #texts(type: string, body: object): readonly string[] {
    return this.#shape
      .shape({ type, body: body as Json })
      .map((event) => JSON.stringify({ type: event.type, event_id: this.#nextId(), ...event.body }))
  }

  #facts() {
    return { conversationId: this.#view.conversationId, outputFormat: this.#view.settings.outputFormat }
  }

  #session(): object {
    const { sessionId, settings, echo, model, expiresAt } = this.#view
    return sessionObject({ id: sessionId, model, expiresAt }, settings, echo)
  }
}

/** Refusals of our own table have its type: a limit is not the request's fault. */
function refusalType(code: string): ErrorType {
  return Object.hasOwn(ERRORS, code) ? ERRORS[code as ErrorCode].type : 'invalid_request_error'
}

function inResponse(place: AnswerPlace): object {
  return { response_id: place.responseId, output_index: place.outputIndex }
}

/** An answer's item has one part. */
function inPart(place: AnswerPlace): object {
  return {
    response_id: place.responseId,
    item_id: place.itemId,
    output_index: place.outputIndex,
    content_index: 0,
  }
}

/** Parts are called `audio` and `text` here, unlike the contents of items. */
function wirePart(modality: 'audio' | 'text', text: string): object {
  return modality === 'audio' ? { type: 'audio', transcript: text } : { type: 'text', text }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}
