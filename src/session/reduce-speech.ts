/**
 * The caller's voice: when a turn begins, when it interrupts, when it ends, and what its words set going.
 *
 *     speechStarted ─► listening ─ speechPaused ─► softEnded ─ speechEnded ─► (committed) ─ final ─► answer
 *                          ▲─────── speechResumed ──────┘
 *
 * While an answer plays `speechStarted` is held back until the interruption is sure: a Realtime client throws
 * its audio away on that event. Where the server owns the output, it pauses at once and decides at the words.
 */
import { countWords } from '../route/complexity.ts'
import type { Draft } from './draft.ts'
import type { RecognitionEvent, SpeechEvent } from './events.ts'
import { heardAs } from './items.ts'
import { buildRequest, promptKey, userEntry, withProvisionalWords } from './prompt.ts'
import {
  answerTurn,
  beginResponse,
  cutOutput,
  dropSpeculation,
  recite,
  reciteInto,
  startThinking,
  stopResponse,
} from './reduce-response.ts'
import { openTurn, settleTurn } from './reduce-turn.ts'
import { giveUpWaiting, releaseWaiting, waitingFor } from './reduce-waiting.ts'
import { newResponse, setupOf } from './response.ts'
import {
  activeResponse,
  isCutting,
  outputOf,
  paced,
  type Response,
  speculation,
  type Transcription,
  type Utterance,
  utteranceOf,
} from './state.ts'

/** After a pause without words the answer goes on. VOICE.md A1: LiveKit waits as long. */
export const FALSE_INTERRUPTION_MS = 2_000

/** So many words make a language sure. */
const LANGUAGE_WORDS = 3

export function reduceSpeech(d: Draft, event: SpeechEvent): void {
  if (event.type === 'speechStarted') return started(d, event)
  const utterance = utteranceOf(d.state)
  if (!utterance) return
  switch (event.type) {
    case 'speechConfirmed':
      d.utterance({ confirmed: true })
      return considerInterrupting(d)
    case 'speechDropped':
      return abandon(d, utterance)
    case 'speechPaused':
      d.set({ input: { kind: 'softEnded', utterance, endAt: event.endAt } })
      if (utterance.announced) d.do({ do: 'preview', turn: utterance.turn })
      if (utterance.probablyOver) speculate(d, utterance.words)
      return
    case 'speechResumed':
      d.set({ input: { kind: 'listening', utterance: { ...utterance, whole: false, probablyOver: false } } })
      return dropSpeculation(d)
    case 'speechEnded':
      return ended(d, utterance, event)
    default:
      event satisfies never
  }
}

function started(d: Draft, event: Extract<SpeechEvent, { type: 'speechStarted' }>): void {
  if (d.state.input.kind !== 'idle') return
  const utterance: Utterance = {
    turn: d.id('turn'),
    itemId: d.id('item'),
    startMs: event.startMs,
    startedAt: event.at,
    confirmed: false,
    announced: false,
    words: '',
    whole: false,
    shown: '',
  }
  d.set({ input: { kind: 'listening', utterance }, revision: 0, recognised: null })
  d.do({ do: 'listen', turn: utterance.turn, fromMs: event.startMs })
  considerInterrupting(d)
}

/** Announces the speech when nothing plays, or when it is surely meant to interrupt what plays. */
function considerInterrupting(d: Draft): void {
  const utterance = utteranceOf(d.state)
  if (!utterance || utterance.announced) return
  const output = outputOf(d.state)
  if (output !== 'silent') {
    if (!utterance.confirmed) return
    if (output === 'speaking' && paced(d.state) && interrupts(d)) pause(d)
    if (!enoughWords(d, utterance.words)) return
  }
  announce(d, utterance)
}

function interrupts(d: Draft): boolean {
  return d.state.settings.turnDetection?.interruptResponse ?? false
}

function enoughWords(d: Draft, words: string): boolean {
  const { minWords, ignore } = d.state.settings.interruption
  const playing = d.state.playing.length > 0
  const needed = Math.max(minWords, ignore.length > 0 || (playing && paced(d.state)) ? 1 : 0)
  return needed === 0 || significantWords(words, ignore) >= needed
}

