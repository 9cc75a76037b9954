/** The calls that are under way: each begins at its bridge's `start`, and finds its session again when its line comes back. */
import type { Clock } from '../../../clock.ts'
import type { Pipeline, VoicemailPolicy } from '../../../config/pipeline.ts'
import type { Ticker } from '../../../playout/ticker.ts'
import { type SessionHost, type SessionOrigin, SessionRefused } from '../../../session/session.ts'
import type { ServerTools } from '../../../stage/tools.ts'
import type { Bridge, BridgeCaps, CallStart } from '../bridge.ts'
import { TOKEN_PARAMETER } from '../http/tokens.ts'
import type { CallShelf } from '../recording/shelf.ts'
import { WordJudge } from '../voicemail/judge.ts'
import { VoicemailWatch } from '../voicemail/watch.ts'
import type { CallBoard } from './board.ts'
import { Call, type CallEnd } from './call.ts'
import { FarCall } from './far-call.ts'
import type { Closing, Link } from './link.ts'
import { callTools } from './tools.ts'

/** Trusted facts of the operator's. */
export interface CallAccount {
  readonly pipeline: string | null
  readonly key: SessionOrigin['key']
  /** As the bridge answered our own request for the call. Counts where its stream has no id of its own. */
  readonly callId?: string
}

export interface CallsOptions {
  readonly host: SessionHost
  readonly clock: Clock
  readonly ticker: Ticker
  readonly sessionMinutes: number
  readonly hasPipeline: (name: string) => boolean
  /** Left out: no call is recorded. */
  readonly shelf?: Pick<CallShelf, 'record'> | undefined
  /** Left out: nobody watches. */
  readonly board?: Pick<CallBoard, 'tell'>
  readonly note: (message: string, facts: Readonly<Record<string, unknown>>) => void
}

/** Parameters that are ours and no metadata. */
const OWN_PARAMETERS = new Set([TOKEN_PARAMETER, 'pipeline'])

export class Calls {
  readonly #options: CallsOptions
  readonly #calls = new Map<string, Call>()

  constructor(options: CallsOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#calls.size
  }

  find(bridge: string, callId: string): Call | undefined {
    return this.#calls.get(`${bridge}/${callId}`)
  }

  /** A stream has started. A closing: why there is no call. */
  begin(link: Link, bridge: Bridge, told: CallStart, account: CallAccount): Call | Closing {
    const { callId = told.callId } = told.idFrom === 'parameters' ? account : {}
    const start = { ...told, callId }
    const id = `${bridge.name}/${start.callId}`
    const known = this.#calls.get(id)
    if (known && bridge.caps.reconnects === 'yes') {
      known.attach(link)
      return known
    }
    // The same call twice at a bridge that never comes back: the newer stream is the call.
    known?.close('lost')
    try {
      return this.#open(id, link, bridge, start, account)
    } catch (error) {
      if (!(error instanceof SessionRefused)) throw error
      this.#options.note('a call was refused', { bridge: bridge.name, code: error.code })
      return error.code === 'no_pipeline' ? 'failed' : 'full'
    }
  }

  /** Those that act for this key; null: for nobody's. */
  of(keyId: string | null): readonly Call[] {
    return [...this.#calls.values()].filter((call) => call.keyId === keyId)
  }

  closeAll(why: CallEnd): void {
    for (const call of this.#calls.values()) call.close(why)
  }

  #open(id: string, link: Link, bridge: Bridge, start: CallStart, account: CallAccount): Call {
    const { host, clock, ticker, sessionMinutes, note, shelf, board } = this.#options
    const far = bridge.control ? new FarCall(bridge.control, start.callId, clock) : undefined
    let voicemail: VoicemailPolicy | null = null
    const acts = { hangUp: () => call.hangUp(), ...far?.acts }
    const tools = (pipeline: Pipeline): ServerTools => {
      voicemail = isOurs(start) ? pipeline.voicemail : null
      return callTools(pipeline.call, acts)
    }
    const session = host.open({ ...this.#origin(bridge, start, account), tools })
    const call: Call = new Call({
      bridge,
      start,
      session,
      keyId: account.key?.id ?? null,
      recorder: shelf?.record(session.id, start.inputFormat),
      clock,
      ticker,
      sessionMinutes,
      note,
      ...(far ? { hangUpFar: () => far.hangUp() } : {}),
      onDigit: (pressed, digit) => board?.tell(pressed, { type: 'call.digit', digit }),
      onOver: (over, why) => {
        if (this.#calls.get(id) === over) this.#calls.delete(id)
        board?.tell(over, { type: 'call.ended', why })
        note('a call ended', { bridge: bridge.name, sessionId: session.id, why, ...over.counts })
      },
    })
    this.#calls.set(id, call)
    if (voicemail) this.#watchFor(voicemail, call)
    call.attach(link)
    board?.tell(call, { type: 'call.started' })
    return call
  }

  #watchFor(policy: VoicemailPolicy, call: Call): void {
    const { start, session } = call
    const watch = new VoicemailWatch({
      policy,
      judge: new WordJudge({ language: session.settings.language ?? null }),
      format: start.inputFormat,
      clock: this.#options.clock,
      acts: call.voicemailActs,
    })
    call.watchFor(watch)
    const told = start.parameters['answeredBy'] ?? start.parameters['AnsweredBy']
    if (told !== undefined) watch.told(told)
  }

  #origin(bridge: Bridge, start: CallStart, account: CallAccount): SessionOrigin {
    const { inputFormat, outputFormat, parameters, from, to, callId } = start
    const given = Object.entries(parameters).filter(([name]) => !OWN_PARAMETERS.has(name))
    const asked = parameters['pipeline']
    const facts = { callId, ...(from === null ? {} : { from }), ...(to === null ? {} : { to }) }
    return {
      wire: bridge.name,
      caps: {
        leadMs: bridge.caps.leadMs,
        ownsOutput: ownsOutput(bridge.caps),
        reportsPlayed: false,
        retrieval: 'never',
      },
      pipeline: asked !== undefined && this.#options.hasPipeline(asked) ? asked : account.pipeline,
      key: account.key,
      // The bridge's own facts win over parameters of their names.
      metadata: { ...Object.fromEntries(given), ...facts },
      user: from,
      begin: (settings) => ({
        ...settings,
        inputFormat,
        outputFormat,
        // What a machine says is known by its words, as early as they are.
        ...(isOurs(start) ? { showTranscription: true, transcriptDeltas: 'early' } : {}),
      }),
    }
  }
}

/** We placed it: `POST /v1/calls` says so. */
function isOurs({ parameters }: CallStart): boolean {
  return parameters['direction'] === 'outgoing'
}

/** What is on its way can be taken back, or there is next to nothing of it, since we own the clock. */
function ownsOutput({ clear, idle }: BridgeCaps): boolean {
  return clear !== 'none' || idle === 'silence'
}
