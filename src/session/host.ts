/** Opens sessions: admits them, gives each the snapshot of its pipeline, and counts them out again. */
import { randomBytes } from 'node:crypto'
import type { SessionLimits } from '../access/session-limits.ts'
import type { PipelineSnapshot } from '../attempt/snapshots.ts'
import { PCM16_24K } from '../audio/format.ts'
import type { Clock } from '../clock.ts'
import type { Pipeline } from '../config/pipeline.ts'
import type { ExperimentBook } from '../experiment/book.ts'
import type { Vad } from '../listen/vad.ts'
import { PacerGroup } from '../playout/pacer-group.ts'
import { joinedTools, NO_TOOLS } from '../stage/tools.ts'
import type { Metrics } from '../trace/metrics.ts'
import type { TurnStore } from '../trace/turn-store.ts'
import { LiveSession, type LiveSessionOptions } from './live-session.ts'
import {
  type CloseReason,
  type Session,
  type SessionHost,
  type SessionOrigin,
  SessionRefused,
} from './session.ts'
import type { SessionSettings } from './settings.ts'

export interface HostOptions {
  readonly clock: Clock
  readonly vad: Vad
  readonly limits: SessionLimits
  readonly turns: TurnStore
  readonly metrics: Metrics
  /** Left out: nobody keeps figures of experiments. */
  readonly experiments?: ExperimentBook
  /** The named pipeline, or the default for null; undefined when there is none. Asked at each opening. */
  readonly snapshot: (name: string | null) => PipelineSnapshot | undefined
  /** Instead of `new LiveSession`: a recording stands around it. */
  readonly begin?: (options: LiveSessionOptions, pipeline: Pipeline) => HostedSession
}

/** A session as its host keeps it. */
export interface HostedSession extends Session {
  /** Closes as soon as the caller is silent and nothing is being answered. */
  finish(): void
}

const REFUSALS = {
  server_full: 'The server has as many sessions as it takes. Try again shortly.',
  key_sessions_full: 'This key has as many sessions as it may have.',
  draining: 'The server is shutting down.',
} as const

export class Host implements SessionHost {
  readonly #options: HostOptions
  readonly #pacers: PacerGroup
  readonly #sessions = new Set<HostedSession>()

  constructor(options: HostOptions) {
    this.#options = options
    this.#pacers = new PacerGroup(options.clock)
  }

  /** Throws `SessionRefused`. */
  open(origin: SessionOrigin): Session {
    const { limits, metrics, snapshot } = this.#options
    const keyId = origin.key?.id ?? null
    const found = snapshot(origin.pipeline)
    if (!found) throw this.#refused('no_pipeline', `There is no pipeline named ${origin.pipeline}.`)
    if (!found.canListen) {
      throw this.#refused('no_pipeline', `No recogniser of pipeline ${found.pipeline.name} is available.`)
    }
    const admission = limits.acquire(keyId)
    if (admission.type === 'refused') throw this.#refused(admission.code, REFUSALS[admission.code])
    const release = (reason: CloseReason = 'error') => {
      metrics.sessionClosed(origin.wire, reason)
      admission.release()
    }
    metrics.sessionOpened(origin.wire)
    try {
      return this.#begin(origin, found, release)
    } catch (error) {
      release()
      throw error
    }
  }

  #begin(
    origin: SessionOrigin,
    snapshot: PipelineSnapshot,
    release: (reason?: CloseReason) => void,
  ): HostedSession {
    const { pipeline, router, tools: own = NO_TOOLS } = snapshot
    const more = origin.tools?.(pipeline)
    const tools = more ? joinedTools(own, more) : own
    const { clock, vad, metrics, turns, experiments } = this.#options
    const asks = origin.caps.asksApproval ?? false
    const settings = (origin.begin ?? asItIs)({
      ...settingsFrom(pipeline),
      // What somebody must agree to is not offered where nobody can be asked.
      serverTools: tools.definitions.filter(({ approval }) => asks || approval === undefined),
      ...(asks ? nameableOf(snapshot) : {}),
    })
    const begin = this.#options.begin ?? ((options) => new LiveSession(options))
    const options: LiveSessionOptions = {
      id: `sess_${randomBytes(12).toString('hex')}`,
      settings,
      tools,
      greeting: settings.kind === 'transcription' ? null : pipeline.greeting,
      origin,
      clientMay: pipeline.clientMay,
      router,
      clock,
      vad,
      pacers: this.#pacers,
      ladder: pipeline.budget.ladder,
      book: {
        pipeline: pipeline.name,
        turnMs: pipeline.budget.turnMs,
        turns,
        metrics,
        ...(experiments ? { experiments } : {}),
      },
      onClosed: () => {
        this.#sessions.delete(session)
        experiments?.closed(session.id)
        release(session.closedFor)
      },
    }
    const session = begin(options, pipeline)
    this.#sessions.add(session)
    return session
  }

  get size(): number {
    return this.#sessions.size
  }

  /** Each session ends as soon as nothing is being said or thought in it. */
  finishAll(): void {
    for (const session of this.#sessions) session.finish()
  }

  /** Ends every session now. */
  async closeAll(reason: CloseReason): Promise<void> {
    await Promise.all([...this.#sessions].map((session) => session.close(reason)))
  }

  #refused(code: SessionRefused['code'], message: string): SessionRefused {
    this.#options.metrics.sessionRefused(code)
    return new SessionRefused(code, message)
  }
}

/** The MCP servers that clients of its sessions may name. */
export function nameableOf({ tools }: Pick<PipelineSnapshot, 'tools'>): Pick<SessionSettings, 'mcpServers'> {
  return tools?.allowed ? { mcpServers: tools.allowed } : {}
}

const asItIs = (settings: SessionSettings) => settings

/** What a session starts with; the client changes what it may. */
export function settingsFrom(pipeline: Pipeline): SessionSettings {
  const { instructions, voice, language, turnDetection, interruption, idle, dtmf, speculation, budget } =
    pipeline
  const apology = budget.ladder.find((rung) => rung.rung === 'apology')?.say
  return {
    instructions,
    voice,
    ...(language === null ? {} : { language }),
    inputFormat: PCM16_24K,
    outputFormat: PCM16_24K,
    modality: 'audio',
    speed: 1,
    showTranscription: false,
    transcriptDeltas: 'committed',
    turnDetection,
    interruption,
    idle,
    dtmf,
    tools: [],
    toolChoice: 'auto',
    maxOutputTokens: 'inf',
    maxRevisions: speculation.maxRevisions,
    leadMs: null,
    ...(apology === undefined ? {} : { apology }),
  }
}
