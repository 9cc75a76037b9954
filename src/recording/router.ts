/**
 * Routing and health across the edge: who was chosen, who may be asked, how long one waits. All of it depends on the other
 * sessions of the process, so a replay takes the answers from the file.
 */
import type { HealthView, Ticket } from '../attempt/health.ts'
import type { Hedge, HedgeAfter } from '../attempt/hedge.ts'
import type { Candidate, Habits, Lineup, Router, StageFacts } from '../attempt/lineup.ts'
import type { Clock } from '../clock.ts'
import type { Declined, StageName } from '../errors.ts'
import type { LatencyView } from '../route/latency.ts'
import type { LlmAdapter } from '../stage/llm.ts'
import type { SttAdapter } from '../stage/stt.ts'
import type { TtsAdapter } from '../stage/tts.ts'
import { llmOverEdge, type Named, sttOverEdge, ttsOverEdge } from './adapters.ts'
import { Count, type Detail, type Edge } from './edge.ts'

export interface RealRouter {
  readonly router: Router
  readonly clock: Clock
  /** What rules will read, before they do. */
  readonly judging: (stage: StageName, facts: StageFacts, habits: Habits) => void
}

interface Adapters {
  readonly stt: SttAdapter
  readonly llm: LlmAdapter
  readonly tts: TtsAdapter
}

/** A candidate as the file has it. */
type Written<S extends StageName> = Omit<Candidate<never>, 'adapter'> & Named<Adapters[S]['caps']>

const NO_LATENCY: LatencyView = {
  p50Ms: 1000,
  p90Ms: 1000,
  p95Ms: 1000,
  samples: 0,
  from: 'prior',
  errorRate: 0,
  unitsPerSecond: null,
}

/** `real` null: a replay. */
export function routerOverEdge(edge: Edge, real: RealRouter | null): Router {
  const lineups = new Count()
  const count = new Count()
  /** The same target is the same adapter throughout a session: leases are kept by it. */
  const made = new Map<string, Adapters[StageName]>()
  const clock = real?.clock ?? edge.clock

  function candidates<S extends StageName>(
    stage: S,
    lineup: number,
    ask: () => readonly Candidate<Adapters[S]>[],
  ): Candidate<Adapters[S]>[] {
    let found: readonly Candidate<Adapters[S]>[] = []
    const written = edge.ask<readonly Written<S>[]>(
      `lineup.${stage}`,
      { lineup },
      () => {
        found = ask()
        return found.map(({ adapter, ...rest }) => ({
          ...rest,
          id: adapter.id,
          caps: adapter.caps,
          target: `${rest.provider}/${rest.model}`,
        }))
      },
      [],
    )
    return written.map(({ id, caps, target, ...rest }, i) => {
      const key = `${stage} ${target} ${id} ${rest.credential ?? ''}`
      let adapter = made.get(key) as Adapters[S] | undefined
      if (!adapter) {
        adapter = adapterOf(stage, { id, caps, target }, found[i]?.adapter ?? null)
        made.set(key, adapter)
      }
      return { ...rest, adapter }
    })
  }

  function adapterOf<S extends StageName>(
    stage: S,
    named: Named<Adapters[S]['caps']>,
    adapter: Adapters[S] | null,
  ): Adapters[S] {
    const behind = { adapter, clock }
    const makers = { stt: sttOverEdge, llm: llmOverEdge, tts: ttsOverEdge }
    const make = makers[stage] as unknown as (
      ...of: [Edge, Count, typeof named, typeof behind]
    ) => Adapters[S]
    return make(edge, count, named, behind)
  }

  return {
    health: healthOverEdge(edge, real?.router.health ?? null),
    ...extrasOverEdge(edge, real?.router ?? null),
    lineup(facts, habits) {
      const id = lineups.next()
      const lineup = real?.router.lineup(facts, habits)
      const stages = new Map<StageName, readonly Candidate<Adapters[StageName]>[]>()
      const of = <S extends StageName>(stage: S): readonly Candidate<Adapters[S]>[] => {
        let known = stages.get(stage) as readonly Candidate<Adapters[S]>[] | undefined
        if (!known) {
          real?.judging(stage, facts, habits)
          known = candidates(stage, id, () => lineup![stage] as unknown as Candidate<Adapters[S]>[])
          stages.set(stage, known)
        }
        return known
      }
      return {
        get stt() {
          return of('stt')
        },
        get llm() {
          return of('llm')
        },
        get tts() {
          return of('tts')
        },
        get llmInsteadOf() {
          of('llm')
          const lists = lineup?.llmInsteadOf ?? {}
          const declined = edge.ask('instead', { lineup: id }, () => Object.keys(lists) as Declined[], [])
          return Object.fromEntries(
            declined.map((why) => [
              why,
              candidates('llm', id, () => lists[why] as readonly Candidate<LlmAdapter>[]),
            ]),
          )
        },
        exposure: (stage) =>
          edge.ask('exposure', { lineup: id, stage }, () => lineup?.exposure?.(stage) ?? null, null),
        get llmHedge() {
          of('llm')
          return hedgeOverEdge(edge, id, lineup)
        },
        voice: (name, provider) =>
          edge.ask('voice', { name, provider }, () => lineup!.voice(name, provider), undefined),
      }
    },
  }
}

