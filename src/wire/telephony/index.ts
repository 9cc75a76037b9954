/** All that telephone bridges need, in one: made of the settings, then registered with the server. */
import type { FastifyInstance } from 'fastify'
import type { InputRates } from '../../access/input-rates.ts'
import type { Clock } from '../../clock.ts'
import { ConfigError } from '../../config/problem.ts'
import type { Settings } from '../../config/settings.ts'
import { Ticker } from '../../playout/ticker.ts'
import type { SessionHost } from '../../session/session.ts'
import { type Listening, listenAudioSocket } from './bridges/audiosocket/listener.ts'
import { CallBoard } from './call/board.ts'
import { Calls } from './call/calls.ts'
import { registerAnyBridge } from './http/any-bridge.ts'
import { registerCallEvents } from './http/call-events.ts'
import { registerCallsApi } from './http/calls-api.ts'
import { openLink, registerTelephony, TELEPHONY } from './http/streams.ts'
import { CallTokens } from './http/tokens.ts'
import { registerWebhooks, transferAddress } from './http/webhook.ts'
import { chooseSubprotocol, type Line, type Lines, linesOf } from './lines.ts'
import { type CallShelf, openCallShelf } from './recording/shelf.ts'

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
  readonly #tokens: CallTokens
  readonly #board: CallBoard
  #calls: Calls | undefined
  #inputRates: InputRates | undefined
  #ports: Listening[] = []
  #shelf: CallShelf | undefined

  /** Throws `ConfigError` for a bridge that cannot be as the settings have it. */
  constructor(options: TelephonyOptions) {
    this.#tokens = new CallTokens(options.clock)
    this.#board = new CallBoard(options.clock)
    const { publicUrl } = options.settings.listen
    const transferUrl = (bridge: string, to: string) =>
      transferAddress(publicUrl ?? '', bridge, this.#tokens.mint({ bridge, pipeline: null, transferTo: to }))
    const { lines, problems } = linesOf(options.settings, publicUrl === null ? {} : { transferUrl })
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
    this.#board.close()
    await Promise.all(this.#ports.splice(0).map((port) => port.close()))
    await this.#shelf?.close()
  }

  async register(
    app: FastifyInstance,
    { host, inputRates, hasPipeline, hasRoom }: TelephonyServices,
  ): Promise<void> {
    const { settings, clock, note } = this.#options
    const { sessionMinutes } = settings.limits
    const setting = settings.callRecording
    // Throws the system's error for a folder that cannot be: at the start, not at the first call.
    const shelf = setting ? openCallShelf({ setting, clock, note }) : undefined
    this.#shelf = shelf
    const ticker = new Ticker(clock)
    const board = this.#board
    const calls = new Calls({ host, clock, ticker, sessionMinutes, hasPipeline, shelf, board, note })
    const shared = {
      lines: this.lines,
      tokens: this.#tokens,
      clock,
      publicUrl: settings.listen.publicUrl,
      note,
    }
    registerTelephony(app, { ...shared, calls, inputRates })
    registerAnyBridge(app, { ...shared, calls, inputRates })
    await registerWebhooks(app, { ...shared, hasRoom })
    registerCallsApi(app, { ...shared, calls, hasRoom, hasPipeline })
    registerCallEvents(app, { board, clock })
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
