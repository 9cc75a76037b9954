/** Items of a response, as they grow, as neutral events. What is told already is counted, so that nothing is told twice. Pure. */
import type { DecoderOptions } from '../codec.ts'
import { StreamFault } from '../faults.ts'
import type { ModelEvent } from '../neutral.ts'
import { isRecord } from '../openai-error.ts'
import { CallDecoder } from './decode-calls.ts'
import { neutralLogprobs } from './logprobs.ts'

type Json = Record<string, unknown>

/** Far above any real answer. */
const ITEMS = 4_096

export class ItemDecoder {
  readonly #calls: CallDecoder
  /** Characters told, by `item/part`; of thoughts by `item`. */
  readonly #told = new Map<string, number>()
  /** Which of its two texts a reasoning item is told by, and the last part of it, by the item's index. */
  readonly #thoughts = new Map<number, { readonly kind: string; part: number }>()
  /** By index; its id where it has one. */
  readonly #over = new Map<number, string | undefined>()
  readonly #overIds = new Set<string>()

  constructor(options: DecoderOptions) {
    this.#calls = new CallDecoder(options)
  }

  /** Calls given so far. */
  get calls(): number {
    return this.#calls.given
  }

  read(event: Json): ModelEvent[] {
    const index = indexOf(event['output_index'])
    switch (event['type']) {
      case 'response.output_item.added':
        return isCall(event['item']) ? this.#calls.open(index, event['item']) : []
      case 'response.output_item.done':
        return this.#itemDone(index, event['item'])
      case 'response.output_text.delta':
      case 'response.refusal.delta': {
        const events = this.#text(index, indexOf(event['content_index']), textOf(event['delta']))
        return [...events, ...logprobsOf(event['logprobs'])]
      }
      case 'response.output_text.done':
        return this.#wholeText(index, indexOf(event['content_index']), event['text'])
      case 'response.refusal.done':
        return this.#wholeText(index, indexOf(event['content_index']), event['refusal'])
      case 'response.reasoning_summary_text.delta':
        return this.#thought(index, 'summary', indexOf(event['summary_index']), textOf(event['delta']))
      case 'response.reasoning_text.delta':
        return this.#thought(index, 'content', indexOf(event['content_index']), textOf(event['delta']))
      case 'response.function_call_arguments.delta':
        return this.#calls.grow(index, textOf(event['delta']))
      // Parts, annotations, built-in tools, and what is not known yet: of no meaning to another dialect.
      default:
        return []
    }
  }

  /** What of `output` was not told. */
  rest(output: readonly unknown[]): ModelEvent[] {
    const events = output.flatMap((item, i) => {
      const id = isRecord(item) && typeof item['id'] === 'string' ? item['id'] : undefined
      if (id !== undefined && this.#overIds.has(id)) return []
      // Where both have ids and these differ, the list counts otherwise than the events did.
      if (this.#over.has(i) && (id === undefined || this.#over.get(i) === undefined)) return []
      return this.#itemDone(this.#over.has(i) ? i + ITEMS : i, item)
    })
    return [...events, ...this.#calls.closeAll()]
  }

  #itemDone(index: number, item: unknown): ModelEvent[] {
    if (!isRecord(item) || this.#over.has(index)) return []
    const id = typeof item['id'] === 'string' ? item['id'] : undefined
    if (this.#over.size >= ITEMS) throw new StreamFault('transient', `more than ${ITEMS} items in one answer`)
    this.#over.set(index, id)
    if (id !== undefined) this.#overIds.add(id)
    switch (item['type']) {
      case 'message':
        return listOf(item['content']).flatMap((part, j) =>
          this.#wholeText(index, j, part['text'] ?? part['refusal'], part['logprobs']),
        )
      case 'function_call':
        return this.#calls.close(index, item)
      case 'reasoning':
        return this.#sealed(index, item)
      default:
        return []
    }
  }

  #text(index: number, part: number, text: string): ModelEvent[] {
    if (text === '') return []
    this.#tell(`${index}/${part}`, text.length)
    return [{ type: 'text', text }]
  }

  /** `whole` may say more than its deltas did. */
  #wholeText(index: number, part: number, whole: unknown, logprobs?: unknown): ModelEvent[] {
    const told = this.#told.get(`${index}/${part}`) ?? 0
    const events = this.#text(index, part, textOf(whole).slice(told))
    return told === 0 && events.length > 0 ? [...events, ...logprobsOf(logprobs)] : events
  }

  #thought(index: number, kind: string, part: number, text: string): ModelEvent[] {
    if (text === '') return []
    const at = this.#thoughts.get(index) ?? { kind, part }
    // A summary and the thoughts themselves: the one that came first is told.
    if (at.kind !== kind) return []
    const pause = at.part === part ? '' : '\n\n'
    at.part = part
    this.#thoughts.set(index, at)
    this.#tell(`${index}`, text.length)
    return [{ type: 'reasoning', text: pause + text }]
  }

  #sealed(index: number, item: Json): ModelEvent[] {
    const events: ModelEvent[] = []
    if (!this.#told.has(`${index}`)) {
      const kind = listOf(item['summary']).length > 0 ? 'summary' : 'content'
      for (const [part, { text }] of listOf(item[kind]).entries())
        events.push(...this.#thought(index, kind, part, textOf(text)))
    }
    const sealed = item['encrypted_content']
    if (typeof sealed === 'string' && sealed !== '')
      events.push({ type: 'reasoningSeal', sealed, by: 'openai-responses' })
    // Without a seal, too, the next thought is another one.
    else if (this.#told.has(`${index}`)) events.push({ type: 'reasoningSeal' })
    return events
  }

  #tell(key: string, characters: number): void {
    const before = this.#told.get(key)
    if (before === undefined && this.#told.size >= ITEMS)
      throw new StreamFault('transient', `more than ${ITEMS} parts in one answer`)
    this.#told.set(key, (before ?? 0) + characters)
  }
}

function isCall(item: unknown): item is Json {
  return isRecord(item) && item['type'] === 'function_call'
}

function logprobsOf(value: unknown): ModelEvent[] {
  const content = neutralLogprobs(value)
  return content.length > 0 ? [{ type: 'logprobs', content }] : []
}

function listOf(value: unknown): Json[] {
  return Array.isArray(value) ? value.map((one) => (isRecord(one) ? one : {})) : []
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function indexOf(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : 0
}
