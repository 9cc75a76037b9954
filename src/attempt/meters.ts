/** What one attempt used and cost. A stream that was cut before it told its usage is reckoned by its characters. */
import type { Clock } from '../clock.ts'
import type { ModelEvent, ModelRequest, ModelUsage } from '../dialect/neutral.ts'
import type { Costs } from '../price/pricing.ts'
import type { TtsEvent } from '../stage/tts.ts'
import { type AttemptTarget, idOf } from './failure.ts'
import type { Meter } from './log.ts'

/** Of European languages; Chinese and Japanese have fewer. */
const CHARS_PER_TOKEN = 4

export function modelMeter(
  pricing: Costs,
  target: AttemptTarget,
  request: ModelRequest,
  clock: Clock,
): Meter<ModelEvent> {
  return usageMeter(pricing, target, () => tokensIn(request), clock)
}

/** `promptTokens` is asked where the provider did not say. */
export function usageMeter(
  pricing: Costs,
  target: AttemptTarget,
  promptTokens: () => number,
  clock: Clock,
): Meter<ModelEvent> {
  let usage: ModelUsage | undefined
  let chars = 0
  let firstAt: number | undefined
  let lastAt = 0
  return {
    item(event) {
      if (event.type === 'usage') usage = event.usage
      if (event.type === 'text' || event.type === 'reasoning') chars += event.text.length
      else if (event.type === 'toolCall') chars += event.call.arguments.length + event.call.name.length
      else return
      lastAt = clock.now()
      firstAt ??= lastAt
    },
    end() {
      const used = usage ?? {
        inputTokens: promptTokens(),
        outputTokens: Math.ceil(chars / CHARS_PER_TOKEN),
      }
      const seconds = (lastAt - (firstAt ?? lastAt)) / 1000
      return {
        costUsd: pricing.tokens(idOf(target), used),
        unitsPerSecond: seconds > 0 ? used.outputTokens / seconds : null,
      }
    },
  }
}

/** `said`: characters given to this voice so far. */
export function voiceMeter(pricing: Costs, target: AttemptTarget, said: () => number): Meter<TtsEvent> {
  return {
    item() {},
    end: () => ({ costUsd: pricing.characters(idOf(target), said()), unitsPerSecond: null }),
  }
}

function tokensIn({ messages, tools = [] }: ModelRequest): number {
  let chars = tools.length > 0 ? JSON.stringify(tools).length : 0
  for (const message of messages) chars += message.text.length
  return Math.ceil(chars / CHARS_PER_TOKEN)
}
