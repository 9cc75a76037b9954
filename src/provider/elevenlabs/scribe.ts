/**
 * ElevenLabs Scribe, realtime speech to text (`scribe_v2_realtime`). Written from
 * https://elevenlabs.io/docs/api-reference/speech-to-text/v-1-speech-to-text-realtime, read on 2026-11-25, the client in
 * `@elevenlabs/elevenlabs-js` 2.73.0, which checks our double, and adapters that others ship (evidence: S, P). That words count
 * from the session's beginning, and the pace of replays, are guesses. Not yet run with real keys.
 *
 * Commits are ours alone: its own, by silence, were found later and less exact than those of a detector at the ear
 * (https://github.com/innate-inc/innate-os/pull/715).
 */
import { type AudioFormat, MULAW_8K, PCM16_16K, PCM16_24K } from '../../audio/format.ts'
import { ProviderError } from '../../errors.ts'
import type { SttAdapter } from '../../stage/stt.ts'
import type { CloudEndpoint } from '../endpoint.ts'
import { openRecognition } from '../open-recognition.ts'
import type { Notice, Protocol } from '../protocol.ts'
import { Stretches } from '../stretches.ts'
import { audioChunk, readScribe, type ScribeMessage, scribeError, scribeUrl } from './scribe-wire.ts'

/** A tenth of a second to one are recommended. How fast a replay may go is not said. */
const FRAMING = { minMs: 100, maxMs: 500, pace: { speed: 2, burstMs: 1_000 } }
/** "You need at least 0.3s of uncommitted audio before committing." */
const COMMIT_LEAST_MS = 300
/** It was seen to close after some 10 s without a chunk. */
const KEEP_ALIVE_MS = 5_000
/** An open connection holds one of the plan's places. */
const IDLE_LIMIT_MS = 60_000
/** A little more than the 410 ms within which 99 % of finals come. */
const GRACE_MS = 450
const NOTHING = new Uint8Array()

export function scribeAdapter({ name, connect, baseUrl, apiKey }: CloudEndpoint, model: string): SttAdapter {
  return {
    id: `${name}/${model}`,
    caps: {
      languages: 'any',
      findsLanguages: 'any',
      inputs: [PCM16_16K, MULAW_8K, PCM16_24K],
      feed: 'speech',
      endOfTurn: 'none',
      eager: false,
      wordTimes: true,
      forceFinal: true,
      maxReplaySpeed: FRAMING.pace.speed,
    },
    async open({ format, language, hints = [], signal, clock }) {
      const url = scribeUrl(baseUrl, { model, format, language, hints })
      if (url === undefined) {
        const message = `ElevenLabs does not take ${format.encoding}`
        throw new ProviderError({ provider: name, stage: 'stt', kind: 'bad_request', message })
      }
      return openRecognition({
        provider: name,
        protocol: scribeProtocol(format),
        connect,
        url,
        headers: { 'xi-api-key': apiKey },
        format,
        signal,
        clock,
        greeting: 'awaited',
      })
    },
  }
}

type CommittedWords = ScribeMessage & { readonly type: 'committedWords' }

/** One for each stream: it remembers what was committed. */
export function scribeProtocol(format: AudioFormat): Protocol {
  const stretches = new Stretches()
  let last: CommittedWords | undefined
  /** A text is there, its words are not. */
  let half: string | undefined
  let inactive = false

  function committed(message: CommittedWords): Notice[] {
    // Some are sent twice: https://github.com/elevenlabs/elevenlabs-python/issues/686
    if (last && isSame(last, message)) return []
    last = message
    half = undefined
    const { text, confidence, language } = message
    const endMs = message.words.at(-1)?.endMs
    const { fromMs, toMs, answers } = stretches.end(endMs)
    // What was asked for cannot end before it began: then times count from there.
    const offsetMs = answers && endMs !== undefined && endMs <= fromMs ? fromMs : 0
    const words = message.words.map((word) => ({
      text: word.text,
      startMs: word.startMs + offsetMs,
      endMs: word.endMs + offsetMs,
    }))
    return [
      {
        type: 'segment',
        segment: {
          startMs: fromMs,
          endMs: toMs,
          text,
          settled: true,
          words,
          ...(confidence !== undefined && { confidence }),
          ...(language !== undefined && { language }),
        },
      },
      ...(answers ? [{ type: 'covered', toMs } as const] : []),
    ]
  }

  function announced(text: string): Notice[] {
    if (half === text || (text === last?.text && !stretches.isAsked)) return []
    // The words of the one before never came.
    if (half !== undefined) stretches.skip()
    half = stretches.isAsked ? text : undefined
    return partial(text, text)
  }

  function partial(text: string, stable: string): Notice[] {
    const { fromMs, toMs } = stretches.current
    return [{ type: 'segment', segment: { startMs: fromMs, endMs: toMs, text, stable, settled: false } }]
  }

  return {
    framing: { ...FRAMING, envelope: (frame) => audioChunk(format, frame, 'more') },
    force: audioChunk(format, NOTHING, 'commit'),
    forceLeastMs: COMMIT_LEAST_MS,
    forceSent: (atMs) => stretches.ask(atMs),
    silent: (fromMs, toMs) => stretches.silent(fromMs, toMs),
    keepAlive: { message: audioChunk(format, NOTHING, 'more'), everyMs: KEEP_ALIVE_MS },
    previews: 'forced',
    idleLimitMs: IDLE_LIMIT_MS,
    graceMs: GRACE_MS,
    // The words may never come, the text is all of it.
    unanswered: () => (half !== undefined ? 'answer' : 'wait'),
    hear(json) {
      const message = readScribe(json)
      switch (message.type) {
        case 'started':
          return [{ type: 'ready' }]
        case 'partial':
          return partial(message.text, message.settled ? message.text : '')
        case 'committed':
          return announced(message.text)
        case 'committedWords':
          return committed(message)
        case 'error': {
          const failure = scribeError(message.error)
          if (failure) return [{ type: 'failed', ...failure }]
          if (message.error === 'insufficient_audio_activity') inactive = true
          const toMs = message.error === 'commit_throttled' ? stretches.withdraw() : stretches.skip()
          return toMs === undefined ? [] : [{ type: 'covered', toMs }]
        }
        default:
          return []
      }
    },
    closed: ({ code }) => ({
      kind: inactive ? 'expired' : 'transient',
      message: `ElevenLabs closed the connection (${code})`,
    }),
  }
}

function isSame(a: CommittedWords, b: CommittedWords): boolean {
  if (a.text !== b.text || a.words.length === 0) return false
  return a.words.length === b.words.length && a.words[0]?.startMs === b.words[0]?.startMs
}
