/** Tells a conversation to the reducer event by event and keeps what it answered: the tests' pen. */

import { PCM16_24K } from '../../src/audio/format.ts'
import type { ModelRequest } from '../../src/dialect/neutral.ts'
import type { ClientEvent } from '../../src/session/client.ts'
import type { Effect } from '../../src/session/effects.ts'
import type { SessionEvent } from '../../src/session/events.ts'
import type { SessionOutput } from '../../src/session/output.ts'
import { reduce } from '../../src/session/reduce.ts'
import type { WireCaps } from '../../src/session/session.ts'
import type { SessionSettings } from '../../src/session/settings.ts'
import { initialState, type State } from '../../src/session/state.ts'

export const SETTINGS: SessionSettings = {
  instructions: 'Be brief.',
  voice: 'warm',
  inputFormat: PCM16_24K,
  outputFormat: PCM16_24K,
  modality: 'audio',
  speed: 1,
  showTranscription: true,
  transcriptDeltas: 'committed',
  turnDetection: {
    type: 'server_vad',
    threshold: 0.5,
    prefixPaddingMs: 300,
    silenceDurationMs: 500,
    createResponse: true,
    interruptResponse: true,
  },
  interruption: { minSpeechMs: 200, minWords: 0, ignore: [] },
  dtmf: { as: 'turns', endOn: '#', afterMs: 2500, maxDigits: 32, interrupts: 'first' },
  tools: [],
  toolChoice: 'auto',
  maxOutputTokens: 'inf',
  maxRevisions: 3,
  leadMs: null,
}

export const UNPACED: WireCaps = { leadMs: null, ownsOutput: false, reportsPlayed: true }
export const PHONE: WireCaps = { leadMs: 200, ownsOutput: true, reportsPlayed: true }

/** Events as a test writes them: the time is filled in. */
type Untimed<T> = T extends { readonly at: number } ? Omit<T, 'at'> : never

export class Story {
  state: State
  readonly effects: Effect[] = []
  readonly events: SessionEvent[] = []
  at = 0
  #audioMs = 0

  constructor(settings: Partial<SessionSettings> = {}, caps: WireCaps = UNPACED) {
    this.state = initialState({ ...SETTINGS, ...settings }, caps, 'x')
  }

  /** Feeds one event; returns the effects it brought. */
  tell(event: Untimed<SessionEvent>): readonly Effect[] {
    this.at += 10
    const timed = { ...event, at: this.at } as SessionEvent
    this.events.push(timed)
    const { state, effects } = reduce(this.state, timed)
    this.state = state
    this.effects.push(...effects)
    return effects
  }

  client(event: Omit<ClientEvent, 'ref'> | ClientEvent, bufferedMs = 0): readonly Effect[] {
    const whole = { ref: 'evt', ...event } as ClientEvent
    return this.tell({ type: 'client', event: whole, bufferedMs, audioMs: this.#audioMs + bufferedMs })
  }

  /** The caller begins: announced at once when nothing plays, held back otherwise. */
  speaks(): readonly Effect[] {
    return this.tell({ type: 'speechStarted', startMs: 1000 })
  }

  stops(): readonly Effect[] {
    return this.tell({ type: 'speechEnded', endMs: 2000, endAt: this.at, audioEndMs: 2500 })
  }

  pauses(): readonly Effect[] {
    return this.tell({ type: 'speechPaused', endMs: 2000, endAt: this.at })
  }

  /** The words of the newest utterance become final. */
  final(text: string, turn = this.turn): readonly Effect[] {
    return this.tell({ type: 'final', turn, text, language: null, audioMs: 900 })
  }

  /** A whole spoken turn of the caller, up to its final words. */
  says(text: string): readonly Effect[] {
    this.speaks()
    this.stops()
    return this.final(text)
  }

  /** The answer to the newest `think`: spoken, taken by the wire, still playing at the caller's. */
  answers(said: string, response = this.thinking): void {
    this.tell({ type: 'speaking', response })
    this.tell({ type: 'thought', response, finish: 'stop', usage: null, words: 'some' })
    this.tell({ type: 'spoken', response, said, audioMs: 1000 })
  }

  get turn(): string {
    const listens = this.effects.filter((e) => e.do === 'listen')
    return listens.at(-1)?.turn ?? 'none'
  }

  /** The newest response the model was asked for. */
  get thinking(): string {
    return this.lastThink.response
  }

  get request(): ModelRequest {
    return this.lastThink.request
  }

  get lastThink(): Extract<Effect, { do: 'think' }> {
    const think = this.effects.filter((e) => e.do === 'think').at(-1)
    if (!think) throw new Error('the model was never asked')
    return think
  }

  count(kind: Effect['do']): number {
    return this.effects.filter((e) => e.do === kind).length
  }

  get outputs(): SessionOutput[] {
    return outputsOf(this.effects)
  }

  get types(): string[] {
    return this.outputs.map((output) => output.type)
  }
}

export function outputsOf(effects: readonly Effect[]): SessionOutput[] {
  return effects.flatMap((effect) => (effect.do === 'emit' ? [effect.output] : []))
}

export function typesOf(effects: readonly Effect[]): string[] {
  return outputsOf(effects).map((output) => output.type)
}

export function kinds(effects: readonly Effect[]): string[] {
  return effects.flatMap((e) => (e.do === 'emit' || e.do === 'mark' ? [] : [e.do]))
}
