/** Sound that does not go through the text channel: what a connection asks of it, and what it is told. */
import type { ClientEvent } from '../../session/client.ts'
import type { SessionOutput } from '../../session/output.ts'

/** What became of the sound the far side plays: the suffix of `output_audio_buffer.*`. */
export type BufferNews = 'started' | 'stopped' | 'cleared'

export interface MediaListener {
  news(what: BufferNews, responseId: string): void
  /** On the session's behalf: what a client of a WebSocket would say of its own playback. */
  send(event: ClientEvent): void
  /** PCM16 at 24 kHz from the caller. */
  heard(pcm: Uint8Array): void
}

export interface Media {
  /** Called once, before anything else. */
  attach(listener: MediaListener): void
  /** Each output in order. `taken`: it is sound, or about sound, and no event. */
  output(output: SessionOutput): 'taken' | 'event'
  /** `output_audio_buffer.clear`: the far side falls silent. */
  clear(): void
  close(): void
}