/** Words that are none of the backchannel terms; a term may be of several words. */
export function significantWords(text: string, ignore: readonly string[]): number {
  let rest = ` ${plain(text)} `
  for (const term of ignore) {
    const words = plain(term)
    if (words !== '') while (rest.includes(` ${words} `)) rest = rest.replace(` ${words} `, ' ')
  }
  return rest.split(' ').filter((word) => word !== '').length
}

function plain(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
}

function announce(d: Draft, utterance: Utterance): void {
  d.utterance({ announced: true })
  d.emit({ type: 'speechStarted', itemId: utterance.itemId, audioStartMs: Math.round(utterance.startMs) })
  if (interrupts(d)) interrupt(d)
}

/** Stops the answer for good: what plays is cut, what is only being thought is dropped. */
export function interrupt(d: Draft): void {
  dropSpeculation(d)
  d.do({ do: 'clearTimer', timer: 'falseInterruption' })
  const active = activeResponse(d.state)
  for (const playing of d.state.playing) {
    if (playing.response !== active?.id) cutOutput(d, playing.response, 'barge-in')
  }
  if (!active || active.phase === 'cutting') return
  if (!active.started) d.set({ unanswered: true })
  stopResponse(d, active, 'turn_detected')
}

export function pause(d: Draft): void {
  if (d.state.paused) return
  d.set({ paused: true })
  for (const { response } of d.state.playing) d.do({ do: 'pause', response })
}

export function resume(d: Draft): void {
  d.do({ do: 'clearTimer', timer: 'falseInterruption' })
  if (!d.state.paused) return
  d.set({ paused: false })
  for (const { response } of d.state.playing) d.do({ do: 'resume', response })
}

/** Not speech, or too little of it to count. */
function abandon(d: Draft, utterance: Utterance): void {
  d.set({ input: { kind: 'idle' } })
  dropSpeculation(d)
  d.do({ do: 'discard', turn: utterance.turn })
  resume(d)
}

function ended(d: Draft, utterance: Utterance, event: Extract<SpeechEvent, { type: 'speechEnded' }>): void {
  const { turn, itemId } = utterance
  if (!utterance.announced && !utterance.confirmed) return abandon(d, utterance)
  d.set({ input: { kind: 'idle' } })
  const { type: _type, at: _at, ...end } = event
  const facts = { turn, itemId, utterance, ...end }
  if (utterance.announced) {
    const onFinal = d.state.settings.turnDetection?.createResponse ? 'respond' : 'nothing'
    commit(d, { ...facts, onFinal }, event.at)
  } else {
    d.addTranscription({ ...facts, onFinal: 'held' })
    if (d.state.paused) d.do({ do: 'setTimer', timer: 'falseInterruption', ms: FALSE_INTERRUPTION_MS })
  }
  // With its silence: a weak last consonant lies behind the estimated end of speech.
  d.do({ do: 'finalize', turn, itemId, endMs: event.audioEndMs })
}

/** The utterance becomes an item of the conversation, its words still unknown. */
function commit(d: Draft, t: Transcription, at: number): void {
  const { turn, itemId, endAt, endedBy } = t
  d.emit({ type: 'speechStopped', itemId, audioEndMs: Math.round(t.audioEndMs) })
  openTurn(d, turn, endAt, endedBy)
  if (t.utterance) d.do({ do: 'mark', turn, name: 'speechStart', at: t.utterance.startedAt })
  d.do({ do: 'mark', turn, name: 'speechEnd', at: endAt })
  addUserItem(d, turn, itemId, at)
  d.addTranscription(t)
}

/** `committed`, `itemAdded`, `itemDone`: the wire's order for the caller's audio. */
export function addUserItem(d: Draft, turn: string, itemId: string, at: number): void {
  const entry = userEntry(itemId, turn, null)
  const previousItemId = d.addEntry(entry)?.previousItemId ?? null
  d.do({ do: 'mark', turn, name: 'committed', at })
  d.emit({ type: 'committed', itemId, previousItemId })
  d.emit({ type: 'itemAdded', item: entry.item, previousItemId })
  d.emit({ type: 'itemDone', item: entry.item, previousItemId })
}

