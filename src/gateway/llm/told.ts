/** What an answer says about itself, beside the answer: members of its closing event and headers, in the dialects the caller routed in. */
import type { FastifyRequest } from 'fastify'
import type { TurnRecord } from '../../trace/record.ts'
import { answerHeaders, openrouterMetadata, type Preferences, routerMetadata } from '../preferences/index.ts'
import type { RequestRecord } from '../record.ts'
import type { Plan } from './plan.ts'

export class AnswerTold {
  readonly #record: RequestRecord
  readonly #plan: Plan
  readonly #preferences: Preferences
  readonly #traceId: string | null

  constructor(record: RequestRecord, plan: Plan, preferences: Preferences, request: FastifyRequest) {
    const traceId = request.headers['x-portkey-trace-id']
    this.#record = record
    this.#plan = plan
    this.#preferences = preferences
    this.#traceId = typeof traceId === 'string' ? traceId : null
  }

  headers(record = this.#record.now): Readonly<Record<string, string>> {
    const { order, told } = this.#plan
    return answerHeaders(record, {
      preferences: this.#preferences,
      order,
      requested: told.requested,
      traceId: this.#traceId,
    })
  }

  /** `parley`, and what gateways that the caller is used to would say. */
  trailer(record: TurnRecord = this.#record.now): Readonly<Record<string, unknown>> {
    const { told } = this.#plan
    const { tellsRouting, dialects, ignored } = this.#preferences
    const { by, stuckTo, lost } = told.strategy
    const routing = by.length + lost.length + ignored.length > 0 || stuckTo !== null
    const own = this.#record.trailer(record, routing ? { routing: { ...told.strategy, ignored } } : {})
    if (!tellsRouting && !dialects.includes('inworld')) return own
    return {
      ...own,
      ...(tellsRouting && { openrouter_metadata: openrouterMetadata(record, told) }),
      ...(dialects.includes('inworld') && { metadata: routerMetadata(record, told) }),
    }
  }
}