/** What a session asks of its router beside the lineup. */
function extrasOverEdge(
  edge: Edge,
  real: Router | null,
): Pick<Router, 'pricing' | 'phrase' | 'prepare' | 'warm'> {
  const price = (kind: string, detail: Detail, usd: () => number | null | undefined) =>
    edge.ask(kind, detail, () => usd() ?? null, null)
  return {
    pricing: {
      tokens: (target, used) =>
        price('cost.tokens', { target, ...used }, () => real?.pricing?.tokens(target, used)),
      audio: (target, ms) => price('cost.audio', { target, ms }, () => real?.pricing?.audio(target, ms)),
      characters: (target, count) =>
        price('cost.characters', { target, count }, () => real?.pricing?.characters(target, count)),
    },
    phrase: (text, speaker) =>
      edge.ask('phrase', { text, ...speaker }, () => real?.phrase?.(text, speaker) ?? null, null),
    prepare(speaker) {
      edge.tell('prepare', { ...speaker })
      real?.prepare?.(speaker)
    },
    // Nothing of it comes back to the session.
    warm: (facts) => real?.warm?.(facts),
  }
}

function hedgeOverEdge(edge: Edge, id: number, lineup: Lineup | undefined): Hedge | null {
  const hedge = lineup?.llmHedge
  const rule = edge.ask<{ after: HedgeAfter; maxShare: number } | null>(
    'hedge',
    { lineup: id },
    () => (hedge ? { after: hedge.after, maxShare: hedge.share.maxShare } : null),
    null,
  )
  if (!rule) return null
  const share = hedge?.share
  return {
    after: rule.after,
    share: {
      maxShare: rule.maxShare,
      call: () => share?.call(),
      take: () => edge.ask('hedge.take', {}, () => share!.take(), false),
      giveBack: () => share?.giveBack(),
      won: () => share?.won(),
      lost: (usd) => share?.lost(usd),
    },
  }
}

function healthOverEdge(edge: Edge, real: HealthView | null): HealthView {
  const ticketOf = (as: Ticket['as'], ticket: Ticket | null | undefined): Ticket => ({
    as,
    useful: () => ticket?.useful(),
    end: (ending) => ticket?.end(ending),
  })
  return {
    admit(place, language) {
      let ticket: Ticket | null = null
      const as = edge.ask<Ticket['as'] | null>(
        'admit',
        { ...place },
        () => {
          ticket = real!.admit(place, language)
          return ticket?.as ?? null
        },
        'normal',
      )
      return as === null ? null : ticketOf(as, ticket)
    },
    resort(place, language) {
      let ticket: Ticket | null = null
      const answer = () => {
        ticket = real!.resort(place, language)
        return ticket.as
      }
      return ticketOf(edge.ask<Ticket['as']>('resort', { ...place }, answer, 'resort'), ticket)
    },
    // `until` is of the session's clock, as every time in the file.
    offOf: (place) => edge.ask('offOf', { ...place }, () => real!.offOf(place), null),
    circuit: (place) => edge.ask('circuit', { ...place }, () => real!.circuit(place), 'closed'),
    latency: ({ stage, target }, language) =>
      edge.ask(
        'latency',
        { stage, target, language },
        () => real!.latency({ stage, target }, language),
        NO_LATENCY,
      ),
    healthyMs: ({ stage, target }, language, quantile) =>
      edge.ask(
        'healthyMs',
        { stage, target, language, quantile },
        () => real!.healthyMs({ stage, target }, language, quantile),
        1000,
      ),
    timeoutsInARow: (place) => edge.ask('timeouts', { ...place }, () => real!.timeoutsInARow(place), 0),
    // Asked by rules alone, and rules are judged by the real router.
    health: (stage, language) => real?.health(stage, language) ?? (() => undefined),
    factsOf: (stage, language) => {
      if (!real) throw new Error('a replay judges no rules')
      return real.factsOf(stage, language)
    },
  }
}
