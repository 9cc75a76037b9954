/**
 * `session.update`: read whole before anything is applied, so that a refused update changes nothing. Members left
 * out stay; unknown ones are ignored; the flat members of the beta API are taken as aliases; `null` clears what
 * may be null and otherwise counts as left out.
 */
import type { SessionSettings } from '../../session/settings.ts'
import {
  asArray,
  asBoolean,
  asNumber,
  asObject,
  asOneOf,
  asOpaqueObject,
  asString,
  type Json,
  wrongType,
} from './check.ts'
import { isOpus, parseFormat } from './format.ts'
import { type ParleyRequest, parseProviderData } from './provider-data.ts'
import { parseMaxTokens, parseModalities, parseVoice } from './response-request.ts'
import { parseToolChoice, parseTools } from './tools.ts'
import { parseTurnDetection, resolveTurnDetection, type TurnDetectionRequest } from './turn-detection.ts'

/** A conversation, or words only. */
export type SessionKind = 'realtime' | 'transcription'

/** What the client set that the session does not know of, kept to be echoed. */
export interface WireEcho {
  /** As sent: a name or `{ id }`. */
  readonly voice?: unknown
  readonly transcription?: Json | null
  readonly noiseReduction?: Json | null
  readonly turnDetection?: TurnDetectionRequest | null
  readonly tracing?: unknown
  readonly truncation?: unknown
  readonly prompt?: unknown
  readonly include?: readonly string[] | null
  readonly parallelToolCalls?: boolean
  readonly reasoning?: unknown
  readonly parley?: ParleyRequest
  /** Where the format was said: whether its bytes are Opus on the wire, while the session goes on in PCM. */
  readonly inputCodec?: 'opus' | 'none'
  readonly outputCodec?: 'opus' | 'none'
}

