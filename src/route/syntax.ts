/** A condition's syntax tree, free of the engine: what `cel.ts` makes and the checks walk. */

interface Place {
  readonly id: number
  /** Into the condition's text. */
  readonly offset: number
}

export type Node = Place &
  (
    | { readonly kind: 'constant'; readonly value: unknown }
    | { readonly kind: 'name'; readonly name: string }
    /** `of.name`; with `presence` it is `has(of.name)`. */
    | { readonly kind: 'member'; readonly of: Node; readonly name: string; readonly presence: boolean }
    /** Operators are calls too, by CEL's own names: `_==_`, `_&&_`, `_[_]`, `_?_:_`, `@in`. */
    | {
        readonly kind: 'call'
        readonly name: string
        readonly target: Node | null
        readonly args: readonly Node[]
      }
    | { readonly kind: 'list'; readonly items: readonly Node[] }
    | { readonly kind: 'map'; readonly entries: readonly (readonly [Node, Node])[] }
    /** What `all`, `exists`, `exists_one`, `map` and `filter` become. */
    | {
        readonly kind: 'fold'
        readonly range: Node
        readonly item: string
        readonly total: string
        readonly start: Node
        readonly goOn: Node
        readonly step: Node
        readonly result: Node
      }
    | { readonly kind: 'message'; readonly name: string }
  )

export type Fold = Extract<Node, { kind: 'fold' }>
export type Call = Extract<Node, { kind: 'call' }>

/** The nodes directly below. */
export function childrenOf(node: Node): readonly Node[] {
  switch (node.kind) {
    case 'constant':
    case 'name':
    case 'message':
      return []
    case 'member':
      return [node.of]
    case 'call':
      return node.target ? [node.target, ...node.args] : node.args
    case 'list':
      return node.items
    case 'map':
      return node.entries.flat()
    case 'fold':
      return [node.range, node.start, node.goOn, node.step, node.result]
    default: {
      const never: never = node
      return never
    }
  }
}

/** `turn.text`, `health["openai/gpt-4o"].p95Ms`, `size(…)`: what a reader recognises, from the condition's own text only. */
export function say(node: Node): string {
  switch (node.kind) {
    case 'name':
      return node.name
    case 'member':
      return node.presence ? `has(${say(node.of)}.${node.name})` : `${say(node.of)}.${node.name}`
    case 'constant':
      return typeof node.value === 'string' ? JSON.stringify(node.value) : String(node.value)
    case 'list':
      return '[…]'
    case 'map':
    case 'message':
      return '{…}'
    case 'fold':
      return `${say(node.range)}, item by item`
    case 'call':
      return sayCall(node)
    default: {
      const never: never = node
      return never
    }
  }
}

function sayCall({ name, target, args }: Call): string {
  const [first, second, third] = args.map(say)
  if (name === '_[_]') return `${first}[${second}]`
  if (name === '_?_:_') return `${first} ? ${second} : ${third}`
  if (name === '@in') return `${first} in ${second}`
  const sign = /^_(\S+)_$/.exec(name)?.[1]
  if (sign && args.length === 2) return `${first} ${sign} ${second}`
  if (name === '!_' || name === '-_') return `${name[0]}${first}`
  return `${target ? `${say(target)}.` : ''}${name}(${args.map(say).join(', ')})`
}

/** `_==_` is written `==`. */
export function written(name: string): string {
  if (name === '@in') return 'in'
  if (name === '_[_]') return '[]'
  if (name === '_?_:_') return '? :'
  return /^_?(\S+?)_$/.exec(name)?.[1] ?? name
}
