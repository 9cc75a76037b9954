/** Parts of messages as content blocks of Converse, which takes data and no web addresses. Pure. Types of `@aws-sdk/client-bedrock-runtime` 3.1164. */
import { RequestFault } from '../faults.ts'
import type { CacheHint, ContentPart, ReasoningPart } from '../neutral.ts'
import type { ModelTraits } from './models.ts'

export type Block = Readonly<Record<string, unknown>>

export interface BlockOptions {
  readonly traits: ModelTraits
  readonly dropped: Set<string>
}

const IMAGES: ReadonlySet<string> = new Set(['png', 'jpeg', 'gif', 'webp'])
const DOCUMENTS: Readonly<Record<string, string>> = {
  'application/pdf': 'pdf',
  'text/csv': 'csv',
  'application/msword': 'doc',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'docx',
  'application/vnd.ms-excel': 'xls',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': 'xlsx',
  'text/html': 'html',
  'text/plain': 'txt',
  'text/markdown': 'md',
}

/** With the cache point after it that its hint asks for. None of a blank text, which Bedrock refuses. Throws `RequestFault` naming `at`. */
export function blocksOf(part: ContentPart, at: string, options: BlockOptions): Block[] {
  const block = blockOf(part, at, options)
  if (!block) return []
  return [block, ...('cache' in part ? cachePoint(part.cache, options) : [])]
}

/** After what shall be kept. */
export function cachePoint(hint: CacheHint | undefined, { traits, dropped }: BlockOptions): Block[] {
  if (hint === undefined) return []
  if (traits.caches === 'not') {
    dropped.add('cache hints: not known of this model')
    return []
  }
  const ttl = hint === '1h' && traits.maker === 'claude' ? { ttl: hint } : {}
  return [{ cachePoint: { type: 'default', ...ttl } }]
}

function blockOf(part: ContentPart, at: string, { dropped }: BlockOptions): Block | null {
  switch (part.type) {
    case 'text':
      return part.text.trim() === '' ? null : { text: part.text }
    case 'image': {
      const { source, detail } = part
      if (source.type === 'url') throw noAddress(at)
      if (detail !== undefined && detail !== 'auto') dropped.add('messages: detail of an image')
      const format = source.mediaType.replace('image/', '').replace('jpg', 'jpeg')
      if (!IMAGES.has(format)) throw unsupported(at, 'This target reads PNG, JPEG, GIF and WebP images.')
      return { image: { format, source: { bytes: source.data } } }
    }
    case 'audio':
      return { audio: { format: part.format, source: { bytes: part.data } } }
    case 'file': {
      const { source, mediaType, name } = part
      if (source.type === 'url') throw noAddress(at)
      const format = Object.hasOwn(DOCUMENTS, mediaType) ? DOCUMENTS[mediaType] : undefined
      if (format === undefined) throw unsupported(at, 'This target reads no documents of this media type.')
      return { document: { format, name: documentName(name), source: { bytes: source.data } } }
    }
    default: {
      const never: never = part
      return never
    }
  }
}

/** Letters, digits, single spaces, hyphens, parentheses and brackets are allowed. */
function documentName(name = 'document'): string {
  const allowed = name
    .replaceAll(/[^A-Za-z0-9()[\]-]+/g, ' ')
    .trim()
    .slice(0, 200)
  return allowed === '' ? 'document' : allowed
}

/** A signature of another provider would be refused with the whole request. */
export function thoughtsOf(reasoning: readonly ReasoningPart[], { dropped }: BlockOptions): Block[] {
  return reasoning.flatMap(({ by, text, signature, sealed }): Block[] => {
    if (by === 'bedrock' && signature !== undefined)
      return [{ reasoningContent: { reasoningText: { text, signature } } }]
    if (by === 'bedrock' && sealed !== undefined) return [{ reasoningContent: { redactedContent: sealed } }]
    dropped.add('messages: reasoning that is not signed by Bedrock')
    return []
  })
}

function noAddress(at: string): RequestFault {
  return unsupported(at, 'This target reads no web addresses; send the data itself.')
}

function unsupported(at: string, message: string): RequestFault {
  return new RequestFault(at, message, 'unsupported_value')
}
