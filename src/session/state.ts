/**
 * The conversation's state: regions that run side by side, since a caller can speak while we think and a tool
 * can be pending while we speak.
 *
 *     input:   idle ─► listening ⇄ softEnded ─► idle
 *     output:  silent ─► thinking ─► speaking ⇄ paused ─► silent      (derived: what runs, what still plays)
 *     responses: Map (default conversation and out of band)     tools: pending calls     closed
 */
import type { FinishReason, ModelUsage, ToolCall, ToolChoice } from '../dialect/neutral.ts'
import type { EndedBy } from '../listen/end-of-turn.ts'
import type { Hidden, McpTool } from '../stage/tools.ts'
import type { PressedKey } from '../trace/turn-trace.ts'
import type { Failure } from './events.ts'
import { type History, newest } from './history.ts'
import type { Item } from './items.ts'
import type { ClientTool } from './mcp.ts'
import type { ResponseEnding } from './output.ts'
import type { WireCaps } from './session.ts'
import type { SessionSettings } from './settings.ts'

/** One utterance of the caller in progress. */
export interface Utterance {
  readonly turn: string
  readonly itemId: string
  readonly startMs: number
  /** When its speech began to arrive. */
  readonly startedAt: number
  /** Long enough to count as an interruption. */
  readonly confirmed: boolean
  /** The wire was told `speechStarted`. Held back while an answer plays, until the interruption is sure. */
  readonly announced: boolean
  /** Latest recognised words. */
  readonly words: string
  /** They are all that was said before the present pause. */
  readonly whole: boolean
  /** Said by the recogniser, which may notice it before our ear. */
  readonly probablyOver?: boolean
  /** The part of them the wire was shown. */
  readonly shown: string
}

export type Input =
  | { readonly kind: 'idle' }
  | { readonly kind: 'listening'; readonly utterance: Utterance }
  | { readonly kind: 'softEnded'; readonly utterance: Utterance; readonly endAt: number }

export type Output = 'silent' | 'thinking' | 'speaking' | 'paused'

/** An answer of which something was sent and not everything is known to be played. */
export interface Playing {
  readonly response: string
  readonly itemId: string
  readonly turn: string
  /** How its turn ends once it was played. */
  readonly outcome: 'said' | 'failed'
  /** `cutting`: told to stop, the runner's report is due. */
  readonly phase: 'playing' | 'cutting'
}

/** What a response runs with: the session's settings with the request's overrides. */
export interface ResponseSetup {
  readonly instructions: string
  readonly modality: 'audio' | 'text'
  readonly voice: string
  /** The client's own and the servers it names; the pipeline's come to them. */
  readonly tools: readonly ClientTool[]
  /** Who named them: a request waits until its servers have said what they offer. */
  readonly toolsOf: 'session' | 'request'
  readonly toolChoice: ToolChoice
  readonly maxOutputTokens: number | 'inf'
  readonly metadata: Readonly<Record<string, string>> | null
  readonly input: readonly (Item | string)[] | null
}

export interface Response {
  readonly id: string
  readonly turn: string
  readonly inConversation: boolean
  /**
   * `speculating`: on words that may still change, unknown to the wire. `waiting`: for a transcript.
   * `running`: the wire knows it. `cutting`: told to stop, the runner's report is due.
   */
  readonly phase: 'speculating' | 'waiting' | 'running' | 'cutting'
  readonly setup: ResponseSetup
  readonly revision: number
  /** The whole prompt as text; equal keys mean the speculation holds. */
  readonly promptKey: string
  readonly itemId: string
  /** Its message was announced on the wire. */
  readonly started: boolean
  readonly calls: readonly ToolCall[]
  readonly thought: {
    readonly finish: FinishReason
    readonly usage: ModelUsage | null
    readonly words: 'some' | 'none'
    readonly failure?: Failure
  } | null
  readonly spoken: { readonly said: string; readonly kept: string; readonly audioMs: number } | null
  /** Begun by the server, to go on after a tool of its own. */
  readonly after?: 'serverTool'
  /** How it ends once the runner has reported the cut. */
  readonly ending: ResponseEnding | null
}

/** A committed utterance whose words are not known yet. */
export interface Transcription {
  readonly turn: string
  readonly itemId: string
  /** Whether its final shall be answered; `held` ones are not announced until they prove to be words. */
  readonly onFinal: 'respond' | 'nothing' | 'held'
  readonly endMs: number
  readonly audioEndMs: number
  /** By the clock, when the caller had finished. */
  readonly endAt: number
  readonly endedBy?: EndedBy
  readonly utterance: Utterance | null
}

/** What an MCP server that the client names offers, as far as it has said. */
export interface Listing {
  readonly itemId: string
  readonly state: 'listing' | 'listed' | 'failed'
  readonly tools: readonly McpTool[]
  /** With which it was asked. */
  readonly credentials: Hidden | null
}

