/**
 * Is a condition small enough? The engine knows no budget of steps, so what a condition may cost at worst is reckoned
 * from its tree before it is ever run. Regular expressions and time zones must be written down for the same reason.
 */
import { patternFault, patternSteps } from './cel.ts'
import { MAX_DEPTH, MAX_LIST, MAX_NODES, MAX_STEPS, SEEN_ENTRIES } from './limits.ts'
import type { ConditionFault } from './names.ts'
import { type Call, childrenOf, type Node } from './syntax.ts'
import { isZone } from './zone.ts'

export function boundFaults(root: Node): ConditionFault[] {
  const size = measure(root)
  if (size.depth > MAX_DEPTH) return [at(root, `is nested ${size.depth} deep, ${MAX_DEPTH} at most`)]
  if (size.nodes > MAX_NODES) return [at(root, `has ${size.nodes} parts, ${MAX_NODES} at most`)]
  const faults = literalFaults(root)
  if (faults.length > 0) return faults
  const steps = stepsOf(root)
  if (steps <= MAX_STEPS) return []
  return [at(root, `may take ${steps} steps (loops and regular expressions take most), ${MAX_STEPS} at most`)]
}

function at(node: Node, message: string): ConditionFault {
  return { message, offset: node.offset }
}

function measure(node: Node): { readonly depth: number; readonly nodes: number } {
  const below = childrenOf(node).map(measure)
  // A long chain of && is read from left to right and is not nested to anybody's eye.
  const chain = (child: Node) =>
    child.kind === 'call' && node.kind === 'call' && child.name === node.name && isLogic(child)
  const depths = childrenOf(node).map((child, i) => (below[i]?.depth ?? 0) + (chain(child) ? 0 : 1))
  return { depth: Math.max(1, ...depths), nodes: 1 + below.reduce((sum, one) => sum + one.nodes, 0) }
}

function isLogic({ name }: Call): boolean {
  return name === '_&&_' || name === '_||_'
}

/**
 * Nodes evaluated at worst, every loop taken to its end. What goes through a text or a list weighs more: at full length a
 * step of a regular expression costs about ten ordinary nodes, `in` compares with every entry.
 */
function stepsOf(node: Node): number {
  if (node.kind !== 'fold')
    return ownSteps(node) + childrenOf(node).reduce((sum, child) => sum + stepsOf(child), 0)
  const rounds = entriesOf(node.range)
  const round = stepsOf(node.goOn) + stepsOf(node.step)
  return stepsOf(node.range) + stepsOf(node.start) + rounds * round + stepsOf(node.result)
}

const PATTERN_WEIGHT = 10

function ownSteps(node: Node): number {
  if (node.kind !== 'call') return 1
  if (node.name === '@in') return entriesOf(node.args[1] ?? node)
  const pattern = node.name === 'matches' ? node.args.at(-1) : undefined
  if (pattern?.kind !== 'constant' || typeof pattern.value !== 'string') return 1
  return PATTERN_WEIGHT * patternSteps(pattern.value)
}

/** The longest a list can be: as written, or as much of the context as rules see. */
function entriesOf(node: Node): number {
  if (node.kind === 'list') return node.items.length
  if (node.kind === 'map') return node.entries.length
  // `map` and `filter` give at most as many as they got.
  if (node.kind === 'fold') return entriesOf(node.range)
  if (node.kind === 'call' && node.name === '_+_')
    return node.args.reduce((sum, arg) => sum + entriesOf(arg), 0)
  if (node.kind === 'call' && node.name === '_?_:_') return Math.max(...node.args.slice(1).map(entriesOf))
  return SEEN_ENTRIES
}

function literalFaults(node: Node): ConditionFault[] {
  const faults = childrenOf(node).flatMap(literalFaults)
  if (node.kind === 'list' && node.items.length > MAX_LIST) {
    faults.push(at(node, `a list has ${node.items.length} entries, ${MAX_LIST} at most`))
  }
  if (node.kind !== 'call') return faults
  if (node.name === 'matches') {
    const pattern = node.args.at(-1)
    if (pattern?.kind !== 'constant' || typeof pattern.value !== 'string') {
      faults.push(
        at(pattern ?? node, 'a regular expression must be written in the condition, not come from elsewhere'),
      )
    } else {
      const fault = patternFault(pattern.value)
      if (fault !== undefined) faults.push(at(pattern, `the regular expression ${fault}`))
    }
  }
  const zone = zoneOf(node)
  if (zone && (zone.kind !== 'constant' || typeof zone.value !== 'string')) {
    faults.push(at(zone, 'a time zone must be written in the condition, as in hourIn(now, "Europe/Rome")'))
  } else if (zone?.kind === 'constant' && !isZone(String(zone.value)) && !isOffset(String(zone.value))) {
    faults.push(at(zone, `${String(zone.value)} is no time zone`))
  }
  return faults
}

/** The engine reads `+01:00` itself, in its own methods. */
function isOffset(zone: string): boolean {
  return /^[+-]?\d\d:\d\d$/.test(zone)
}

function zoneOf({ name, target, args }: Call): Node | undefined {
  if (name === 'hourIn') return args[1]
  return /^get[A-Z]/.test(name) && target ? args[0] : undefined
}
