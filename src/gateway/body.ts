/** A request's JSON body: valid UTF-8, an object, not too deep, and its size. */
import { isUtf8 } from 'node:buffer'
import type { FastifyInstance } from 'fastify'
import { isRecord } from '../dialect/openai-error.ts'
import { Refusal } from './failure.ts'

/** As the parser below leaves it for the handler, so that its errors are of the handler's dialect. */
export type Body = Buffer | undefined

/** No request of any API nests nearly so deep; beyond some thousands the stack would not last. */
const MAX_DEPTH = 128

/** In this scope bodies come as bytes. */
export function takeBytes(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, body),
  )
}

/** Throws `Refusal`. */
export function bodyOf(bytes: Body): {
  readonly body: Readonly<Record<string, unknown>>
  readonly bytes: number
} {
  if (!bytes || bytes.length === 0)
    throw new Refusal('invalid_json', 'The body is empty; it must be a JSON object.')
  if (!isUtf8(bytes)) throw new Refusal('invalid_json', 'The body is not valid UTF-8.')
  let body: unknown
  try {
    body = JSON.parse(bytes.toString('utf8'))
  } catch {
    throw new Refusal('invalid_json', 'The body is not valid JSON.')
  }
  if (!isRecord(body)) throw new Refusal('invalid_json', 'The body must be a JSON object.')
  if (isDeeper(body, MAX_DEPTH))
    throw new Refusal('invalid_json', `The body is nested deeper than ${MAX_DEPTH} levels.`)
  return { body, bytes: bytes.length }
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (levels === 0) return true
  for (const name in value) if (isDeeper((value as Record<string, unknown>)[name], levels - 1)) return true
  return false
}
