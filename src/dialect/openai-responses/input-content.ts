/** Content of messages and of tools' results: a text, or parts of text, images and files. Pure. Throws `RequestFault`. */
import { RequestFault } from '../faults.ts'
import { asList, asOneOf, asRecord, asText, type Json, optional, required } from '../json-path.ts'
import { imageOf, mediaTypeOf } from '../media.ts'
import type { CacheHint, ContentPart } from '../neutral.ts'

export interface Content {
  readonly text: string
  readonly parts?: readonly ContentPart[]
}

export function contentOf(value: unknown, at: string): Content {
  if (typeof value === 'string') return { text: value }
  const parts = asList(value, at).map((one, i) => partOf(one, `${at}[${i}]`))
  const text = parts.map((part) => (part.type === 'text' ? part.text : '')).join('')
  return { text, ...(parts.length > 0 && { parts }) }
}

const TYPES = ['input_text', 'output_text', 'refusal', 'input_image', 'input_file', 'input_audio'] as const

function partOf(value: unknown, at: string): ContentPart {
  const part = asRecord(value, at)
  const type = required(part, `${at}.`, 'type', asOneOf(TYPES))
  switch (type) {
    case 'input_text':
    case 'output_text':
      return { type: 'text', text: required(part, `${at}.`, 'text', asText), ...cacheOf(part) }
    case 'refusal':
      return { type: 'text', text: required(part, `${at}.`, 'refusal', asText) }
    case 'input_image': {
      atProvider(part, at)
      const source = imageOf(required(part, `${at}.`, 'image_url', asText), `${at}.image_url`)
      const detail = optional(part, `${at}.`, 'detail', asOneOf(['auto', 'low', 'high', 'original']))
      // No other dialect has `original`: the most there is.
      const asked = detail === 'original' ? 'high' : detail
      return { type: 'image', source, ...(asked && { detail: asked }), ...cacheOf(part) }
    }
    case 'input_file':
      atProvider(part, at)
      return fileOf(part, at)
    case 'input_audio': {
      const audio = required(part, `${at}.`, 'input_audio', asRecord)
      const path = `${at}.input_audio.`
      return {
        type: 'audio',
        format: required(audio, path, 'format', asOneOf(['wav', 'mp3'])),
        data: required(audio, path, 'data', asText),
      }
    }
    default: {
      const never: never = type
      return never
    }
  }
}

function fileOf(part: Json, at: string): ContentPart {
  const name = optional(part, `${at}.`, 'filename', asText)
  const url = optional(part, `${at}.`, 'file_url', asText)
  const named = { ...(name !== undefined && { name }), ...cacheOf(part) }
  if (url !== undefined) {
    if (!/^https?:\/\//i.test(url))
      throw new RequestFault(`${at}.file_url`, `Invalid value for '${at}.file_url': expected a web address.`)
    // Its type is not told; documents by address are PDF wherever they are taken at all.
    return { type: 'file', mediaType: 'application/pdf', source: { type: 'url', url }, ...named }
  }
  const { mediaType, data } = mediaTypeOf(required(part, `${at}.`, 'file_data', asText), `${at}.file_data`)
  return { type: 'file', mediaType, source: { type: 'base64', data }, ...named }
}

function atProvider(part: Json, at: string): void {
  if (part['file_id'] === undefined || part['file_id'] === null) return
  throw new RequestFault(
    `${at}.file_id`,
    'A file that lies with one provider cannot be sent to another.',
    'unsupported_value',
  )
}

function cacheOf(part: Json): { cache?: CacheHint } {
  const mark = optional(part, '', 'prompt_cache_breakpoint', asRecord)
  if (!mark) return {}
  return { cache: mark['ttl'] === '12h' ? '1h' : '5m' }
}
