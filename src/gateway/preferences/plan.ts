/** A plan as a list of wishes: conditions judged, shares drawn, what falls back follows. Pure. */
import type { RoutingFacts } from '../../route/context.ts'
import { drawOf } from '../../route/variants.ts'
import { refuse } from './error.ts'
import { holds } from './portkey-query.ts'
import type { Plan, Wish } from './preferences.ts'

export interface PlanFacts {
  /** What conditions of a config read. */
  readonly facts: RoutingFacts
  /** What a draw sticks to: the user, else the conversation, else the request. */
  readonly key: string
}

/** Never empty. Throws `PreferenceError` where no condition holds and there is no default. */
export function wishesOf(plan: Plan, facts: PlanFacts): readonly Wish[] {
  switch (plan.type) {
    case 'model':
      return [plan.wish]
    case 'first':
      return plan.of.flatMap((one) => withNext(wishesOf(one, facts), plan.nextOn))
    case 'split': {
      const draw = drawOf(
        plan.place,
        plan.shares.map(({ weight }, i) => ({ id: String(i), weight })),
      )
      const share = plan.shares[draw.pick(facts.key)] ?? plan.shares[0]
      return share ? wishesOf(share.plan, facts) : []
    }
    case 'switch': {
      const held = plan.cases.find(({ query }) => holds(query, facts.facts))
      const taken = held?.plan ?? plan.otherwise
      return taken
        ? wishesOf(taken, facts)
        : refuse(plan.place, 'has no condition that holds, and no default')
    }
    default: {
      const never: never = plan
      return never
    }
  }
}

/** The last of a part is the one after which the next part comes. */
function withNext(wishes: readonly Wish[], nextOn: Wish['nextOn']): readonly Wish[] {
  if (nextOn === null) return wishes
  return wishes.map((wish, i) => (i === wishes.length - 1 ? { ...wish, nextOn } : wish))
}
