/**
 * A chat completions server that knows every question of a run and answers it word by word, from where an answer broke
 * off if it is asked to go on; that breaks as the run's plan says; and that holds each prompt against what the caller heard.
 * It writes to an `Exchange`, which is a real HTTP response or one in memory.
 */
import { openScope } from '../../src/cancel.ts'
import { type Clock, delay } from '../../src/clock.ts'
import { chatMistakes } from '../../src/testing/model/openai-mistakes.ts'
import type { Fault, TurnPlan } from './plan.ts'
import { type Random, seeded } from './random.ts'
import { codesOf, lastQuestion } from './words.ts'
import type { World } from './world.ts'

export interface Exchange {
  head(status: number, headers: Readonly<Record<string, string>>): void
  write(text: string): void
  end(): void
  drop(): void
}

type Loose = Record<string, unknown>
interface Message {
  readonly role: string
  readonly content?: string | null
  readonly tool_calls?: readonly unknown[]
}

const GO_ON = 'You were interrupted by a fault of the line.'
export const TOOL = 'look_up'
export const MODEL_KEY = 'sk-chaos-0123456789'
/** After the first sentences, so that they sound when the rest breaks. */
const UNTIL_IT_SOUNDS_MS = 1_600
const SLOW_MS = 2_600
const DRIP_MS = 420
const KEEP_ALIVE_MS = 500
const LATE_FOR_MS = 1_500

interface Asked {
  readonly plan: TurnPlan
  /** What is to be written, in tokens. */
  readonly tokens: readonly string[]
  /** Index of the token before which an `after` fault strikes. */
  readonly middle: number
  readonly call: 'call' | 'none'
  /** The rest of an answer that broke off: its beginning sounds already. */
  readonly goesOn: boolean
  readonly random: Random
}

export class ChatDouble {
  readonly mistakes: string[] = []
  readonly #world: World
  readonly #clock: Clock
  #open = 0
  #calls = 0

  constructor(world: World, clock: Clock) {
    this.#world = world
    this.#clock = clock
  }

  /** Answers under way. */
  get open(): number {
    return this.#open
  }

