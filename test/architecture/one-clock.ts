/** Where a file reads the time, waits, or derives an abort signal without the one clock and the one scope. */
import { isNode, type Node, placeOf, type Source, walk } from './sources.ts'

const TIMERS = new Set(['setTimeout', 'setInterval'])
/** The object and the members of it that tell the time or wait. */
const MEMBERS: Readonly<Record<string, ReadonlySet<string>>> = {
  Date: new Set(['now']),
  performance: new Set(['now', 'timeOrigin', 'mark', 'measure']),
  process: new Set(['hrtime', 'uptime']),
  AbortSignal: new Set(['timeout', 'any']),
  globalThis: new Set(['setTimeout', 'setInterval', 'performance']),
}
const MODULES = new Set(['node:timers', 'node:timers/promises', 'timers', 'timers/promises'])

/** Each as `session/x.ts:3 uses Date.now`. */
export function clocksOf(source: Source): string[] {
  const faults: string[] = []
  walk(source, (node) => {
    const used = usedBy(node)
    if (used !== undefined) faults.push(`${placeOf(source, node)} uses ${used}`)
  })
  return faults
}

function usedBy(node: Node): string | undefined {
  const callee = isNode(node['callee']) ? node['callee'] : undefined
  switch (node.type) {
    case 'CallExpression': {
      const name = callee?.type === 'Identifier' ? String(callee['name']) : ''
      return TIMERS.has(name) || name === 'Date' ? name : undefined
    }
    case 'NewExpression': {
      if (callee?.type !== 'Identifier') return undefined
      if (callee['name'] === 'AbortController') return 'new AbortController'
      const given = node['arguments']
      return callee['name'] === 'Date' && Array.isArray(given) && given.length === 0
        ? 'new Date()'
        : undefined
    }
    case 'MemberExpression': {
      const { object, property } = node as { object?: unknown; property?: unknown } & Node
      if (!isNode(object) || object.type !== 'Identifier' || !isNode(property)) return undefined
      const [owner, member] = [String(object['name']), String(property['name'] ?? property['value'])]
      return Object.hasOwn(MEMBERS, owner) && MEMBERS[owner]?.has(member) ? `${owner}.${member}` : undefined
    }
    case 'ImportDeclaration': {
      const from = isNode(node['source']) ? String(node['source']['value']) : ''
      if (MODULES.has(from)) return from
      return from === 'node:perf_hooks' ? perfHook(node) : undefined
    }
    default:
      return undefined
  }
}

/** `monitorEventLoopDelay` measures the loop and not the time; everything else of that module is a clock. */
function perfHook(node: Node): string | undefined {
  const specifiers = node['specifiers'] as readonly Node[]
  const names = specifiers.map((one) => (isNode(one['imported']) ? String(one['imported']['name']) : '*'))
  return names.find((name) => name !== 'monitorEventLoopDelay' && name !== 'IntervalHistogram')
}
