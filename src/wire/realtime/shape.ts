/** Which of OpenAI's two shapes a connection speaks. A connection has one, from its first event to its last. */
import type { Json } from './check.ts'

export type ShapeName = 'ga' | 'beta'

export interface ShapedEvent {
  readonly type: string
  readonly body: Json
}

/** The last step before the wire: the encoder says everything in GA's words, and this in the connection's. */
export interface Shape {
  /** The name of the one event that is too frequent to be rewritten. */
  readonly audioDelta: string
  /** What is sent for an event of GA: nothing, it or another, or more than one. */
  shape(event: ShapedEvent): readonly ShapedEvent[]
}

export const GA: Shape = { audioDelta: 'response.output_audio.delta', shape: (event) => [event] }
