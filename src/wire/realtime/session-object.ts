/** The session object of `session.created` and `session.updated`: everything in force, in GA's shape and key order. */
import type { SessionSettings } from '../../session/settings.ts'
import type { Json } from './check.ts'
import { wireFormat } from './format.ts'
import type { WireEcho } from './session-update.ts'
import { wireToolChoice, wireTools } from './tools.ts'
import { wireTurnDetection } from './turn-detection.ts'

export interface SessionFacts {
  readonly id: string
  /** As the client named it, else the pipeline's. */
  readonly model: string
  /** Unix seconds. */
  readonly expiresAt: number
}

export function sessionObject(facts: SessionFacts, settings: SessionSettings, echo: WireEcho): object {
  return settings.kind === 'transcription'
    ? transcriptionObject(facts, settings, echo)
    : conversationObject(facts, settings, echo)
}

/** Neither model nor output: nothing answers. */
function transcriptionObject(facts: SessionFacts, settings: SessionSettings, echo: WireEcho): object {
  return {
    type: 'transcription',
    object: 'realtime.transcription_session',
    id: facts.id,
    expires_at: facts.expiresAt,
    audio: {
      input: {
        format: wireFormat(settings.inputFormat),
        transcription: transcription(facts, settings, echo),
        noise_reduction: echo.noiseReduction ?? null,
        turn_detection: withoutAnswers(wireTurnDetection(settings.turnDetection)),
      },
    },
    include: echo.include ?? null,
    ...(echo.parley === undefined ? {} : { providerData: { parley: parleyObject(echo, settings) } }),
  }
}

function withoutAnswers(detection: unknown): unknown {
  if (detection === null) return null
  const { create_response: _c, interrupt_response: _i, idle_timeout_ms: _t, ...rest } = detection as Json
  return rest
}

function conversationObject(facts: SessionFacts, settings: SessionSettings, echo: WireEcho): object {
  return {
    type: 'realtime',
    object: 'realtime.session',
    id: facts.id,
    model: facts.model,
    output_modalities: [settings.modality],
    instructions: settings.instructions,
    tools: wireTools(settings.tools),
    tool_choice: wireToolChoice(settings.toolChoice),
    max_output_tokens: settings.maxOutputTokens,
    tracing: echo.tracing ?? null,
    truncation: echo.truncation ?? 'auto',
    prompt: echo.prompt ?? null,
    expires_at: facts.expiresAt,
    audio: {
      input: {
        format: wireFormat(settings.inputFormat, echo.inputCodec),
        transcription: transcription(facts, settings, echo),
        noise_reduction: echo.noiseReduction ?? null,
        turn_detection: wireTurnDetection(settings.turnDetection),
      },
      output: {
        format: wireFormat(settings.outputFormat, echo.outputCodec),
        voice: echo.voice ?? settings.voice,
        speed: settings.speed,
      },
    },
    include: echo.include ?? null,
    ...(echo.parallelToolCalls === undefined ? {} : { parallel_tool_calls: echo.parallelToolCalls }),
    ...(echo.reasoning === undefined ? {} : { reasoning: echo.reasoning }),
    ...(echo.parley === undefined ? {} : { providerData: { parley: parleyObject(echo, settings) } }),
  }
}

/** null: no transcription events. What the client asked for, or what the pipeline shows unasked. */
function transcription(facts: SessionFacts, settings: SessionSettings, echo: WireEcho): Json | null {
  if (!settings.showTranscription) return null
  return echo.transcription ?? { model: facts.model, language: settings.language ?? null, prompt: null }
}

function parleyObject(echo: WireEcho, settings: SessionSettings): object {
  const { leadMs: _, ...said } = echo.parley ?? {}
  return { ...said, pacing: { leadMs: settings.leadMs } }
}

/** What stands after an update; `parley` is merged member by member, the rest replaced. */
export function mergeEcho(before: WireEcho, update: WireEcho): WireEcho {
  const parley = { ...before.parley, ...update.parley }
  return { ...before, ...update, ...(Object.keys(parley).length > 0 ? { parley } : {}) }
}
