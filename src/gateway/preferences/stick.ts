/**
 * Whether a conversation stays with the target that holds its prompt cache. Elsewhere an `order` or a `sort` switches that off
 * without a word, and every turn pays for its whole prompt again. Here it stays in front of both, as long as that
 * contradicts nothing the client said; where it does, the client's word holds and the loss is told. Pure.
 */
import type { Candidate, Target } from '../../route/candidates.ts'
import type { Pin } from '../../route/prefer.ts'
import type { Choice } from './choices.ts'
import { placeIn } from './order.ts'

export interface Stick {
  /** For `route/prefer.ts`. */
  readonly pin: Pin | null
  readonly lost: readonly string[]
}

export function pinned<T extends Target>(
  usable: readonly Candidate<Choice<T>>[],
  asked: {
    readonly pin: Pin | null
    readonly order: readonly string[]
    /** `first`: a fallback of the first model does not keep the conversation once that one is back. */
    readonly group: 'first' | 'any'
  },
): Stick {
  const { pin, order, group } = asked
  if (!pin) return { pin, lost: [] }
  const lost = (why: string): Stick => ({ pin: null, lost: [`stickiness to ${pin.target}: ${why}`] })
  const held = usable.find(({ target }) => target.id === pin.target)
  if (!held) return lost('it is none of the targets that may be asked')
  const first = Math.min(...usable.map(({ target }) => target.group))
  if (group === 'first' && held.target.group !== first) return lost('the first model can be asked')
  if (
    order.length > 0 &&
    placeIn(order, held.target) === order.length &&
    usable.some((one) => placeIn(order, one.target) < order.length)
  )
    return lost('order names others')
  if (held.facts.circuit === 'open') return lost('its circuit is open')
  return { pin, lost: [] }
}