export function reduceRecognition(d: Draft, event: RecognitionEvent): void {
  if (event.type === 'partial') return partial(d, event)
  const transcription = d.takeTranscription(event.turn)
  if (!transcription) return
  if (event.type === 'sttFailed') unrecognised(d, transcription, event)
  else recognised(d, transcription, event)
  releaseWaiting(d)
}

function partial(d: Draft, event: Extract<RecognitionEvent, { type: 'partial' }>): void {
  const utterance = utteranceOf(d.state)
  if (utterance?.turn !== event.turn) return
  const { text, complete, probablyOver = false } = event
  d.utterance({ words: text, whole: complete, probablyOver })
  showWords(d, event.stable)
  considerInterrupting(d)
  if (complete) speculate(d, text)
}

/** Agreed words while the caller speaks, for those who asked for them early; append-only. */
function showWords(d: Draft, stable: string): void {
  const utterance = utteranceOf(d.state)
  const { showTranscription, transcriptDeltas } = d.state.settings
  if (!utterance?.announced || !showTranscription || transcriptDeltas !== 'early') return
  if (!stable.startsWith(utterance.shown) || stable.length === utterance.shown.length) return
  const delta = stable.slice(utterance.shown.length)
  d.utterance({ shown: stable })
  d.emit({ type: 'transcriptDelta', itemId: utterance.itemId, delta })
}

/** The caller may have finished: let the model begin on these words; wire, tools and voice wait for the commit. */
function speculate(d: Draft, words: string): void {
  const { state } = d
  if (state.input.kind !== 'softEnded' || !state.input.utterance.announced) return
  const text = words.trim()
  const { turnDetection, maxRevisions } = state.settings
  if (!turnDetection?.createResponse || text === '' || state.revision >= maxRevisions) return
  if (outputOf(state) !== 'silent' || state.transcriptions.length > 0) return
  const { turn, itemId } = state.input.utterance
  const setup = setupOf(state)
  const request = buildRequest(withProvisionalWords(state, itemId, text), setup)
  if (speculation(state)?.promptKey === promptKey(request)) return
  dropSpeculation(d)
  const revision = state.revision + 1
  d.set({ revision })
  const response = newResponse(d, { turn, setup, inConversation: true, phase: 'speculating', revision })
  startThinking(d, response, 'until-release', { request, zeroAt: state.input.endAt })
}

function recognised(d: Draft, t: Transcription, event: Extract<RecognitionEvent, { type: 'final' }>): void {
  const text = event.text.trim()
  let { onFinal } = t
  if (onFinal === 'held') {
    if (!enoughWords(d, text) || text === '') return disregard(d, t)
    becomeTurn(d, t, event.at)
    onFinal = d.state.settings.turnDetection?.createResponse ? 'respond' : 'nothing'
  }
  d.changeEntry(t.itemId, (entry) => ({ ...entry, item: heardAs(entry.item, text) }))
  showFinal(d, t, text, event.audioMs)
  const { language, confidence = null } = event
  d.set({ recognised: { itemId: t.itemId, language, confidence } })
  noteLanguage(d, language, text)
  d.do({ do: 'mark', turn: t.turn, name: 'sttFinal', at: event.at })
  d.do({ do: 'userSaid', turn: t.turn, text, language })
  if (d.state.settings.kind === 'transcription') return settleTurn(d, t.turn, 'transcribed')
  if (onFinal === 'nothing') return
  if (text === '') return heardNothing(d, t.turn)
  const speaksAgain = utteranceOf(d.state)?.announced ?? false
  const active = activeResponse(d.state)
  if (speaksAgain || (active && active.phase !== 'cutting')) {
    // The next turn's answer takes these words along.
    if (speaksAgain) d.set({ unanswered: true })
    return dropSpeculation(d)
  }
  if (isCutting(d.state)) return d.set({ owed: t.turn })
  answerTurn(d, t.turn)
}