export interface State {
  readonly settings: SessionSettings
  readonly caps: WireCaps
  readonly input: Input
  /** Usually one; two when a tool's answer follows a sentence that is still being played. */
  readonly playing: readonly Playing[]
  /** Output is held while the caller may be interrupting; only where the server owns it. */
  readonly paused: boolean
  readonly responses: ReadonlyMap<string, Response>
  /** Calls the wire was told of whose result has not come. */
  readonly tools: ReadonlySet<string>
  /** The turn that the server went on with by itself after a tool, until a client asks for that answer. */
  readonly goneOn: string | null
  /** By the server's label. */
  readonly listings: ReadonlyMap<string, Listing>
  readonly transcriptions: readonly Transcription[]
  readonly history: History
  /** The turn whose record is open, and whether anything answered it yet. */
  readonly turn: { readonly id: string; readonly answered: boolean } | null
  /** Speculative calls made for the utterance in progress. */
  readonly revision: number
  /** The caller said something that nothing answered yet, because the caller went on. */
  readonly unanswered: boolean
  /** A turn whose words are known, answered as soon as the cut they made is reported: its prompt needs what was heard. */
  readonly owed: string | null
  /** Words of a wire's to be said then. */
  readonly owedWords: string | null
  /** The same for a turn whose words nobody could tell. */
  readonly owedApology: { readonly turn: string; readonly failure: Failure } | null
  /** Of the telephone: pressed and not yet a turn. */
  readonly keys: readonly PressedKey[]
  /** The newest keys since the session began, whatever became of them. */
  readonly pressed: string
  /** Times in a row that the caller let an idle prompt go by. */
  readonly idlePrompts: number
  /** As recognised: of the first words that told, and of the newest. */
  readonly heard: { readonly first: string; readonly now: string } | null
  /** Of the caller's newest words, until the caller speaks again. */
  readonly recognised: (Recognised & { readonly itemId: string }) | null
  /** Suffix of the next id, and what all ids of this session share. */
  readonly ids: { readonly prefix: string; readonly next: number }
  readonly closed: boolean
}

/** Nulls: it did not say. */
export interface Recognised {
  readonly language: string | null
  readonly confidence: number | null
}

export function initialState(settings: SessionSettings, caps: WireCaps, idPrefix: string): State {
  return {
    settings,
    caps,
    input: { kind: 'idle' },
    playing: [],
    paused: false,
    responses: new Map(),
    tools: new Set(),
    goneOn: null,
    listings: new Map(),
    transcriptions: [],
    history: [],
    turn: null,
    revision: 0,
    unanswered: false,
    owed: null,
    owedWords: null,
    owedApology: null,
    keys: [],
    pressed: '',
    idlePrompts: 0,
    heard: null,
    recognised: null,
    ids: { prefix: idPrefix, next: 1 },
    closed: false,
  }
}

/** What the caller speaks, as heard last, else as the settings have it. */
export function languageOf({ heard, settings }: State): string | undefined {
  return heard?.now ?? settings.language
}

/** What the recogniser told of the newest thing the user said; null: it was typed, or is not known yet. */
export function recognisedNewest({ recognised, history }: State): Recognised | null {
  const newest = history.findLast(({ item }) => item.type === 'message' && item.role === 'user')
  return recognised && newest?.item.id === recognised.itemId ? recognised : null
}

/** The response that writes to the default conversation and is known to the wire, if one is live. */
export function activeResponse(state: State): Response | undefined {
  for (const response of state.responses.values()) {
    if (response.inConversation && response.phase !== 'speculating') return response
  }
  return undefined
}

export function speculation(state: State): Response | undefined {
  for (const response of state.responses.values()) if (response.phase === 'speculating') return response
  return undefined
}

/** The server paces the answer and so holds its unplayed rest: it may pause and go on. */
export function paced(state: State): boolean {
  return (state.settings.leadMs ?? state.caps.leadMs) !== null
}

export function outputOf(state: State): Output {
  if (state.playing.length > 0) return state.paused ? 'paused' : 'speaking'
  return activeResponse(state) ? 'thinking' : 'silent'
}

/** Output was told to stop, and what was heard of it is not known yet. */
export function isCutting(state: State): boolean {
  return activeResponse(state)?.phase === 'cutting' || state.playing.some((p) => p.phase === 'cutting')
}

/** Nothing is said, recognised, thought, played or awaited: the session may end without cutting anything off. */
export function isQuiet(state: State): boolean {
  if (state.input.kind !== 'idle' || state.transcriptions.length > 0 || state.playing.length > 0) return false
  // A tool's result is followed by the request to answer it.
  const lastItem = newest(state.history)?.type
  return state.responses.size === 0 && state.tools.size === 0 && lastItem !== 'toolResult'
}

export function utteranceOf(state: State): Utterance | undefined {
  return state.input.kind === 'idle' ? undefined : state.input.utterance
}

/** For whoever judges the pause: the words so far, null while some are owed. */
export function saidBeforePause(state: State): { readonly words: string | null; readonly language?: string } {
  const utterance = utteranceOf(state)
  const language = languageOf(state)
  const words = utterance?.whole ? utterance.words : null
  return { words, ...(language === undefined ? {} : { language }) }
}