  /** Returns what to call when the client is gone. */
  answer(body: Loose, headers: Record<string, string | undefined>, exchange: Exchange): () => void {
    const scope = openScope()
    const client = { here: true }
    this.#open++
    void this.#run(body, headers, exchange, scope.signal, client)
      .catch((error: unknown) => {
        if (!scope.signal.aborted) throw error
      })
      .finally(() => this.#open--)
    return () => {
      client.here = false
      scope.cancel('hangup')
    }
  }

  async #run(
    body: Loose,
    headers: Record<string, string | undefined>,
    exchange: Exchange,
    signal: AbortSignal,
    client: { readonly here: boolean },
  ): Promise<void> {
    if (headers['authorization'] !== `Bearer ${MODEL_KEY}`)
      return this.#refuse(exchange, 401, 'invalid_api_key')
    const mistakes = chatMistakes(body, headers)
    if (mistakes.length > 0) {
      this.mistakes.push(...mistakes)
      return this.#refuse(exchange, 400, 'invalid_value')
    }
    const asked = this.#asked(body['messages'] as Message[])
    const wait = (ms: number) => delay(this.#clock, ms, signal)
    if (!asked) {
      // A guess at words that are not complete; whatever is answered is never heard.
      await wait(150)
      return this.#whole(body, ['I', ' wonder.'], exchange)
    }
    const { plan, random, tokens, middle } = asked
    const fault = this.#faultOf(asked)
    const struck = () => fault && this.#world.strikes(plan.turn, fault)
    this.#world.note(plan.turn, `model asked for ${tokens.length} tokens`)
    if (fault?.name === 'refuse' && fault.when === 'before') {
      struck()
      await wait(20)
      return this.#refuse(exchange, 503, 'server_error')
    }
    if (fault?.name === 'rate-limit' && fault.when === 'before') {
      struck()
      await wait(20)
      return this.#refuse(exchange, 429, 'rate_limit_exceeded')
    }
    await wait(random.int(60, 260))
    exchange.head(200, { 'content-type': 'text/event-stream; charset=utf-8' })
    exchange.write(chunk(body, { role: 'assistant', content: '' }))
    const strikeAt = fault ? (fault.when === 'before' ? 0 : middle) : Number.POSITIVE_INFINITY
    let everyMs = random.int(8, 30)
    for (const [i, token] of [...tokens, null].entries()) {
      if (token === null && asked.call === 'call') this.#call(body, plan, exchange)
      if (fault && i === Math.min(strikeAt, tokens.length)) {
        struck()
        // A call alone is an answer that is there at once.
        if (fault.when === 'after' && tokens.length > 0 && !asked.goesOn) await wait(UNTIL_IT_SOUNDS_MS)
        if ((await this.#misbehave(fault, body, exchange, signal, client, tokens.slice(i))) === 'over') return
        if (fault.name === 'drip') everyMs = DRIP_MS
      }
      if (token === null) break
      exchange.write(chunk(body, { content: token }))
      await wait(everyMs)
    }
    exchange.write(chunk(body, {}, asked.call === 'call' ? 'tool_calls' : 'stop'))
    exchange.write('data: [DONE]\n\n')
    exchange.end()
  }

  /** What is asked: an answer, its rest, or a call. */
  #asked(messages: readonly Message[]): Asked | null {
    const last = messages.at(-1)
    const goesOn = last?.role === 'user' && last.content?.startsWith(GO_ON)
    const begun = goesOn ? (messages.at(-2)?.content ?? '') : ''
    const told = goesOn ? messages.slice(0, -2) : messages
    const at = told.findLastIndex(({ role }) => role === 'user')
    const question = lastQuestion(told[at]?.content ?? '')
    const plan = question && this.#world.plan(question.turn)
    if (!plan || question.words.length > plan.question.length) return null
    if (question.words.some((word, i) => word !== plan.question[i])) {
      this.#world.wrong(plan.turn, `the model was asked "${question.words.join(' ')}"`)
    }
    this.#checkHistory(told.slice(0, at), plan)
    const afterTool = told.slice(at).some(({ role }) => role === 'tool')
    const sentences = plan.sentences.map((words) => words.map((word) => `${word} `))
    const spokenFirst = plan.kind === 'tool' && plan.prelude ? 1 : 0
    const call = plan.kind === 'tool' && !afterTool ? 'call' : 'none'
    const due =
      plan.kind === 'plain'
        ? sentences
        : afterTool
          ? sentences.slice(spokenFirst)
          : sentences.slice(0, spokenFirst)
    const whole = due.flat()
    const done = begun.split(/\s+/).filter((word) => word !== '').length
    if (begun.trim() !== whole.slice(0, done).join('').trim()) {
      this.#world.wrong(plan.turn, `the model was to go on after words that are not its own: "${begun}"`)
    }
    const first = (due[0]?.length ?? 0) + Math.floor((due[1]?.length ?? 0) / 2)
    const random = seeded(plan.seed + done)
    return {
      plan,
      tokens: whole.slice(done),
      middle: Math.max(0, first - done),
      call,
      goesOn: done > 0,
      random,
    }
  }

  /** The assistant's words in the prompt are those that the caller heard, no more and no less. */
  #checkHistory(messages: readonly Message[], plan: TurnPlan): void {
    const said = messages.flatMap(({ role, content }) => (role === 'assistant' ? codesOf(content ?? '') : []))
    const heard = this.#world.before(plan.turn).map(({ turn }) => {
      this.#world.listeners.get(turn)?.()
      return { turn, ...this.#world.outcomes.get(turn)! }
    })
    let at = 0
    for (const { turn, words, maybe, less } of heard) {
      let place = 0
      while (said[at]?.turn === turn && said[at]?.place === place) {
        place++
        at++
      }
      if (place < words - less || place > words + maybe) {
        this.#world.wrong(
          plan.turn,
          `the prompt has ${place} words of turn ${turn}, the caller heard ${words}`,
        )
      }
    }
    if (at < said.length) {
      this.#world.wrong(
        plan.turn,
        `the prompt has words nobody heard: ${JSON.stringify(said.slice(at, at + 3))}`,
      )
    }
  }

  #faultOf({ plan, call, tokens }: Asked): Fault | undefined {
    const due = this.#world.faultOf(plan.turn, 'llm')
    // What comes before a call is not long enough to break in: the call is, or what follows it.
    if (due?.when === 'after' && call === 'call' && !plan.breaksAtCall) return undefined
    if (due?.when === 'after' && tokens.length === 0 && call === 'none') return undefined
    return this.#world.attempt(plan.turn, 'llm')
  }

  async #misbehave(
    fault: Fault,
    body: Loose,
    exchange: Exchange,
    signal: AbortSignal,
    client: { readonly here: boolean },
    rest: readonly string[],
  ): Promise<'over' | 'goes on'> {
    const wait = (ms: number) => delay(this.#clock, ms, signal)
    const forEver = () => wait(600_000)
    switch (fault.name) {
      case 'refuse':
      case 'rate-limit': {
        const code = fault.name === 'refuse' ? 'server_error' : 'rate_limit_exceeded'
        exchange.write(event({ error: { message: 'no more', type: code, code, param: null } }))
        exchange.end()
        return 'over'
      }
      case 'accept-then-silence':
        await forEver()
        return 'over'
      case 'keep-alives only':
        for (;;) {
          exchange.write(': keep-alive\n\n')
          await wait(KEEP_ALIVE_MS)
        }
      case 'slow first token':
        await wait(SLOW_MS)
        return 'goes on'
      case 'drip':
        return 'goes on'
      case 'stall':
        for (const token of rest.slice(0, 2)) exchange.write(chunk(body, { content: token }))
        await forEver()
        return 'over'
      case 'drop':
        for (const token of rest.slice(0, 2)) exchange.write(chunk(body, { content: token }))
        await wait(10)
        exchange.drop()
        return 'over'
      case 'malformed':
        exchange.write('data: {"choices":[{"delta":{"content":"\n\n')
        await forEver()
        return 'over'
      case 'late-after-cancel':
        void this.#late(body, exchange, client, rest)
        return 'goes on'
    }
  }

  /** Goes on for a while when the client is gone. */
  async #late(
    body: Loose,
    exchange: Exchange,
    client: { readonly here: boolean },
    rest: readonly string[],
  ): Promise<void> {
    for (let waited = 0; client.here && waited < 30_000; waited += 100) await delay(this.#clock, 100)
    if (client.here) return
    for (const [i, token] of rest.entries()) {
      if (i * 100 > LATE_FOR_MS) return
      exchange.write(chunk(body, { content: token }))
      await delay(this.#clock, 100)
    }
  }

  #call(body: Loose, plan: TurnPlan, exchange: Exchange): void {
    const call = { index: 0, id: `call_${plan.turn}_${++this.#calls}`, type: 'function' }
    const args = JSON.stringify({ turn: plan.turn })
    exchange.write(chunk(body, { tool_calls: [{ ...call, function: { name: TOOL, arguments: '' } }] }))
    exchange.write(chunk(body, { tool_calls: [{ index: 0, function: { arguments: args } }] }))
  }

  #whole(body: Loose, tokens: readonly string[], exchange: Exchange): void {
    exchange.head(200, { 'content-type': 'text/event-stream' })
    for (const content of tokens) exchange.write(chunk(body, { content }))
    exchange.write(chunk(body, {}, 'stop'))
    exchange.write('data: [DONE]\n\n')
    exchange.end()
  }

  #refuse(exchange: Exchange, status: number, code: string): void {
    exchange.head(status, {
      'content-type': 'application/json',
      ...(status === 429 && { 'retry-after': '2' }),
    })
    exchange.write(JSON.stringify({ error: { message: 'refused', type: code, param: null, code } }))
    exchange.end()
  }
}

function event(data: object): string {
  return `data: ${JSON.stringify(data)}\n\n`
}

function chunk(body: Loose, delta: object, finish: string | null = null): string {
  return event({
    id: 'chatcmpl-chaos',
    object: 'chat.completion.chunk',
    created: 1_700_000_000,
    model: body['model'],
    choices: [{ index: 0, delta, finish_reason: finish }],
  })
}
