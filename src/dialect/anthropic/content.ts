/** Content blocks of a client's messages as neutral parts. Pure. Written from the types of `@anthropic-ai/sdk` 1.13. */
import { RequestFault } from '../faults.ts'
import { asList, asOneOf, asRecord, asText, type Json, optional, required } from '../json-path.ts'
import { imageOf } from '../media.ts'
import type { CacheHint, ContentPart } from '../neutral.ts'

/** Throws `RequestFault`. A string, a list of blocks, or nothing. */
export function partsOf(value: unknown, at: string): ContentPart[] {
  if (value === undefined || value === null) return []
  if (typeof value === 'string') return [{ type: 'text', text: value }]
  return asList(value, at).flatMap((one, i) => partOf(asRecord(one, `${at}[${i}]`), `${at}[${i}]`))
}

export function textOf(parts: readonly ContentPart[]): string {
  return parts.map((part) => (part.type === 'text' ? part.text : '')).join('')
}

/** Throws `RequestFault` for what only Anthropic knows. */
export function partOf(block: Json, at: string): ContentPart[] {
  const type = required(block, `${at}.`, 'type', asText)
  switch (type) {
    case 'text':
      return [{ type: 'text', text: required(block, `${at}.`, 'text', asText), ...cacheOf(block) }]
    case 'image':
      return [{ type: 'image', source: imageSource(block, at), ...cacheOf(block) }]
    case 'document':
      return documentOf(block, at)
    case 'search_result': {
      const title = required(block, `${at}.`, 'title', asText)
      const source = required(block, `${at}.`, 'source', asText)
      const text = textOf(partsOf(block['content'], `${at}.content`))
      return [{ type: 'text', text: `${title} (${source})\n${text}\n`, ...cacheOf(block) }]
    }
    default:
      throw new RequestFault(
        `${at}.type`,
        'Only text, images, documents and search results can be sent to this target here.',
        'unsupported_value',
      )
  }
}

function imageSource(block: Json, at: string): Extract<ContentPart, { type: 'image' }>['source'] {
  const { type, path, source } = sourceOf(block, at, ['base64', 'url', 'file'])
  if (type === 'url') return imageOf(webAddress(source, path), `${path}url`)
  return {
    type: 'base64',
    mediaType: required(source, path, 'media_type', asText).toLowerCase(),
    data: required(source, path, 'data', asText),
  }
}

function documentOf(block: Json, at: string): ContentPart[] {
  const name = optional(block, `${at}.`, 'title', asText)
  const context = optional(block, `${at}.`, 'context', asText)
  const { type, path, source } = sourceOf(block, at, ['base64', 'url', 'text', 'content', 'file'])
  const cache = cacheOf(block)
  const about = context === undefined ? [] : [{ type: 'text' as const, text: `${context}\n` }]
  if (type === 'content') return [...about, ...titled(name), ...partsOf(source['content'], `${path}content`)]
  if (type === 'text') {
    const text = required(source, path, 'data', asText)
    return [...about, ...titled(name), { type: 'text', text: `${text}\n`, ...cache }]
  }
  const file =
    type === 'url'
      ? { mediaType: 'application/pdf', source: { type, url: webAddress(source, path) } as const }
      : {
          mediaType: required(source, path, 'media_type', asText).toLowerCase(),
          source: { type: 'base64', data: required(source, path, 'data', asText) } as const,
        }
  return [...about, { type: 'file', ...file, ...(name !== undefined && { name }), ...cache }]
}

function titled(name: string | undefined): ContentPart[] {
  return name === undefined ? [] : [{ type: 'text', text: `${name}\n` }]
}

/** A `file` source is refused: it lies with Anthropic. */
function sourceOf<const T extends string>(block: Json, at: string, types: readonly T[]) {
  const source = required(block, `${at}.`, 'source', asRecord)
  const path = `${at}.source.`
  const type = required(source, path, 'type', asOneOf(types))
  if (type === 'file') {
    throw new RequestFault(
      `${path}file_id`,
      'A file that lies with one provider cannot be sent to another.',
      'unsupported_value',
    )
  }
  return { type, path, source }
}

function webAddress(source: Json, path: string): string {
  const url = required(source, path, 'url', asText)
  if (!/^https?:\/\//i.test(url)) {
    throw new RequestFault(`${path}url`, `Invalid value for '${path}url': expected a web address.`)
  }
  return url
}

export function cacheOf(block: Json): { cache?: CacheHint } {
  const control = block['cache_control']
  if (typeof control !== 'object' || control === null) return {}
  return { cache: (control as Json)['ttl'] === '1h' ? '1h' : '5m' }
}
