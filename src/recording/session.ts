/** Puts a recorder around a session: what comes to it are steps, what it puts out are marks. */

import type { Habits, Router, StageFacts } from '../attempt/lineup.ts'
import { listsOf, type Pipeline } from '../config/pipeline.ts'
import type { StageName } from '../errors.ts'
import { loadedGate } from '../listen/gate.ts'
import { PacerGroup } from '../playout/pacer-group.ts'
import type { TargetFacts } from '../route/candidates.ts'
import type { TargetHealth } from '../route/context.ts'
import type { HostedSession } from '../session/host.ts'
import { LiveSession, type LiveSessionOptions } from '../session/live-session.ts'
import type { SessionOutput } from '../session/output.ts'
import { earsOverEdge } from './ears.ts'
import { encode } from './encode.ts'
import type { LineSink } from './file.ts'
import { VERSION } from './lines.ts'
import { hashOf, Recorder } from './recorder.ts'
import type { Redaction } from './redact.ts'
import { routerOverEdge } from './router.ts'
import { toolsOverEdge } from './tools.ts'

export interface RecordingRule {
  readonly audio: 'keep' | 'drop'
  readonly redact: readonly Redaction[]
}

export interface RecordedSession extends HostedSession {
  /** Resolves when all that came in was handed on, and nothing more comes for some turns of the event loop. */
  idle(): Promise<void>
}

/** A session as `new LiveSession(options)` makes it, written down to `sink`. */
export function recordSession(
  options: LiveSessionOptions,
  pipeline: Pipeline,
  { audio, redact }: RecordingRule,
  sink: LineSink,
): RecordedSession {
  const { clock, vad, router, origin, settings, greeting, clientMay, id, book, ladder, tools } = options
  const recorder = new Recorder({
    clock,
    sink,
    audio,
    words: redact.includes('text') ? 'redact' : 'keep',
    onFault: () => void session.close('error'),
    onFlood: () => void session.close('limit'),
  })
  const written = JSON.parse(JSON.stringify(pipeline)) as Pipeline
  recorder.line({
    l: 'head',
    version: VERSION,
    id,
    ...recorder.began,
    audio,
    redact,
    settings,
    greeting,
    origin: {
      ...origin,
      metadata: redact.includes('metadata') ? {} : origin.metadata,
      user: redact.includes('user') ? null : origin.user,
    },
    clientMay,
    turnMs: book.turnMs,
    ladder: ladder ?? [],
    pipeline: written,
    pipelineHash: hashOf(encode(written, 'drop')),
  })
  const judging = (stage: StageName, facts: StageFacts, habits: Habits) =>
    recorder.line(judged(stage, facts, habits, pipeline, router, redact))
  const session = new LiveSession({
    ...options,
    clock: recorder.clock,
    vad: earsOverEdge(recorder, { vad, gate: vad.gate ?? loadedGate() ?? null }),
    router: routerOverEdge(recorder, { router, clock, judging }),
    tools: toolsOverEdge(recorder, settings.serverTools ?? [], tools ? { tools, clock } : null),
    // Its own: the beat of a shared one is another session's.
    pacers: new PacerGroup(recorder.clock),
  })
  const outputs = session.outputs[Symbol.asyncIterator]()
  let closing: Promise<void> | undefined

  const pulled = (): Promise<IteratorResult<SessionOutput>> =>
    new Promise((resolve, reject) =>
      recorder.step({ do: 'pull' }, () => {
        outputs.next().then((result) => {
          recorder.tell('out', { result })
          resolve(result)
        }, reject)
      }),
    )

  const left = (): Promise<IteratorResult<SessionOutput>> =>
    new Promise((resolve) =>
      recorder.step({ do: 'leave' }, () => {
        void outputs.return?.()
        resolve({ value: undefined, done: true })
      }),
    )

  return {
    id,
    idle: () => recorder.idle(),
    get settings() {
      return session.settings
    },
    outputs: { [Symbol.asyncIterator]: () => ({ next: pulled, return: left }) },
    audio(bytes) {
      // A copy: the session sees these bytes in a later turn.
      const copy = bytes.slice()
      recorder.step({ do: 'audio', bytes: copy }, () => session.audio(copy))
    },
    send: (event) => recorder.step({ do: 'client', event }, () => session.send(event)),
    finish: () => recorder.step({ do: 'finish' }, () => session.finish()),
    close(reason) {
      closing ??= new Promise<void>((resolve, reject) =>
        recorder.step({ do: 'close', reason }, () => session.close(reason).then(resolve, reject)),
      ).finally(async () => {
        // The wire may still be taking what was put out before the end.
        await recorder.idle()
        await recorder.end()
      })
      return closing
    },
  }
}

function judged(
  stage: StageName,
  factsOf: StageFacts,
  habits: Habits,
  pipeline: Pipeline,
  { health }: Pick<Router, 'health'>,
  redact: readonly Redaction[],
) {
  const { turn, request, inputTokens, health: asked, ...facts } = factsOf(stage)
  const { language } = facts.session
  const targets: Record<string, TargetFacts> = {}
  const known: Record<string, TargetHealth> = {}
  const of = health.factsOf(stage, language)
  for (const route of pipeline[stage].routes) {
    for (const target of listsOf(route).flatMap(({ list }) => list.targets)) {
      targets[target.id] = of(target)
      const now = asked(target.id)
      if (now) known[target.id] = now
    }
  }
  return {
    l: 'facts',
    stage,
    voice: habits.voice,
    cache: habits.cache ?? null,
    exposed: Object.fromEntries(habits.exposed ?? []),
    slackMs: habits.slackMs ?? null,
    facts: {
      ...facts,
      metadata: redact.includes('metadata') ? {} : facts.metadata,
      minted: redact.includes('metadata') ? {} : facts.minted,
      session: { ...facts.session, user: redact.includes('user') ? null : facts.session.user },
      turn: turn?.() ?? null,
      request: request?.() ?? null,
      inputTokens: inputTokens(),
    },
    targets,
    health: known,
  }
}
