/** The log: one JSON object a line, redacted before it is written. */
import {
  type Bindings,
  type ChildLoggerOptions,
  type DestinationStream,
  type Logger,
  pino,
  stdTimeFunctions,
} from 'pino'
import { redact, type Words } from './redact.ts'

export interface LogSettings {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'
  /** Words that were said or written may be logged. */
  readonly transcripts: boolean
}

/** `destination`: standard output when left out. Fastify takes it as `loggerInstance`. */
export function createLogger(settings: LogSettings, destination?: DestinationStream): Logger {
  const words: Words = settings.transcripts ? 'shown' : 'hidden'
  const log = pino(
    {
      level: settings.level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: (facts) => redactFacts(facts, words) },
      serializers: { req: requestLine, res: responseLine, err: (error: unknown) => redact(error, words) },
    },
    destination ?? pino.destination(1),
  )
  return guardChildren(log, words)
}

type MakeChild = (this: Logger, bindings: Bindings, options?: ChildLoggerOptions) => Logger

/** Pino formats what is logged but not what a child logger is bound to; children inherit this from their parent. */
function guardChildren(log: Logger, words: Words): Logger {
  const child = log.child as unknown as MakeChild
  const guarded: MakeChild = function (bindings, options) {
    return child.call(this, redactFacts(bindings, words), options)
  }
  log.child = guarded as unknown as Logger['child']
  return log
}

/** Members with a serializer below are left to it: a request is far too large to copy. */
function redactFacts(facts: Record<string, unknown>, words: Words): Record<string, unknown> {
  const { req, res, err, ...rest } = facts
  const safe = redact(rest, words) as Record<string, unknown>
  if (req !== undefined) safe['req'] = req
  if (res !== undefined) safe['res'] = res
  if (err !== undefined) safe['err'] = err
  return safe
}

/** The path alone: a query may hold metadata and a user's name, headers hold keys. */
function requestLine(request: {
  readonly method?: unknown
  readonly url?: unknown
  readonly id?: unknown
}): object {
  return { method: request.method, path: String(request.url ?? '').split('?', 1)[0], id: request.id }
}

function responseLine(reply: { readonly statusCode?: unknown }): object {
  return { status: reply.statusCode }
}
