/**
 * A double that says what a provider said once, from a recording. What the provider said after so many messages and so much sound of
 * the client's it says when it has had as many and as much, after as long a time; what the client sends is held against the
 * recorded messages by its [shape](shape.ts).
 */
import { type Clock, realClock, type Timer } from '../../clock.ts'
import type { HttpDoubleAnswer, HttpDoubleRequest, HttpDoubleServer } from '../carrier/http.ts'
import type { DoublePeer, DoubleServer, DoubleTalk } from '../carrier/sockets.ts'
import type { Double } from '../double.ts'
import { type Conversation, conversationsIn, keyOf, type Step } from './conversation.ts'
import { ORIGIN, readRecording } from './log.ts'
import { idsOf, isKeepAlive, shapeOf, soundIn } from './shape.ts'

export interface ReplayOptions {
  readonly clock?: Clock
}

export const REPLAY_KEY = 'replayed-key-0123456789'

/** `text`: of a recording. Throws an `Error` that names the line that is none of one. */
export function replayOf(text: string, { clock = realClock }: ReplayOptions = {}): Double {
  const { entry, lines } = readRecording(text)
  const conversations = conversationsIn(lines)
  const sessions: { readonly url: string }[] = []
  const mistakes: string[] = []
  const used = new Map<string, number>()
  /** The next recorded one of that address; after the last the first again. */
  const next = (key: string): Conversation | undefined => {
    const alike = conversations.filter((one) => one.key === key)
    const count = used.get(key) ?? 0
    used.set(key, count + 1)
    return alike[count % alike.length]
  }
  const heard = (url: URL, key: string, headers: object): Conversation | undefined => {
    sessions.push({ url: `${url.pathname}${url.search}` })
    const one = next(key)
    const missing = one?.headers.filter((name) => !(name in headers)) ?? []
    if (!one) mistakes.push(`${key} was not asked for in the recording`)
    else if (missing.length > 0) mistakes.push(`${key} came without ${missing.join(', ')}`)
    return one
  }
  const server: DoubleServer = ({ url, headers }) => {
    const one = heard(url, keyOf('SOCKET', url), headers)
    if (!one) return { status: 404 }
    const [first, ...rest] = one.steps
    if (first?.act === 'head') {
      const body = rest.map((step) => (step.act === 'say' && typeof step.data === 'string' ? step.data : ''))
      return { status: first.status, headers: first.headers, body: body.join('') }
    }
    if (first?.act === 'end' && one.steps.length === 1 && first.how === 'broken') return { status: 502 }
    return (peer) => new Replay(one, { clock, host: url.host, mistakes, ...peerOf(peer) })
  }
  const http: HttpDoubleServer = (request, answer) => {
    const one = heard(request.url, keyOf(request.method, request.url), request.headers)
    if (!one) {
      answer.head(404)
      answer.end()
      return () => {}
    }
    const replay = new Replay(one, { clock, host: request.url.host, mistakes, ...answerOf(answer) })
    if (isJson(request)) replay.text(request.body)
    else replay.binary(request.bytes)
    return () => replay.gone()
  }
  const path = new URL(entry.baseUrl ?? 'http://localhost').pathname.replace(/\/$/, '')
  return {
    server,
    http,
    sessions,
    mistakes,
    settingsAt: (url) => ({ ...entry, apiKey: REPLAY_KEY, baseUrl: url + path }),
  }
}

function isJson({ headers }: HttpDoubleRequest): boolean {
  return headers['content-type']?.includes('json') === true
}

interface Listener {
  head(status: number, headers: Readonly<Record<string, string>>): void
  say(data: string | Uint8Array): void
  end(how: number | 'whole' | 'broken', reason: string): void
}

interface ReplayFacts extends Listener {
  readonly clock: Clock
  /** Ours, for the provider's. */
  readonly host: string
  readonly mistakes: string[]
}

class Replay implements DoubleTalk {
  readonly #facts: ReplayFacts
  readonly #one: Conversation
  readonly #ids = new Map<string, string>()
  #messages = 0
  #soundBytes = 0
  /** Steps whose time runs, and since when each. */
  readonly #due: number[] = []
  #done = 0
  #timer: Timer | undefined

  constructor(one: Conversation, facts: ReplayFacts) {
    this.#one = one
    this.#facts = facts
    this.#heard()
  }

  text(text: string): void {
    if (isKeepAlive(text)) return
    const sound = soundIn(text)
    const shape = shapeOf(text)
    const recorded = this.#one.messages[this.#messages]
    if (sound === 0) {
      if (recorded !== undefined) idsOf(recorded, text, this.#ids)
      this.#messages++
    }
    this.#soundBytes += sound
    if (!this.#one.shapes.has(shape)) this.#facts.mistakes.push(`${this.#one.key} was sent ${shape}`)
    this.#heard()
  }

  binary(bytes: Uint8Array): void {
    if (this.#one.soundBytes === 0) this.#facts.mistakes.push(`${this.#one.key} was sent sound`)
    this.#soundBytes += bytes.length
    this.#heard()
  }

  gone(): void {
    this.#timer?.cancel()
    this.#done = this.#one.steps.length
  }

  /** The time of whatever may come now begins. */
  #heard(): void {
    const { steps } = this.#one
    for (let step = steps[this.#due.length]; step && this.#has(step); step = steps[this.#due.length])
      this.#due.push(this.#facts.clock.now() + step.afterMs)
    this.#timer?.cancel()
    this.#go()
  }

  #has({ messages, soundBytes }: Step): boolean {
    if (this.#messages !== messages) return this.#messages > messages
    return this.#soundBytes >= soundBytes
  }

  #go(): void {
    const { clock } = this.#facts
    while (this.#done < this.#due.length) {
      const waitMs = this.#due[this.#done]! - clock.now()
      if (waitMs > 0) {
        this.#timer = clock.setTimer(waitMs, () => this.#go())
        return
      }
      this.#act(this.#one.steps[this.#done++]!)
    }
  }

  #act(step: Step): void {
    if (step.act === 'head') return this.#facts.head(step.status, step.headers)
    if (step.act === 'end') return this.#facts.end(step.how, step.reason)
    this.#facts.say(typeof step.data === 'string' ? this.#today(step.data) : step.data)
  }

  #today(text: string): string {
    let now = text.replaceAll(ORIGIN, this.#facts.host)
    for (const [then, id] of this.#ids) now = now.replaceAll(then, id)
    return now
  }
}

function peerOf(peer: DoublePeer): Listener {
  return {
    head: () => {},
    say: (data) => peer.send(data),
    end: (how, reason) => {
      if (typeof how !== 'number' || how === 1006) peer.drop()
      else peer.close(how === 1005 ? 1000 : how, reason)
    },
  }
}

function answerOf(answer: HttpDoubleAnswer): Listener {
  return {
    head: (status, headers) => answer.head(status, headers),
    say: (data) => answer.write(data),
    end: (how) => (how === 'whole' ? answer.end() : answer.drop()),
  }
}
