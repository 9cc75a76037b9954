/**
 * One language model of a package: a neutral request in, its stream of parts as neutral events out, by `doStream` alone. An abort settles
 * at once, whatever the package does with its signal.
 */
import { nativeSignal, openScope, orAborted } from '../../cancel.ts'
import { RequestFault, StreamFault } from '../../dialect/faults.ts'
import type { ModelEvent, ModelRequest } from '../../dialect/neutral.ts'
import type { LlmAdapter, LlmStreamOptions } from '../../stage/llm.ts'
import { providerErrorOf } from './fault.ts'
import { PartReader } from './parts.ts'
import { callOptionsOf, omittedFrom } from './request.ts'
import type { SpecModel, SpecVersion, SpecWarning, StreamPart } from './spec.ts'

export interface AiSdkModel {
  readonly provider: string
  readonly model: string
  /** Loads the package when it is first called. Throws what loading throws. */
  readonly load: (model: string) => Promise<SpecModel>
  readonly secrets: () => readonly string[]
  /** A setting that the package says it leaves out. */
  readonly onIgnored: (feature: string) => void
}

export function aiSdkModel(own: AiSdkModel): LlmAdapter {
  let version: SpecVersion | undefined
  return {
    id: `${own.provider}/${own.model}`,
    caps: { tools: true, json: true, prefill: false },
    omits: (request) => omittedFrom(request, version),
    stream: (request, options) =>
      eventsOf(own, request, options, (model) => {
        version = model.specificationVersion
      }),
  }
}

async function* eventsOf(
  { provider, model, load, secrets, onIgnored }: AiSdkModel,
  request: ModelRequest,
  { signal, clock }: LlmStreamOptions,
  loaded: (model: SpecModel) => void,
): AsyncGenerator<ModelEvent> {
  signal.throwIfAborted()
  // Its own scope, so that a reader who leaves early closes the request too.
  const scope = openScope(signal)
  let leave = () => {}
  try {
    const spec = await orAborted(load(model), scope.signal)
    loaded(spec)
    const call = { ...callOptionsOf(request, spec), abortSignal: nativeSignal(scope.signal) }
    const opening = Promise.resolve(spec.doStream(call))
    // One that opens after all when nobody waits any more is closed.
    leave = () => void opening.then(({ stream }) => stream.cancel()).catch(() => {})
    const reader = (await orAborted(opening, scope.signal)).stream.getReader()
    leave = () => void reader.cancel().catch(() => {})
    const parts = new PartReader()
    while (!parts.done) {
      const { done, value } = await orAborted(reader.read(), scope.signal)
      if (done) throw new StreamFault('transient', 'the stream ended without a finish')
      const part: StreamPart = value
      if (part.type === 'stream-start') heed(part.warnings ?? [], request, onIgnored)
      yield* parts.read(part)
    }
  } catch (error) {
    signal.throwIfAborted()
    throw providerErrorOf(error, { provider, clock, secrets })
  } finally {
    scope.cancel('done')
    leave()
  }
}

/** A package tells which settings it leaves out. An answer without its schema would be another answer. */
function heed(
  warnings: readonly SpecWarning[],
  { responseFormat }: ModelRequest,
  onIgnored: (feature: string) => void,
): void {
  for (const { feature, setting } of warnings) {
    const what = feature ?? setting
    if (typeof what !== 'string') continue
    if (what === 'responseFormat' && responseFormat?.type === 'schema')
      throw new RequestFault(null, 'This target cannot hold its answer to a schema.', 'unsupported_value')
    onIgnored(what)
  }
}
