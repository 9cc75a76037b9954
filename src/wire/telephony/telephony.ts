/** All that telephone bridges need, in one: made of the settings, then registered with the server. */
import type { FastifyInstance } from 'fastify'
import type { InputRates } from '../../access/input-rates.ts'
import type { Clock } from '../../clock.ts'
import { ConfigError } from '../../config/problem.ts'
import type { Settings } from '../../config/settings.ts'
import { Ticker } from '../../playout/ticker.ts'
import type { SessionHost } from '../../session/session.ts'
import { type Listening, listenAudioSocket } from './audiosocket/listener.ts'
import { Calls } from './calls.ts'
import { registerCallsApi } from './calls-api.ts'
import { openLink, registerTelephony, TELEPHONY } from './index.ts'
import { chooseSubprotocol, type Line, type Lines, linesOf } from './lines.ts'
import { CallTokens } from './tokens.ts'
import { registerWebhooks } from './webhook.ts'

export interface TelephonyOptions {
  readonly settings: Settings
  readonly clock: Clock
  readonly note: (message: string, facts?: Readonly<Record<string, unknown>>) => void
}

export interface TelephonyServices {
  readonly host: SessionHost
  readonly inputRates: InputRates
  readonly hasPipeline: (name: string) => boolean
  /** Whether another call would find room. */
  readonly hasRoom: () => boolean
}

export class Telephony {
  readonly lines: Lines
  readonly #options: TelephonyOptions
  #calls: Calls | undefined
  #inputRates: InputRates | undefined
  #ports: Listening[] = []

  /** Throws `ConfigError` for a bridge that cannot be as the settings have it. */
  constructor(options: TelephonyOptions) {
    const { lines, problems } = linesOf(options.settings)
    if (problems.length > 0) throw new ConfigError([...problems])
    this.lines = lines
    this.#options = options
  }

  /** For `ws`: which of the subprotocols asked for is the bridge's. Undefined: the path is none of ours. */
  subprotocol(asked: ReadonlySet<string>, path = ''): string | false | undefined {
    return path.startsWith(`${TELEPHONY}/`) ? chooseSubprotocol(this.lines, path, asked) : undefined
  }

  /** Opens the ports of bridges that speak over bare TCP. Rejects with the system's error. */
  async listen(): Promise<void> {
    for (const line of this.lines.values()) if (line.bridge.tcp) this.#ports.push(await this.#listen(line))
  }

  async close(): Promise<void> {
    this.#calls?.closeAll('drain')
    await Promise.all(this.#ports.splice(0).map((port) => port.close()))
  }

  async register(
    app: FastifyInstance,
    { host, inputRates, hasPipeline, hasRoom }: TelephonyServices,
  ): Promise<void> {
    const { settings, clock, note } = this.#options
    const { sessionMinutes } = settings.limits
    const calls = new Calls({ host, clock, ticker: new Ticker(clock), sessionMinutes, hasPipeline, note })
    const shared = {
      lines: this.lines,
      tokens: new CallTokens(clock),
      clock,
      publicUrl: settings.listen.publicUrl,
      note,
    }
    registerTelephony(app, { ...shared, calls, inputRates })
    await registerWebhooks(app, { ...shared, hasRoom })
    registerCallsApi(app, { ...shared, calls, hasRoom })
    this.#calls = calls
    this.#inputRates = inputRates
  }

  #listen(line: Line): Promise<Listening> {
    const { clock, note } = this.#options
    const calls = this.#calls!
    const inputRates = this.#inputRates
    const account = { key: line.key, pipeline: line.setting.pipeline }
    return listenAudioSocket(
      line.bridge.tcp!,
      (socket) =>
        openLink(socket, {
          line,
          clock,
          note,
          ...(inputRates ? { inputRates } : {}),
          begin: (link, start) => calls.begin(link, line.bridge, start, account),
          onOver: () => {},
        }),
      clock,
      note,
    )
  }
}
