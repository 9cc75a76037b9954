/** Providers, as a session meets them across its edge: adapters that ask the real ones, or in a replay nobody. */

import type { Clock } from '../clock.ts'
import type { ModelEvent } from '../dialect/neutral.ts'
import type { LlmAdapter, LlmCaps } from '../stage/llm.ts'
import type { SttAdapter, SttCaps, SttEvent, SttStream } from '../stage/stt.ts'
import type { TtsAdapter, TtsCaps, TtsEvent, TtsStream } from '../stage/tts.ts'
import { type Count, type Edge, overEdge } from './edge.ts'

/** A target as its lineup names it. */
export interface Named<Caps> {
  readonly id: string
  readonly caps: Caps
  /** `provider/model` of the pipeline, which need not be the adapter's own id. */
  readonly target: string
}

/** What stands behind the edge. `null` in a replay, where nothing is ever called. */
export interface Behind<Adapter> {
  readonly adapter: Adapter | null
  /** The clock of the outside, which goes on while the session's stands still. */
  readonly clock: Clock
}

export function sttOverEdge(
  edge: Edge,
  count: Count,
  { id, caps, target }: Named<SttCaps>,
  { adapter, clock }: Behind<SttAdapter>,
): SttAdapter {
  return {
    id,
    caps,
    async open({ signal, clock: _, ...rest }) {
      const stream = count.next()
      let real: SttStream | undefined
      await edge.run('stt.open', { id: stream, target, ...rest }, signal, async () => {
        real = await adapter!.open({ ...rest, signal, clock })
      })
      const told = (what: 'preview' | 'finalize' | 'discard') => () => {
        edge.tell(`stt.${what}`, { id: stream })
        real?.[what]()
      }
      let events: AsyncIterator<SttEvent> | undefined
      const source = () => {
        events ??= real![Symbol.asyncIterator]()
        return events
      }
      return {
        write: (audio) => real?.write(audio),
        preview: told('preview'),
        finalize: told('finalize'),
        discard: told('discard'),
        close: () => edge.run('stt.close', { id: stream }, signal, () => real!.close()),
        [Symbol.asyncIterator]: () => overEdge(edge, 'stt', stream, signal, source),
      }
    },
  }
}

export function llmOverEdge(
  edge: Edge,
  count: Count,
  { id, caps, target }: Named<LlmCaps>,
  { adapter, clock }: Behind<LlmAdapter>,
): LlmAdapter {
  return {
    id,
    caps,
    stream(request, { signal }) {
      const stream = count.next()
      edge.tell('llm.ask', { id: stream, target, asked: edge.hash(request) })
      const answer = adapter?.stream(request, { signal, clock })
      let events: AsyncIterator<ModelEvent> | undefined
      const source = () => {
        events ??= answer![Symbol.asyncIterator]()
        return events
      }
      return { [Symbol.asyncIterator]: () => overEdge(edge, 'llm', stream, signal, source) }
    },
    // Nothing of it comes back to the session.
    warm: () => adapter?.warm?.(),
  }
}

export function ttsOverEdge(
  edge: Edge,
  count: Count,
  { id, caps, target }: Named<TtsCaps>,
  { adapter, clock }: Behind<TtsAdapter>,
): TtsAdapter {
  return {
    id,
    caps,
    async open({ signal, clock: _, ...rest }) {
      const stream = count.next()
      let real: TtsStream | undefined
      await edge.run('tts.open', { id: stream, target, ...rest }, signal, async () => {
        real = await adapter!.open({ ...rest, signal, clock })
      })
      let events: AsyncIterator<TtsEvent> | undefined
      const source = () => {
        events ??= real![Symbol.asyncIterator]()
        return events
      }
      return {
        say(sentence) {
          edge.tell('tts.say', { id: stream, index: sentence.index, text: sentence.text })
          real?.say(sentence)
        },
        end() {
          edge.tell('tts.end', { id: stream })
          real?.end()
        },
        [Symbol.asyncIterator]: () => overEdge(edge, 'tts', stream, signal, source),
      }
    },
    // Nothing of it comes back to the session.
    warm: (options) => adapter?.warm?.(options),
  }
}
