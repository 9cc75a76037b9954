/**
 * One target asked by its own wire: the client's own body where both speak the same dialect, its translation otherwise; a target without a
 * wire is asked neutrally.
 */
import type { Frame } from '../../dialect/codec.ts'
import { continuationOf } from '../../dialect/continuation.ts'
import { RequestFault } from '../../dialect/faults.ts'
import type { ModelEvent, ModelRequest } from '../../dialect/neutral.ts'
import { withTargetParams } from '../../dialect/target-params.ts'
import { ProviderError } from '../../errors.ts'
import type { WholeAnswer, WireCall } from '../../stage/llm.ts'
import type { Target } from './plan.ts'
import type { RunOptions } from './run.ts'

/** `said`: of an answer that broke off and is to be continued. */
export function openFrames(
  options: RunOptions,
  target: Target,
  said: string,
  signal: AbortSignal,
): AsyncIterable<readonly Frame[]> {
  const { clock, client } = options
  const { wire } = target.adapter
  const request = () =>
    continuationOf(client.neutral(), said, target.adapter.caps.prefill ? 'prefill' : 'instruct')
  if (wire) {
    const body = said === '' ? bodyFor(options, target) : translated(options, target, request)
    return wire.frames({ body, ...headersFor(options, target), signal, clock })
  }
  return framed(target.adapter.stream(neutrally(options, target, request), { signal, clock }))
}

async function* framed(events: AsyncIterable<ModelEvent>): AsyncGenerator<readonly Frame[]> {
  for await (const event of events) yield [{ raw: NOTHING, events: [event] }]
}

export async function* openWhole(
  options: RunOptions,
  target: Target,
  signal: AbortSignal,
): AsyncGenerator<WholeAnswer> {
  const { clock, client } = options
  const { wire } = target.adapter
  if (wire) {
    const body = bodyFor(options, target)
    yield await wire.whole({ body, ...headersFor(options, target), signal, clock })
    return
  }
  const events: ModelEvent[] = []
  const request = neutrally(options, target, () => client.neutral())
  for await (const event of target.adapter.stream(request, { signal, clock })) events.push(event)
  yield { text: '', events }
}

/** For a target without a wire. */
function neutrally(
  { client, dropped }: RunOptions,
  target: Target,
  request: () => ModelRequest,
): ModelRequest {
  const asked = sayable(target, () => withTargetParams(request(), target.params))
  const left = [...client.ignored(), ...(target.adapter.omits?.(asked) ?? [])]
  if (left.length > 0) dropped(target, left)
  return asked
}

/** The client's own body where the dialects are the same, its translation otherwise. */
function bodyFor(options: RunOptions, target: Target): Record<string, unknown> {
  const { codec, client, body, dropped } = options
  const { wire } = target.adapter
  const { model, params = {} } = target
  if (wire?.dialect !== codec.dialect) return translated(options, target, () => client.neutral())
  const left: string[] = []
  const fitted = wire.fit(codec.passBody(body, { model, params, delivery: client.delivery }), (member) => {
    left.push(member)
  })
  if (left.length > 0) dropped(target, left)
  return fitted
}

function headersFor({ codec, headers }: RunOptions, { adapter }: Target): Pick<WireCall, 'headers'> {
  return adapter.wire?.dialect === codec.dialect ? { headers } : {}
}

function translated(
  { client, dropped }: RunOptions,
  target: Target,
  request: () => ModelRequest,
): Record<string, unknown> {
  const made = sayable(target, () =>
    target.adapter.wire?.encode(withTargetParams(request(), target.params), client.delivery),
  )
  if (!made) throw new TypeError('a target without a wire')
  const left = [...client.ignored(), ...made.dropped]
  if (left.length > 0) dropped(target, left)
  return made.body
}

/** What this target cannot be asked another may. */
function sayable<T>({ provider }: Target, say: () => T): T {
  try {
    return say()
  } catch (error) {
    if (!(error instanceof RequestFault)) throw error
    const { message, param, code } = error
    throw new ProviderError({
      provider,
      stage: 'llm',
      kind: 'bad_request',
      message: 'the request cannot be said in its dialect',
      told: { status: 400, message, code, ...(param !== null && { param }) },
    })
  }
}

const NOTHING = { event: 'message', data: '' } as const
