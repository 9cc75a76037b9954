/** The answers of a session that are on their way, by response, and the turn's budget at work on them. */
import type { Lineup, Router } from '../attempt/lineup.ts'
import type { CancelReason } from '../cancel.ts'
import type { Clock } from '../clock.ts'
import type { ModelRequest } from '../dialect/neutral.ts'
import { bestFormat } from '../stage/tts.ts'
import { Answer, type AnswerOptions } from './answer.ts'
import type { Effect } from './effects.ts'
import type { AnswerEvent } from './events.ts'
import type { Routing } from './routing.ts'
import type { SessionSettings } from './settings.ts'
import type { Speaker } from './speaker.ts'
import type { TurnBook } from './turn-book.ts'
import type { TurnBudget } from './turn-budget.ts'

type Begin = Extract<Effect, { do: 'think' | 'recite' }>

export interface AnswersOptions {
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly health: Router['health']
  readonly settings: () => SessionSettings
  readonly language: () => string | undefined
  readonly speaker: Speaker
  readonly book: TurnBook
  readonly routing: Routing
  readonly budget: TurnBudget
  readonly report: (event: AnswerEvent) => void
}

export class Answers {
  readonly #options: AnswersOptions
  readonly #answers = new Map<string, { readonly turn: string; readonly answer: Answer; lineup: Lineup }>()

  /** Those of them that wait for the caller's words. */
  readonly #bridges = new Set<string>()

  /** What connects whom the words that are being spoken will need. */
  #likely: (() => void)[] = []

  constructor(options: AnswersOptions) {
    this.#options = options
  }

  /**
   * The caller speaks: the model and the voice that are likely to answer connect meanwhile, so that no first token and no first sentence
   * waits for that.
   */
  warm(): void {
    const { routing, settings, language } = this.#options
    const { kind, modality, voice, outputFormat, speed } = settings()
    this.#likely = []
    if (kind === 'transcription') return
    this.#connect(() => routing.warmModel())
    if (modality === 'text') return
    const lineup = routing.lineup(null)
    const [first] = lineup.tts
    if (!first?.adapter.warm) return
    const tongue = language()
    const opening = {
      voice: lineup.voice(voice, first.provider, tongue) ?? '',
      format: bestFormat(first.adapter, outputFormat),
      speed,
      ...(tongue === undefined ? {} : { language: tongue }),
    }
    this.#connect(() => first.adapter.warm?.(opening))
  }

  /** The caller paused, perhaps after a long speech: what was connected may have been given up meanwhile, or be another's. */
  warmAgain(): void {
    for (const connect of this.#likely) connect()
  }

  #connect(connect: () => void): void {
    this.#likely.push(connect)
    connect()
  }

  begin(effect: Begin): void {
    const { response, turn } = effect
    const { book } = this.#options
    const bridge = this.#bridges.delete(response) ? this.#answers.get(response)?.answer : undefined
    if (bridge) return this.#goOn(bridge, effect)
    book.begin(turn)
    book.respond(turn, response)
    this.stop(response, 'superseded')
    if (effect.do === 'think') this.#think(effect)
    else this.#recite(effect)
  }

  /** An answer that begins with a phrase, before the words it answers are known. */
  bridge({ response, turn, phrase, voicing }: Extract<Effect, { do: 'bridge' }>): void {
    const { book, routing } = this.#options
    book.begin(turn)
    book.respond(turn, response)
    const answer = this.#open({ response, turn, revision: 0, voicing, lineup: routing.lineup(null) })
    this.#bridges.add(response)
    answer.await()
    const sound = routing.phrase(phrase)
    if (sound) answer.fill(sound)
  }

  release(response: string): void {
    const found = this.#answers.get(response)
    if (!found) return
    this.#options.budget.thinking(found.turn)
    this.#commit(found.turn, found.lineup)
    found.answer.release()
  }

  stop(response: string, reason: Exclude<CancelReason, 'done' | 'deadline' | 'hedge-lost'>): void {
    const found = this.#answers.get(response)
    if (!found) return
    found.answer.stop(reason)
    this.done(response)
  }

  /** It has ended. */
  done(response: string): void {
    const found = this.#answers.get(response)
    if (!found) return
    this.#answers.delete(response)
    this.#bridges.delete(response)
    this.#options.budget.rest(found.turn)
  }

