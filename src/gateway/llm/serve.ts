/**
 * One request to a language model over HTTP, from its body to the last byte of its answer:
 *
 *     admit: read, plan ─► run: attempts, frames ─► reply ─► settle: record, metrics, experiments
 */
import { randomUUID } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type {} from '../../access/plugin.ts'
import { idOf } from '../../attempt/failure.ts'
import { isCancelled } from '../../cancel.ts'
import { withMember } from '../../dialect/json-text.ts'
import { type Body, bodyOf } from '../body.ts'
import { leavingScope } from '../leaving.ts'
import { originOf } from '../origin.ts'
import { readPreferences } from '../preferences/index.ts'
import { type RecordDeps, RequestRecord } from '../record.ts'
import type { Shape } from './codecs.ts'
import { factsOf } from './facts.ts'
import { passedHeaders } from './passed-headers.ts'
import { type PlanDeps, planFor } from './plan.ts'
import { replyStreamed } from './reply-stream.ts'
import { type RunOptions, streamed, type Windows, whole } from './run.ts'
import { AnswerTold } from './told.ts'

export interface ServeDeps extends PlanDeps, RecordDeps {
  readonly windows: Windows
}

/** Resolves when the answer was sent. Throws what `failFactsOf` turns into an error of the caller's shape. */
export async function serve(
  shape: Shape,
  request: FastifyRequest,
  reply: FastifyReply,
  deps: ServeDeps,
): Promise<unknown> {
  const { codec, wire, idPrefix, api } = shape
  const { clock, health, pins } = deps
  const given = bodyOf(request.body as Body)
  const read = readPreferences(given.body, request.headers, { api })
  const { body } = read.rest
  const client = codec.read(body)
  const headers = passedHeaders(request.headers, shape.headers)
  const id = randomUUID().replaceAll('-', '')
  const origin = originOf(request, read.preferences, { wire, sessionId: `req_${id}` })
  const { session } = read.preferences
  const pinKey = session === null ? null : `${origin.key?.id ?? ''} ${session}`
  const plan = planFor(
    {
      read,
      key: origin.user ?? pinKey ?? id,
      pinKey,
      factsFor: (turnMs) =>
        factsOf({ client, origin, turnMs, health: health.health('llm', null), wallMs: clock.wallMs() }),
    },
    deps,
  )
  const keyId = origin.key?.id ?? null
  const record = new RequestRecord({ id: `turn_${id}`, keyId, wire, sessionId: origin.sessionId, plan }, deps)
  const told = new AnswerTold(record, plan, read.preferences, request)
  const scope = leavingScope(reply)
  const limit =
    plan.timeoutMs === null ? null : clock.setTimer(plan.timeoutMs, () => scope.cancel('deadline'))
  const run: RunOptions = {
    codec,
    client,
    body,
    headers,
    bytes: given.bytes,
    plan,
    clock,
    health,
    pricing: deps.pricing,
    trace: record.trace,
    signal: scope.signal,
    windows: deps.windows,
    dropped: (target, members) => record.dropped(target, members),
  }
  const head = { id: `${idPrefix}${id}`, model: client.model, createdS: Math.floor(clock.wallMs() / 1000) }
  const answered = (target: string) => {
    if (pinKey !== null) pins.answered(pinKey, target)
  }
  let outcome: 'said' | 'failed' = 'failed'
  try {
    if (client.delivery === 'stream') {
      outcome = await replyStreamed(streamed(run), {
        reply,
        writer: codec.writer(head, body),
        record,
        signal: scope.signal,
        clock,
        readerMs: deps.windows.idleMs,
        headers: () => told.headers(),
        trailer: () => told.trailer(),
        answered,
      })
      return reply
    }
    const { answer, target } = await whole(run)
    record.first()
    outcome = 'said'
    answered(idOf(target))
    const final = record.settle(outcome)
    const trailer = told.trailer(final)
    const same = target.adapter.wire?.dialect === codec.dialect
    const text = same
      ? withMember(answer.text, trailer)
      : JSON.stringify({ ...codec.encodeAnswer(answer.events, head, body), ...trailer })
    reply.headers(told.headers(final)).type('application/json; charset=utf-8')
    return reply.send(text)
  } catch (error) {
    const { signal } = scope
    if (!signal.aborted || (isCancelled(signal.reason) && signal.reason.reason === 'deadline')) {
      reply.headers(told.headers())
      throw error
    }
    // Nobody is left to be told.
    if (!isCancelled(signal.reason)) throw error
    reply.hijack()
    reply.raw.destroy()
    return reply
  } finally {
    limit?.cancel()
    record.settle(scope.signal.aborted ? 'cancelled' : outcome)
    scope.release()
  }
}
