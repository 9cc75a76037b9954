/**
 * What the doubles of models share: they remember what they were sent, answer by data, and write as to a response of Node's, over
 * any carrier.
 */
import { type Clock, realClock } from '../../clock.ts'
import type { HttpDoubleAnswer, HttpDoubleServer } from '../carrier/http.ts'
import type { Double } from '../double.ts'
import { type Started, startDouble } from '../start.ts'

/** Between two pieces of an answer that drips. */
export const DRIP_MS = 5_000

export interface ModelRequest {
  readonly method: string
  /** Path and query. */
  readonly url: string
  readonly headers: Readonly<Record<string, string | undefined>>
  /** As it came. */
  readonly bytes: Buffer
  /** Parsed; an empty object where it is no JSON object. */
  readonly body: Record<string, unknown>
  /** Resolves when this request is over; true when the client closed it before the answer's end. */
  readonly closed: Promise<boolean>
}

/** A double of a model: `answer` tells what it says from now on. */
export interface ModelDouble<Answer> extends Double {
  readonly http: HttpDoubleServer
  readonly sessions: readonly ModelRequest[]
  /** The same. */
  readonly requests: readonly ModelRequest[]
  answer(next: Answer): void
}

/** As much of Node's response as doubles use. */
export class ModelResponse {
  readonly #answer: HttpDoubleAnswer
  readonly #clock: Clock
  readonly #headers: Record<string, string> = {}
  /** Acts that wait their turn, while the answer drips. */
  #waiting: (() => void)[] | undefined
  #ended: 'no' | 'yes' = 'no'

  constructor(answer: HttpDoubleAnswer, clock: Clock) {
    this.#answer = answer
    this.#clock = clock
  }

  /** All was said. */
  get finished(): boolean {
    return this.#ended === 'yes'
  }

  /** From now on each piece comes `DRIP_MS` after the one before. */
  drip(): void {
    this.#waiting ??= []
  }

  setHeader(name: string, value: string): void {
    this.#headers[name] = value
  }

  writeHead(status: number, headers: Readonly<Record<string, string>> = {}): this {
    this.#answer.head(status, { ...this.#headers, ...headers })
    return this
  }

  write(bytes: Uint8Array | string, after?: () => void): void {
    this.#inTurn(() => {
      if (bytes.length > 0) this.#answer.write(bytes)
      after?.()
    })
  }

  end(bytes: Uint8Array | string = ''): void {
    this.#inTurn(() => {
      if (bytes.length > 0) this.#answer.write(bytes)
      this.#ended = 'yes'
      this.#answer.end()
    })
  }

  destroy(): void {
    this.#answer.drop()
  }

  /** The request is over: nothing that waits is said. */
  gone(): void {
    this.#waiting = undefined
  }

  #inTurn(act: () => void): void {
    if (!this.#waiting) return act()
    this.#waiting.push(act)
    if (this.#waiting.length === 1) this.#next()
  }

  #next(): void {
    this.#clock.setTimer(DRIP_MS, () => {
      this.#waiting?.shift()?.()
      if (this.#waiting?.length) this.#next()
    })
  }
}

/** How a double of a model begins. */
export interface ModelDoubleOptions<Answer> {
  readonly answer?: Answer
  /** Left out: the real one. */
  readonly clock?: Clock
}

/** A double of its answer of the moment; what `serve` holds against the client it adds to `mistakes`. */
export function modelDouble<Answer>({
  options,
  usual,
  settingsAt,
  serve,
}: {
  readonly options: ModelDoubleOptions<Answer>
  readonly usual: Answer
  readonly settingsAt: Double['settingsAt']
  serve(request: ModelRequest, answer: Answer, response: ModelResponse, mistakes: string[]): void
}): ModelDouble<Answer> {
  let answer = options.answer ?? usual
  const mistakes: string[] = []
  const { http, requests } = modelServer(
    (request, response) => serve(request, answer, response, mistakes),
    options.clock,
  )
  return {
    http,
    requests,
    sessions: requests,
    mistakes,
    answer(next) {
      answer = next
    },
    settingsAt,
  }
}

export interface ModelServer {
  readonly http: HttpDoubleServer
  readonly requests: readonly ModelRequest[]
}

export function modelServer(
  serve: (request: ModelRequest, response: ModelResponse) => void,
  clock: Clock = realClock,
): ModelServer {
  const requests: ModelRequest[] = []
  const http: HttpDoubleServer = ({ method, url, headers, bytes }, answer) => {
    const response = new ModelResponse(answer, clock)
    let gone = () => {}
    const closed = new Promise<boolean>((resolve) => {
      gone = () => {
        response.gone()
        resolve(!response.finished)
      }
    })
    const path = url.pathname + url.search
    const received: ModelRequest = { method, url: path, headers, bytes, body: parsed(bytes), closed }
    requests.push(received)
    serve(received, response)
    return gone
  }
  return { http, requests }
}

function parsed(bytes: Buffer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'))
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
  } catch {
    return {}
  }
}

/** The whole answer, or as much of it as the fault lets out. */
export function endWhole(response: ModelResponse, json: string, fault: string | undefined): void {
  if (fault === 'silent_after_ms') return response.write(json.slice(0, 10))
  if (fault === 'drop_mid_stream') return response.write(json.slice(0, 10), () => response.destroy())
  response.end(fault === 'malformed_json' ? json.slice(0, -10) : json)
}

/** What stands in front of a provider that is not reached. */
export function signIn(response: ModelResponse): void {
  response.writeHead(200, { 'content-type': 'text/html' }).end('<html>sign in</html>')
}

/** Members that `known` does not name, as sentences. */
export function unknownMembers(value: unknown, at: string, known: readonly string[]): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [`${at} must be an object`]
  return Object.keys(value).flatMap((name) =>
    known.includes(name) ? [] : [`unknown name "${name}" at '${at}'`],
  )
}

/** A double that listens, and whose answers may change. */
export type StartedModel<Answer> = Started<ModelDouble<Answer>> &
  Pick<ModelDouble<Answer>, 'answer' | 'requests'>

export async function startModel<Answer>(double: ModelDouble<Answer>): Promise<StartedModel<Answer>> {
  const started = await startDouble(double)
  return Object.assign(started, { answer: double.answer, requests: double.requests })
}