/** A word or two may be of any language: more of them tell. */
function noteLanguage(d: Draft, language: string | null, text: string): void {
  if (language === null || countWords(text) < LANGUAGE_WORDS) return
  d.set({ heard: { first: d.state.heard?.first ?? language, now: language } })
}

/** Held speech proved to be none: as if it had never been. */
function disregard(d: Draft, t: Transcription): void {
  d.do({ do: 'discard', turn: t.turn })
  d.do({ do: 'forget', itemId: t.itemId })
  resume(d)
}

/** Held speech proved to be words: announce it late, interrupt, and commit it as one. */
function becomeTurn(d: Draft, t: Transcription, at: number): void {
  d.emit({ type: 'speechStarted', itemId: t.itemId, audioStartMs: Math.round(t.utterance?.startMs ?? 0) })
  if (interrupts(d)) interrupt(d)
  commit(d, t, at)
  d.takeTranscription(t.turn)
}

function showFinal(d: Draft, t: Transcription, text: string, audioMs: number): void {
  if (!d.state.settings.showTranscription) return
  const shown = t.utterance?.shown ?? ''
  const delta = text.startsWith(shown) ? text.slice(shown.length) : ''
  if (delta !== '') d.emit({ type: 'transcriptDelta', itemId: t.itemId, delta })
  d.emit({ type: 'transcript', itemId: t.itemId, transcript: text, audioMs })
}

/** Noise: nothing to answer, but an answer it stopped before a word was heard is owed still. */
function heardNothing(d: Draft, turn: string): void {
  dropSpeculation(d)
  const bridge = waitingFor(d, turn)
  if (bridge) return stopResponse(d, bridge, 'turn_detected')
  resume(d)
  if (d.state.unanswered && !activeResponse(d.state) && !utteranceOf(d.state)) {
    return beginResponse(d, { turn, setup: setupOf(d.state), inConversation: true })
  }
  settleTurn(d, turn, 'superseded')
}

function unrecognised(
  d: Draft,
  t: Transcription,
  event: Extract<RecognitionEvent, { type: 'sttFailed' }>,
): void {
  dropSpeculation(d)
  let { onFinal } = t
  if (onFinal === 'held') {
    // Whether it was words nobody can tell, but it was speech: who spoke is told that it was lost.
    becomeTurn(d, t, event.at)
    onFinal = d.state.settings.turnDetection?.createResponse ? 'respond' : 'nothing'
  }
  const { code, message } = event
  if (d.state.settings.showTranscription)
    d.emit({ type: 'transcriptFailed', itemId: t.itemId, code, message })
  else d.emit({ type: 'fault', code, message })
  if (!apologise(d, { ...t, onFinal }, event)) giveUpWaiting(d, t.turn, { code, message })
  if (d.state.owedApology?.turn !== t.turn) settleTurn(d, t.turn, 'failed')
}

/** The caller waits for an answer that cannot come, and is told so. */
function apologise(
  d: Draft,
  { turn, onFinal }: Transcription,
  failure: Extract<RecognitionEvent, { type: 'sttFailed' }>,
): boolean {
  const { apology, modality } = d.state.settings
  if (apology === undefined || modality === 'text' || onFinal !== 'respond') return false
  const { code, message } = failure
  const bridge = waitingFor(d, turn)
  if (bridge) {
    const running: Response = { ...bridge, phase: 'running' }
    d.response(running)
    reciteInto(d, running, apology, { code, message })
    return true
  }
  if (utteranceOf(d.state)?.announced) return false
  // The answer that this speech cut off has its end first.
  // What the caller said after it may still be known, and is answered.
  if (d.state.transcriptions.some((t) => t.onFinal === 'respond')) return false
  if (isCutting(d.state)) d.set({ owedApology: { turn, failure: { code, message } } })
  else if (activeResponse(d.state)) return false
  else recite(d, turn, apology, { code, message })
  return true
}