export interface SessionUpdate {
  /** null: the client did not say. */
  readonly kind: SessionKind | null
  readonly patch: Partial<SessionSettings>
  readonly echo: WireEcho
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** `session`: the member of that name; `kind`: of the session it is for, when it names none. Throws `Refusal`. */
export function parseSessionUpdate(session: unknown, kind: SessionKind): SessionUpdate {
  const given = asObject(session, 'session')
  const patch: Mutable<Partial<SessionSettings>> = {}
  const echo: Mutable<WireEcho> = {}
  const named = given['type'] == null ? null : asOneOf(given['type'], 'session.type', KINDS)
  readInput(given, patch, echo)
  readInclude(given, echo)
  if ((named ?? kind) === 'realtime') {
    readModel(given, patch)
    readOutput(given, patch, echo)
    readEchoed(given, echo)
  }
  const parley = parseProviderData(given['providerData'])
  if (Object.keys(parley).length > 0) echo.parley = parley
  if (parley.leadMs !== undefined) patch.leadMs = parley.leadMs
  if (parley.transcriptDeltas) patch.transcriptDeltas = parley.transcriptDeltas
  return { kind: named, patch, echo }
}

/** The patch as the session takes it; what the request left open is filled from the settings it began with. */
export function resolvePatch(
  update: Pick<SessionUpdate, 'patch' | 'echo'>,
  pipeline: SessionSettings,
): Partial<SessionSettings> {
  const { turnDetection, transcription } = update.echo
  const [one] = (transcription?.['languages'] as readonly string[] | undefined) ?? []
  const language = transcription == null ? undefined : (transcription['language'] ?? one ?? pipeline.language)
  return {
    ...update.patch,
    ...(turnDetection === undefined
      ? {}
      : { turnDetection: resolveTurnDetection(turnDetection, pipeline.turnDetection) }),
    ...(typeof language === 'string' ? { language } : {}),
  }
}

/** What the model is told and may do. */
function readModel(given: Json, patch: Mutable<Partial<SessionSettings>>): void {
  const modalities = given['output_modalities'] ?? given['modalities']
  if (modalities != null) patch.modality = parseModalities(modalities, 'session.output_modalities')
  if (given['instructions'] != null)
    patch.instructions = asString(given['instructions'], 'session.instructions')
  if (given['tools'] != null) patch.tools = parseTools(given['tools'], 'session.tools')
  if (given['tool_choice'] != null)
    patch.toolChoice = parseToolChoice(given['tool_choice'], 'session.tool_choice')
  const most = given['max_output_tokens'] ?? given['max_response_output_tokens']
  if (most != null) patch.maxOutputTokens = parseMaxTokens(most, 'session.max_output_tokens')
  if (given['temperature'] != null)
    patch.temperature = asNumber(given['temperature'], 'session.temperature', 0, 2)
}

/** A GA member, else its flat alias; `undefined` when neither is there. */
function pick(nested: Json, name: string, given: Json, alias: string): unknown {
  return nested[name] !== undefined ? nested[name] : given[alias]
}

function section(given: Json, name: 'input' | 'output'): Json {
  if (given['audio'] == null) return {}
  const audio = asObject(given['audio'], 'session.audio')
  return audio[name] == null ? {} : asObject(audio[name], `session.audio.${name}`)
}

function readInput(given: Json, patch: Mutable<Partial<SessionSettings>>, echo: Mutable<WireEcho>): void {
  const input = section(given, 'input')
  const path = 'session.audio.input'
  const format = pick(input, 'format', given, 'input_audio_format')
  if (format != null) {
    patch.inputFormat = parseFormat(format, `${path}.format`)
    echo.inputCodec = isOpus(format) ? 'opus' : 'none'
  }
  const transcription = pick(input, 'transcription', given, 'input_audio_transcription')
  if (transcription !== undefined) {
    echo.transcription = parseTranscription(transcription, `${path}.transcription`)
    patch.showTranscription = echo.transcription !== null
  }
  const reduction = pick(input, 'noise_reduction', given, 'input_audio_noise_reduction')
  if (reduction !== undefined) echo.noiseReduction = parseNoiseReduction(reduction, `${path}.noise_reduction`)
  const detection = pick(input, 'turn_detection', given, 'turn_detection')
  if (detection !== undefined) echo.turnDetection = parseTurnDetection(detection, `${path}.turn_detection`)
}

const DELAYS = ['minimal', 'low', 'medium', 'high', 'xhigh'] as const

function parseTranscription(value: unknown, path: string): Json | null {
  if (value === null) return null
  const given = asObject(value, path)
  const text = (name: string, max: number) =>
    given[name] == null ? null : asString(given[name], `${path}.${name}`, max)
  const list = (name: string) =>
    asArray(given[name], `${path}.${name}`, 1000).map((one, at) =>
      asString(one, `${path}.${name}[${at}]`, 256),
    )
  return {
    model: text('model', 128),
    language: text('language', 35),
    prompt: text('prompt', 65_536),
    ...(given['delay'] == null ? {} : { delay: asOneOf(given['delay'], `${path}.delay`, DELAYS) }),
    ...(given['keywords'] == null ? {} : { keywords: list('keywords') }),
    ...(given['languages'] == null ? {} : { languages: list('languages') }),
  }
}

function parseNoiseReduction(value: unknown, path: string): Json | null {
  if (value === null) return null
  const given = asObject(value, path)
  const type = asOneOf(given['type'], `${path}.type`, ['near_field', 'far_field'])
  const strength = given['strength']
  return { type, ...(strength == null ? {} : { strength: asNumber(strength, `${path}.strength`, 0, 100) }) }
}

function readOutput(given: Json, patch: Mutable<Partial<SessionSettings>>, echo: Mutable<WireEcho>): void {
  const output = section(given, 'output')
  const path = 'session.audio.output'
  const format = pick(output, 'format', given, 'output_audio_format')
  if (format != null) {
    patch.outputFormat = parseFormat(format, `${path}.format`)
    echo.outputCodec = isOpus(format) ? 'opus' : 'none'
  }
  const voice = pick(output, 'voice', given, 'voice')
  if (voice != null) {
    patch.voice = parseVoice(voice, `${path}.voice`)
    echo.voice = typeof voice === 'string' ? voice : { id: patch.voice }
  }
  const speed = pick(output, 'speed', given, 'speed')
  if (speed != null) patch.speed = asNumber(speed, `${path}.speed`, 0.25, 1.5)
}

const KINDS: readonly SessionKind[] = ['realtime', 'transcription']
const INCLUDES = ['item.input_audio_transcription.logprobs']

/** Members that are accepted and echoed, and that nothing acts on yet. */
function readEchoed(given: Json, echo: Mutable<WireEcho>): void {
  if (given['tracing'] !== undefined)
    echo.tracing = autoOrObject(given['tracing'], 'session.tracing', ['auto'])
  if (given['truncation'] != null)
    echo.truncation = autoOrObject(given['truncation'], 'session.truncation', ['auto', 'disabled'])
  if (given['prompt'] !== undefined)
    echo.prompt = given['prompt'] === null ? null : asOpaqueObject(given['prompt'], 'session.prompt')
  if (given['parallel_tool_calls'] != null)
    echo.parallelToolCalls = asBoolean(given['parallel_tool_calls'], 'session.parallel_tool_calls')
  if (given['reasoning'] != null) echo.reasoning = asOpaqueObject(given['reasoning'], 'session.reasoning')
}

function readInclude(given: Json, echo: Mutable<WireEcho>): void {
  const include = given['include']
  if (include === undefined) return
  const read = (one: unknown, at: number) => asOneOf(one, `session.include[${at}]`, INCLUDES)
  echo.include = include === null ? null : asArray(include, 'session.include', 8).map(read)
}

function autoOrObject(value: unknown, path: string, words: readonly string[]): unknown {
  if (value === null) return null
  if (typeof value === 'string') return asOneOf(value, path, words)
  if (typeof value !== 'object') throw wrongType(path, 'a string or an object', value)
  return asOpaqueObject(value, path)
}
