/** Function calls of a response, which may be written side by side: given whole, in the order in which they began. Pure. */
import type { DecoderOptions } from '../codec.ts'
import { StreamFault } from '../faults.ts'
import type { ModelEvent, ToolCall } from '../neutral.ts'

interface OpenCall {
  readonly place: number
  callId: string
  name: string
  arguments: string[]
  length: number
  /** How many of `arguments` were told. */
  told: number
  begun: boolean
  whole: ToolCall | undefined
}

type Json = Record<string, unknown>

const CALLS = 64
const ARGUMENT_CHARACTERS = 1_000_000

export class CallDecoder {
  readonly #newCallId: () => string
  readonly #detail: DecoderOptions['calls']
  readonly #calls: OpenCall[] = []
  readonly #byItem = new Map<number, OpenCall>()
  #given = 0

  constructor({ newCallId, calls }: DecoderOptions) {
    this.#newCallId = newCallId
    this.#detail = calls
  }

  get given(): number {
    return this.#given
  }

  /** `item` is the call's index in the output. */
  open(item: number, { call_id: callId, name, arguments: args }: Json): ModelEvent[] {
    const call = this.#at(item)
    if (typeof callId === 'string' && callId !== '') call.callId = callId
    if (typeof name === 'string' && name !== '') call.name = name
    if (typeof args === 'string') this.#add(call, args)
    return this.#delta(call)
  }

  grow(item: number, text: string): ModelEvent[] {
    const call = this.#at(item)
    this.#add(call, text)
    return this.#delta(call)
  }

  /** With all it has to say, which counts above the pieces. */
  close(item: number, { call_id: callId, name, arguments: args }: Json): ModelEvent[] {
    const call = this.#at(item)
    if (call.whole) return []
    if (call.callId === '' && typeof callId === 'string') call.callId = callId
    if (call.name === '' && typeof name === 'string') call.name = name
    const whole = typeof args === 'string' && args !== '' ? args : call.arguments.join('')
    if (whole.length > ARGUMENT_CHARACTERS) throw tooLong()
    return this.#whole(call, whole)
  }

  /** The answer is over. */
  closeAll(): ModelEvent[] {
    return this.#calls.flatMap((call) => (call.whole ? [] : this.#whole(call, call.arguments.join(''))))
  }

  #whole(call: OpenCall, args: string): ModelEvent[] {
    if (call.name === '') throw new StreamFault('transient', 'a tool call without a name')
    call.callId ||= this.#newCallId()
    call.whole = { callId: call.callId, name: call.name, arguments: args === '' ? '{}' : args }
    call.arguments = []
    const events: ModelEvent[] = []
    for (let next = this.#calls[this.#given]; next?.whole; next = this.#calls[++this.#given])
      events.push({ type: 'toolCall', call: next.whole })
    return events
  }

  #at(item: number): OpenCall {
    const known = this.#byItem.get(item)
    if (known) return known
    if (this.#calls.length >= CALLS)
      throw new StreamFault('transient', `more than ${CALLS} calls in one answer`)
    const place = this.#calls.length
    const call: OpenCall = {
      place,
      callId: '',
      name: '',
      arguments: [],
      length: 0,
      told: 0,
      begun: false,
      whole: undefined,
    }
    this.#calls.push(call)
    this.#byItem.set(item, call)
    return call
  }

  #add(call: OpenCall, text: string): void {
    if (text === '' || call.whole) return
    call.length += text.length
    if (call.length > ARGUMENT_CHARACTERS) throw tooLong()
    call.arguments.push(text)
  }

  #delta(call: OpenCall): ModelEvent[] {
    if (this.#detail === 'whole' || call.name === '' || call.whole) return []
    const text = call.arguments.slice(call.told).join('')
    if (call.begun && text === '') return []
    call.told = call.arguments.length
    call.begun = true
    call.callId ||= this.#newCallId()
    const { place: index, callId, name } = call
    return [{ type: 'toolCallDelta', index, callId, name, arguments: text }]
  }
}

function tooLong(): StreamFault {
  return new StreamFault(
    'transient',
    `the arguments of a call are longer than ${ARGUMENT_CHARACTERS} characters`,
  )
}
