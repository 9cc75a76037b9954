/** The far side of `converse` in memory: records what the caller sends, says what the test tells it to. */
import { Channel } from '../../src/channel.ts'
import type { RealtimeConnection, RealtimeEvent } from '../../src/command/talk/connection.ts'

export class ScriptedServer implements RealtimeConnection {
  readonly sent: RealtimeEvent[] = []
  readonly events = new Channel<RealtimeEvent>({ capacity: 1_000 })
  closed = false

  send(event: RealtimeEvent): void {
    this.sent.push(event)
  }

  close(): void {
    this.closed = true
    this.events.close()
  }

  say(...events: RealtimeEvent[]): void {
    for (const event of events) this.events.push(event)
  }

  /** Audio the caller sent, chunk by chunk. */
  get chunks(): Buffer[] {
    return this.sent
      .filter((event) => event.type === 'input_audio_buffer.append')
      .map((event) => Buffer.from(String(event['audio']), 'base64'))
  }
}

export const opened: RealtimeEvent = { type: 'session.created', session: {} }

export function updated(turnDetection: unknown = { type: 'server_vad' }): RealtimeEvent {
  return { type: 'session.updated', session: { audio: { input: { turn_detection: turnDetection } } } }
}

export function turnOf(itemId: string): RealtimeEvent[] {
  return [
    { type: 'input_audio_buffer.speech_started', item_id: itemId },
    { type: 'input_audio_buffer.speech_stopped', item_id: itemId },
    { type: 'input_audio_buffer.committed', item_id: itemId },
  ]
}

export function words(itemId: string, ...deltas: string[]): RealtimeEvent[] {
  const type = 'conversation.item.input_audio_transcription'
  return [
    ...deltas.map((delta) => ({ type: `${type}.delta`, item_id: itemId, delta })),
    { type: `${type}.completed`, item_id: itemId, transcript: deltas.join('') },
  ]
}

export function answer(id: string, text: string, audio: Uint8Array, status = 'completed'): RealtimeEvent[] {
  return [
    { type: 'response.created', response: { id } },
    { type: 'response.output_audio_transcript.delta', response_id: id, delta: text },
    { type: 'response.output_audio.delta', response_id: id, delta: Buffer.from(audio).toString('base64') },
    { type: 'response.done', response: { id, status, parley: { turnId: `turn_${id}` } } },
  ]
}
