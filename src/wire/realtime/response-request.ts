/** `response.create`: what one response overrides. Beta members (`modalities`, `voice`, …) are taken as aliases. */
import { type AudioFormat, sameFormat } from '../../audio/format.ts'
import type { ResponseRequest } from '../../session/client.ts'
import type { Item } from '../../session/items.ts'
import {
  asArray,
  asInteger,
  asObject,
  asOneOf,
  asString,
  asStringMap,
  type Json,
  Refusal,
  wrongType,
} from './check.ts'
import { parseFormat } from './format.ts'
import { asId, parseItem } from './items.ts'
import { parseToolChoice, parseTools } from './tools.ts'

const MAX_INPUT_ITEMS = 1024
const METADATA = { pairs: 16, key: 64, value: 512 } as const

/** `{}` and an absent `response` are equal. `outputFormat` is the session's: a response cannot have another. */
export function parseResponseRequest(value: unknown, outputFormat: AudioFormat): ResponseRequest {
  if (value === undefined || value === null) return { conversation: 'default' }
  const given = asObject(value, 'response')
  const output = audioOutput(given)
  const format = output['format'] ?? given['output_audio_format']
  if (format != null) refuseOtherFormat(format, outputFormat)
  const modality = given['output_modalities'] ?? given['modalities']
  const voice = output['voice'] ?? given['voice']
  const most = given['max_output_tokens'] ?? given['max_response_output_tokens']
  const metadata = given['metadata']
  const conversation = given['conversation'] ?? 'auto'
  return {
    conversation:
      asOneOf(conversation, 'response.conversation', ['auto', 'none']) === 'none' ? 'none' : 'default',
    ...(given['instructions'] == null
      ? {}
      : { instructions: asString(given['instructions'], 'response.instructions') }),
    ...(modality == null ? {} : { modality: parseModalities(modality, 'response.output_modalities') }),
    ...(voice == null ? {} : { voice: parseVoice(voice, 'response.audio.output.voice') }),
    ...(given['tools'] == null ? {} : { tools: parseTools(given['tools'], 'response.tools') }),
    ...(given['tool_choice'] == null
      ? {}
      : { toolChoice: parseToolChoice(given['tool_choice'], 'response.tool_choice') }),
    ...(most == null ? {} : { maxOutputTokens: parseMaxTokens(most, 'response.max_output_tokens') }),
    ...(metadata === undefined
      ? {}
      : { metadata: metadata === null ? null : asStringMap(metadata, 'response.metadata', METADATA) }),
    ...(given['input'] == null ? {} : { input: parseInput(given['input']) }),
  }
}

function audioOutput(given: Json): Json {
  if (given['audio'] == null) return {}
  const audio = asObject(given['audio'], 'response.audio')
  return audio['output'] == null ? {} : asObject(audio['output'], 'response.audio.output')
}

function refuseOtherFormat(value: unknown, session: AudioFormat): void {
  const path = 'response.audio.output.format'
  if (sameFormat(parseFormat(value, path), session)) return
  const text = `Invalid '${path}': a response's format is the session's. Change it with session.update.`
  throw new Refusal('invalid_value', text, path)
}

function parseInput(value: unknown): readonly (Item | string)[] {
  return asArray(value, 'response.input', MAX_INPUT_ITEMS).map((entry, at) => {
    const path = `response.input[${at}]`
    const item = asObject(entry, path)
    return item['type'] === 'item_reference' ? asId(item['id'], `${path}.id`) : parseItem(item, path)
  })
}

/** `["audio"]` or `["text"]`; both together, as beta clients send them, are audio with its transcript. */
export function parseModalities(value: unknown, path: string): 'audio' | 'text' {
  const given = asArray(value, path, 2).map((one, at) => asOneOf(one, `${path}[${at}]`, ['text', 'audio']))
  if (given.length === 0) throw wrongType(path, "['audio'] or ['text']", value)
  return given.includes('audio') ? 'audio' : 'text'
}

/** A name, or `{ id }`. */
export function parseVoice(value: unknown, path: string): string {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return asString((value as Json)['id'], `${path}.id`, 256)
  return asString(value, path, 256)
}

export function parseMaxTokens(value: unknown, path: string): number | 'inf' {
  if (value === 'inf') return value
  if (typeof value !== 'number') throw wrongType(path, "an integer or 'inf'", value)
  return asInteger(value, path, 1, 4096)
}
