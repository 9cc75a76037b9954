/** The parts of a package's stream as neutral events. Pure. */
import { StreamFault } from '../../dialect/faults.ts'
import type { FinishReason, ModelEvent, ModelUsage, ToolCall } from '../../dialect/neutral.ts'
import { errorOf, isRecord } from '../../dialect/openai-error.ts'
import type { SpecFinish, SpecUsage, StreamPart } from './spec.ts'

export class PartReader {
  #calls = 0
  #done: 'no' | 'yes' = 'no'

  /** `finish` was given. */
  get done(): boolean {
    return this.#done === 'yes'
  }

  /** Throws `StreamFault`, or the error that the package put into its stream. */
  read(part: StreamPart): ModelEvent[] {
    switch (part.type) {
      case 'text-delta':
        return part.delta === '' ? [] : [{ type: 'text', text: part.delta }]
      case 'reasoning-delta':
        return part.delta === '' ? [] : [{ type: 'reasoning', text: part.delta }]
      case 'tool-call': {
        // What ran at the provider is nobody's to answer.
        if (part.providerExecuted) return []
        this.#calls++
        const { toolCallId: callId, toolName: name, input } = part
        return [
          {
            type: 'toolCall',
            call: { callId, name, arguments: input, ...signatureIn(part.providerMetadata) },
          },
        ]
      }
      case 'finish': {
        this.#done = 'yes'
        const usage = usageOf(part.usage)
        return [
          ...(usage ? [{ type: 'usage' as const, usage }] : []),
          { type: 'finish', reason: reasonOf(part.finishReason, this.#calls) },
        ]
      }
      case 'error':
        throw faultIn(part.error)
      default:
        return []
    }
  }
}

/** Gemini's, by whichever key the package has for it. */
function signatureIn(metadata: Readonly<Record<string, unknown>> = {}): Pick<ToolCall, 'thoughtSignature'> {
  for (const own of Object.values(metadata)) {
    if (isRecord(own) && typeof own['thoughtSignature'] === 'string')
      return { thoughtSignature: own['thoughtSignature'] }
  }
  return {}
}

/** What is no `Error` is what the provider wrote: an object with its code, or its sentence, which is kept from everybody. */
function faultIn(error: unknown): unknown {
  if (error instanceof Error) return error
  if (!isRecord(error)) return new StreamFault('transient', 'the stream reported an error')
  const { kind, message, declined } = errorOf(error)
  return new StreamFault(kind, message, declined)
}

function reasonOf(finish: SpecFinish, calls: number): FinishReason {
  const { unified, raw } = typeof finish === 'string' ? { unified: finish, raw: finish } : finish
  switch (unified) {
    case 'stop':
      return calls > 0 ? 'tool_calls' : 'stop'
    case 'length':
      return 'length'
    case 'content-filter':
      return 'content_filter'
    case 'tool-calls':
      return 'tool_calls'
    case 'other':
      // Packages begin with this word: without the provider's own, none came.
      if (raw === undefined) throw new StreamFault('transient', 'the stream ended without a finish')
      return calls > 0 ? 'tool_calls' : 'stop'
    case 'error':
      throw new StreamFault('transient', 'the stream ended with an error')
    default:
      throw new StreamFault('transient', 'the stream ended without a finish')
  }
}

function usageOf(usage: SpecUsage | undefined): ModelUsage | undefined {
  const { inputTokens, outputTokens, cachedInputTokens, reasoningTokens } = usage ?? {}
  const input =
    typeof inputTokens === 'object' ? inputTokens : { total: inputTokens, cacheRead: cachedInputTokens }
  const output =
    typeof outputTokens === 'object' ? outputTokens : { total: outputTokens, reasoning: reasoningTokens }
  if (!isCount(input.total) && !isCount(output.total)) return undefined
  const written = 'cacheWrite' in input ? input.cacheWrite : undefined
  return {
    inputTokens: isCount(input.total) ? input.total : 0,
    outputTokens: isCount(output.total) ? output.total : 0,
    ...(isCount(input.cacheRead) && { cachedTokens: input.cacheRead }),
    ...(isCount(written) && { cacheWriteTokens: written }),
    ...(isCount(output.reasoning) && { reasoningTokens: output.reasoning }),
  }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}
