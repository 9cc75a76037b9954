/** Do all names of a condition exist: variables, their members, functions, macros? Walks the tree; nothing is evaluated. */
import type { StageName } from '../errors.ts'
import { FUNCTIONS, MACROS } from './cel.ts'
import { nearest } from './nearest.ts'
import { absent, CONTEXT, CONTEXT_NAMES, type ContextName, type Shape } from './shape.ts'
import { childrenOf, type Fold, type Node, say, written } from './syntax.ts'

/** A fault of a condition, in words that follow the condition's place in its file. */
export interface ConditionFault {
  readonly message: string
  /** UTF-16 units into the condition's text. */
  readonly offset: number
}

export interface NameOptions {
  readonly stage: StageName
  /** Targets that exist, for `health["…"]`; null: any. */
  readonly targets: readonly string[] | null
}

const UNKNOWN: Shape = { type: 'dyn' }
const TYPE_NAMES = ['int', 'uint', 'double', 'bool', 'string', 'bytes', 'list', 'map', 'null_type', 'type']

export function nameFaults(root: Node, options: NameOptions): ConditionFault[] {
  const faults: ConditionFault[] = []
  /** Checks everything below `node` and tells what is known of its value. */
  const look = (node: Node, local: ReadonlyMap<string, Shape>): Shape => {
    const fault = (message: string): Shape => {
      faults.push({ message, offset: node.offset })
      return UNKNOWN
    }
    switch (node.kind) {
      case 'constant':
        return UNKNOWN
      case 'message':
        return fault(`${node.name}{…} makes a message, which no rule can use`)
      case 'name':
        return local.get(node.name) ?? variable(node.name, options.stage, fault)
      case 'member':
        return memberOf(node, look(node.of, local), fault)
      case 'fold':
        return lookIntoFold(node, local)
      case 'call': {
        const inner = (node.target ? [node.target, ...node.args] : node.args).map((one) => look(one, local))
        const { name } = node
        if (!FUNCTIONS.includes(name)) return fault(unknownFunction(name))
        if (name !== '_[_]') return UNKNOWN
        const key = node.args[1]
        return elementOf(inner[0] ?? UNKNOWN, key, options.targets, (message) => {
          faults.push({ message, offset: key?.offset ?? node.offset })
          return UNKNOWN
        })
      }
      default:
        for (const child of childrenOf(node)) look(child, local)
        return UNKNOWN
    }
  }
  const lookIntoFold = (node: Fold, local: ReadonlyMap<string, Shape>): Shape => {
    const range = look(node.range, local)
    if (Object.hasOwn(CONTEXT, node.item)) {
      const message = `${node.item} is a name of the context: call the item otherwise`
      faults.push({ message, offset: node.offset })
    }
    if (range.type === 'map' && range.keys === 'targets') {
      faults.push({ message: 'health has every target and cannot be listed', offset: node.range.offset })
    }
    const inside = new Map(local)
    inside.set(node.item, range.type === 'list' ? range.item : UNKNOWN)
    inside.set(node.total, UNKNOWN)
    for (const part of [node.start, node.goOn, node.step, node.result]) look(part, inside)
    return UNKNOWN
  }
  look(root, new Map())
  return distinct(faults)
}

type Fault = (message: string) => Shape

function variable(name: string, stage: StageName, fault: Fault): Shape {
  if (Object.hasOwn(CONTEXT, name)) {
    const missing = absent(name as ContextName, stage)
    return missing === undefined ? CONTEXT[name as ContextName] : fault(missing)
  }
  if (TYPE_NAMES.includes(name)) return UNKNOWN
  const member = CONTEXT_NAMES.find((one) => {
    const shape: Shape = CONTEXT[one]
    return shape.type === 'members' && Object.hasOwn(shape.members, name)
  })
  const near = nearest(name, [...CONTEXT_NAMES, 'true', 'false', 'null'])
  if (near === undefined && member !== undefined)
    return fault(`${name} is not known; did you mean ${member}.${name}?`)
  if (near !== undefined) return fault(`${name} is not known; did you mean ${near}?`)
  return fault(`${name} is not known; what the client sent is metadata.${name}, the key's own is key.${name}`)
}

function memberOf(node: Extract<Node, { kind: 'member' }>, shape: Shape, fault: Fault): Shape {
  switch (shape.type) {
    case 'dyn':
      return UNKNOWN
    case 'map':
      return shape.value
    case 'members': {
      if (Object.hasOwn(shape.members, node.name)) return shape.members[node.name] as Shape
      const names = Object.keys(shape.members)
      const near = nearest(node.name, names)
      const hint = near === undefined ? `there are ${names.join(', ')}` : `did you mean ${near}?`
      return fault(`${say(node.of)}.${node.name} is not known; ${hint}`)
    }
    default:
      return fault(`${say(node.of)} is a ${shape.type}, which has no ${node.name}`)
  }
}

function elementOf(
  shape: Shape,
  key: Node | undefined,
  targets: readonly string[] | null,
  fault: Fault,
): Shape {
  if (shape.type === 'list') return shape.item
  if (shape.type !== 'dyn' && shape.type !== 'map' && shape.type !== 'members') {
    return fault(`a ${shape.type} has no entries`)
  }
  const literal = key?.kind === 'constant' && typeof key.value === 'string' ? key.value : undefined
  if (shape.type === 'members') {
    if (literal === undefined) return UNKNOWN
    return Object.hasOwn(shape.members, literal)
      ? (shape.members[literal] as Shape)
      : fault(`[${JSON.stringify(literal)}] is not known; there are ${Object.keys(shape.members).join(', ')}`)
  }
  if (shape.type !== 'map') return UNKNOWN
  if (shape.keys === 'targets' && literal !== undefined && targets && !targets.includes(literal)) {
    const near = nearest(literal, targets)
    return fault(
      `${literal} is no target of this pipeline${near === undefined ? '' : `; did you mean ${near}?`}`,
    )
  }
  return shape.value
}

function unknownFunction(name: string): string {
  if (name === 'has') return 'has wants a member, as in has(metadata.tier)'
  if (MACROS.some((macro) => macro === name))
    return `${name} wants an item and a condition, as in list.${name}(x, x > 1)`
  const near = nearest(name, [...FUNCTIONS.filter((one) => /^\w+$/.test(one)), ...MACROS])
  return `the function ${written(name)} is not known${near === undefined ? '' : `; did you mean ${near}?`}`
}

/** A macro shows its parts twice in the tree. */
function distinct(faults: readonly ConditionFault[]): ConditionFault[] {
  const seen = new Set<string>()
  return faults.filter(({ message, offset }) => {
    const key = `${offset} ${message}`
    if (seen.has(key)) return false
    seen.add(key)
    return true
  })
}
