/**
 * One request to a language model over HTTP, from its body to the last byte of its answer:
 *
 *     admit: read, plan ─► run: attempts, frames ─► reply ─► settle: record, metrics, experiments
 */
import { randomUUID } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type {} from '../../access/plugin.ts'
import { isCancelled } from '../../cancel.ts'
import { withMember } from '../../dialect/json-text.ts'
import type { Costs } from '../../price/pricing.ts'
import { type Body, bodyOf } from '../body.ts'
import { leavingScope } from '../leaving.ts'
import { originOf } from '../origin.ts'
import { type RecordDeps, RequestRecord } from '../record.ts'
import type { Shape } from './codecs.ts'
import { factsOf } from './facts.ts'
import { type PlanDeps, planFor } from './plan.ts'
import { replyStreamed } from './reply-stream.ts'
import { type RunOptions, streamed, type Windows, whole } from './run.ts'

export interface ServeDeps extends PlanDeps, RecordDeps {
  readonly pricing: Costs
  readonly windows: Windows
}

/** Resolves when the answer was sent. Throws what `failFactsOf` turns into an error of the caller's shape. */
export async function serve(
  shape: Shape,
  request: FastifyRequest,
  reply: FastifyReply,
  deps: ServeDeps,
): Promise<unknown> {
  const { codec, wire, idPrefix } = shape
  const { clock, health } = deps
  const { body, bytes } = bodyOf(request.body as Body)
  const client = codec.read(body)
  const id = randomUUID().replaceAll('-', '')
  const origin = originOf(request, { body, user: client.user, wire, sessionId: `req_${id}` })
  const plan = planFor(client.model, deps, (turnMs) =>
    factsOf({ client, origin, turnMs, health: health.health('llm', null), wallMs: clock.wallMs() }),
  )
  const record = new RequestRecord(
    { id: `turn_${id}`, keyId: origin.key?.id ?? null, wire, sessionId: origin.sessionId, plan },
    deps,
  )
  const scope = leavingScope(reply)
  const run: RunOptions = {
    codec,
    client,
    body,
    bytes,
    without: OURS,
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
  let outcome: 'said' | 'failed' = 'failed'
  try {
    if (client.delivery === 'stream') {
      outcome = await replyStreamed(streamed(run), {
        reply,
        writer: codec.writer(head, body),
        record,
        signal: scope.signal,
        headers: () => record.headers(),
        trailer: () => record.trailer(record.now),
      })
      return reply
    }
    const { answer, target } = await whole(run)
    record.first()
    outcome = 'said'
    const final = record.settle(outcome)
    const trailer = record.trailer(final)
    const same = target.adapter.wire?.dialect === codec.dialect
    const text = same
      ? withMember(answer.text, trailer)
      : JSON.stringify({ ...codec.encodeAnswer(answer.events, head, body), ...trailer })
    reply.headers(record.headers()).type('application/json; charset=utf-8')
    return reply.send(text)
  } catch (error) {
    if (!scope.signal.aborted) {
      reply.headers(record.headers())
      throw error
    }
    // Nobody is left to be told.
    if (!isCancelled(scope.signal.reason)) throw error
    reply.hijack()
    reply.raw.destroy()
    return reply
  } finally {
    record.settle(scope.signal.aborted ? 'cancelled' : outcome)
    scope.release()
  }
}

const OURS: ReadonlySet<string> = new Set(['parley'])