  /** Says a phrase into the answer that the turn waits for; false when there is none to bridge. */
  fill(turn: string, text: string): boolean {
    const phrase = this.#options.routing.phrase(text)
    if (!phrase) return false
    for (const one of this.#answers.values()) {
      if (one.turn === turn && one.answer.fill(phrase)) return true
    }
    return false
  }

  #goOn(answer: Answer, effect: Begin): void {
    const { turn } = effect
    if (effect.do === 'recite') return this.#say(answer, effect)
    const { request, lineup } = this.#chosen(effect)
    this.#options.budget.thinking(turn)
    this.#commit(turn, lineup)
    answer.think(request, lineup)
  }

  /** Whom the model's request goes to, and what becomes of it, with the time that is left. */
  #chosen(effect: Extract<Effect, { do: 'think' }>) {
    const { turn, zeroAt } = effect
    const { budget, routing } = this.#options
    if (zeroAt !== undefined) budget.expect(turn, zeroAt)
    const since = zeroAt === undefined ? {} : { zeroAt }
    let lineup = routing.lineup(effect.request, since)
    let request = effect.request
    for (let rung = budget.choose(turn, routing.medians(lineup)); rung; ) {
      if (rung.rung === 'shorter') request = shortened(request, rung.maxTokens)
      else lineup = routing.lineup(request, { ...since, slackMs: budget.slackMs(turn, 'llm') })
      rung = budget.choose(turn, routing.medians(lineup))
    }
    return { request, lineup }
  }

  /** Guesses that are dropped expose nobody. */
  #commit(turn: string, lineup: Lineup): void {
    const { book, routing } = this.#options
    book.exposed(turn, routing.committed(lineup))
  }

  #think(effect: Extract<Effect, { do: 'think' }>): void {
    const { turn, response, revision, hold, voicing } = effect
    const { budget, book, clock } = this.#options
    const { request, lineup } = this.#chosen(effect)
    const answer = this.#open({ response, turn, revision, voicing, lineup })
    if (hold === 'no') {
      budget.thinking(turn)
      this.#commit(turn, lineup)
      answer.release()
    } else book.mark(turn, 'speculated', clock.now())
    answer.think(request)
  }

  #recite(effect: Extract<Effect, { do: 'recite' }>): void {
    const { response, turn, voicing } = effect
    const lineup = this.#options.routing.lineup(null)
    this.#say(this.#open({ response, turn, revision: 0, voicing, lineup }), effect)
  }

  #say(answer: Answer, { turn, text, voicing, failure }: Extract<Effect, { do: 'recite' }>): void {
    const { routing, budget } = this.#options
    if (failure) budget.exhausted(turn)
    const phrase = voicing.modality === 'audio' ? routing.phrase(text) : null
    if (phrase) answer.recall(phrase, failure)
    else answer.recite(text, failure)
  }

  #open(facts: Pick<AnswerOptions, 'response' | 'turn' | 'revision' | 'voicing' | 'lineup'>): Answer {
    const { response, turn } = facts
    const { clock, signal, health, settings, language, speaker, book, routing, budget, report } =
      this.#options
    const answer = new Answer({
      ...facts,
      speaker,
      clock,
      signal,
      settings,
      language,
      attempts: book.attempts(turn),
      health,
      report,
      mark: (name) => {
        book.mark(turn, name, clock.now())
        if (name === 'firstSentence') budget.voicing(turn)
        else if (name === 'ttsFirstAudio') budget.heard(turn)
      },
      spokeWith: (target) => routing.spokeWith(target),
      thoughtWith: (model, tokens) => routing.thoughtWith(model, tokens),
      slackMs: (stage) => budget.slackMs(turn, stage),
      patienceMs: budget.patienceMs,
      pricing: routing.pricing,
      sentences: routing.sentences,
      apology: () => {
        const text = budget.exhausted(turn)
        return text === null ? null : routing.phrase(text)
      },
    })
    this.#answers.set(response, { turn, answer, lineup: facts.lineup })
    return answer
  }
}

function shortened(request: ModelRequest, maxTokens: number): ModelRequest {
  return { ...request, maxTokens: Math.min(maxTokens, request.maxTokens ?? maxTokens) }
}
