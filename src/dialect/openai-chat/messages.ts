/** Messages of chat completions as neutral ones. Pure. Written from the types of the `openai` package 7.57. */
import { RequestFault } from '../faults.ts'
import { asList, asOneOf, asRecord, asText, type Json, optional, required } from '../json-path.ts'
import { imageOf, mediaTypeOf } from '../media.ts'
import type { ContentPart, ModelMessage, ToolCall } from '../neutral.ts'
import { signatureOf } from './calls.ts'

const ROLES = ['system', 'developer', 'user', 'assistant', 'tool', 'function'] as const

/** Throws `RequestFault`. */
export function neutralMessages(messages: readonly unknown[]): ModelMessage[] {
  return messages.map((one, i) => {
    const at = `messages[${i}]`
    return messageOf(asRecord(one, at), at)
  })
}

function messageOf(message: Json, at: string): ModelMessage {
  const role = required(message, `${at}.`, 'role', asOneOf(ROLES))
  switch (role) {
    case 'system':
    case 'developer':
      return { role: 'system', ...content(message, at) }
    case 'user':
      return { role: 'user', ...content(message, at) }
    case 'assistant': {
      const calls = optional(message, `${at}.`, 'tool_calls', asList) ?? []
      const toolCalls = calls.map((one, i) => callOf(one, `${at}.tool_calls[${i}]`))
      // DeepSeek and others give their thoughts here; without a signature they are words like any.
      const thought = message['reasoning_content'] ?? message['reasoning']
      return {
        role,
        text: content(message, at).text,
        ...(toolCalls.length > 0 && { toolCalls }),
        ...(typeof thought === 'string' && thought !== '' && { reasoning: [{ text: thought }] }),
      }
    }
    case 'tool':
      return { role, callId: required(message, `${at}.`, 'tool_call_id', asText), ...content(message, at) }
    case 'function':
      throw new RequestFault(
        `${at}.role`,
        "The role 'function' is obsolete; use 'tool'.",
        'unsupported_value',
      )
    default: {
      const never: never = role
      return never
    }
  }
}

function content(
  message: Json,
  at: string,
): { readonly text: string; readonly parts?: readonly ContentPart[] } {
  const value = message['content']
  if (value === undefined || value === null) return { text: '' }
  if (typeof value === 'string') return { text: value }
  const parts = asList(value, `${at}.content`).map((one, i) => partOf(one, `${at}.content[${i}]`))
  const text = parts.map((part) => (part.type === 'text' ? part.text : '')).join('')
  return { text, ...(parts.length > 0 && { parts }) }
}

function partOf(value: unknown, at: string): ContentPart {
  const part = asRecord(value, at)
  const type = required(
    part,
    `${at}.`,
    'type',
    asOneOf(['text', 'refusal', 'image_url', 'input_audio', 'file']),
  )
  switch (type) {
    case 'text':
    case 'refusal':
      return { type: 'text', text: required(part, `${at}.`, type, asText), ...cacheOf(part) }
    case 'image_url': {
      const image = required(part, `${at}.`, 'image_url', asRecord)
      const detail = optional(image, `${at}.image_url.`, 'detail', asOneOf(['auto', 'low', 'high']))
      const source = imageOf(required(image, `${at}.image_url.`, 'url', asText), `${at}.image_url.url`)
      return { type: 'image', source, ...(detail && { detail }), ...cacheOf(part) }
    }
    case 'input_audio': {
      const audio = required(part, `${at}.`, 'input_audio', asRecord)
      const path = `${at}.input_audio.`
      return {
        type: 'audio',
        format: required(audio, path, 'format', asOneOf(['wav', 'mp3'])),
        data: required(audio, path, 'data', asText),
      }
    }
    case 'file': {
      const file = required(part, `${at}.`, 'file', asRecord)
      const path = `${at}.file.`
      if (file['file_id'] !== undefined) {
        throw new RequestFault(
          `${path}file_id`,
          'A file that lies with one provider cannot be sent to another.',
          'unsupported_value',
        )
      }
      const { mediaType, data } = mediaTypeOf(required(file, path, 'file_data', asText), `${path}file_data`)
      const name = optional(file, path, 'filename', asText)
      return {
        type: 'file',
        mediaType,
        source: { type: 'base64', data },
        ...(name !== undefined && { name }),
        ...cacheOf(part),
      }
    }
    default: {
      const never: never = type
      return never
    }
  }
}

/** As OpenRouter and others take it here for Anthropic's models. */
function cacheOf(part: Json): { cache?: '5m' | '1h' } {
  const control = part['cache_control']
  if (typeof control !== 'object' || control === null) return {}
  return { cache: (control as Json)['ttl'] === '1h' ? '1h' : '5m' }
}

function callOf(value: unknown, at: string): ToolCall {
  const call = asRecord(value, at)
  if (call['type'] !== undefined && call['type'] !== 'function') {
    throw new RequestFault(
      `${at}.type`,
      'Only calls of functions can be sent to this target.',
      'unsupported_value',
    )
  }
  const fn = required(call, `${at}.`, 'function', asRecord)
  return {
    callId: required(call, `${at}.`, 'id', asText),
    name: required(fn, `${at}.function.`, 'name', asText),
    arguments: optional(fn, `${at}.function.`, 'arguments', asText) ?? '',
    ...signatureOf(call),
  }
}
