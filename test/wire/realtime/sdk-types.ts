/** The events of OpenAI's Realtime API, read out of the type declarations of the installed `openai` SDK. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { parseSync } from 'oxc-parser'

export interface EventType {
  readonly required: readonly string[]
  readonly optional: readonly string[]
}

// biome-ignore lint/suspicious/noExplicitAny: an ESTree node of types, read member by member
type Node = any

const SDK = dirname(createRequire(import.meta.url).resolve('openai'))
const FILES = {
  ga: 'resources/realtime/realtime.d.ts',
  beta: 'resources/beta/realtime/realtime.d.ts',
} as const

/** Every member of a union of events by its `type`. */
export function sdkEvents(
  shape: keyof typeof FILES,
  union: 'RealtimeClientEvent' | 'RealtimeServerEvent',
): ReadonlyMap<string, EventType> {
  const file = join(SDK, FILES[shape])
  const { interfaces, aliases } = declarations(file)
  const members: readonly Node[] = aliases.get(union)?.typeAnnotation.types ?? []
  if (members.length === 0) throw new Error(`${file} has no union ${union}`)
  return new Map(members.map((member) => eventOf(interfaces, nameOf(member.typeName))))
}

/** By name, with dots for those in namespaces. */
function declarations(file: string): { interfaces: Map<string, Node>; aliases: Map<string, Node> } {
  const { program, errors } = parseSync(file, readFileSync(file, 'utf8'))
  if (errors.length > 0) throw new Error(`${file} does not parse`)
  const [interfaces, aliases] = [new Map<string, Node>(), new Map<string, Node>()]
  const declare = (nodes: readonly Node[], prefix: string): void => {
    for (const node of nodes) {
      const of = node.declaration ?? node
      if (of.type === 'TSInterfaceDeclaration') interfaces.set(prefix + of.id.name, of)
      if (of.type === 'TSModuleDeclaration') declare(of.body.body, `${prefix}${of.id.name}.`)
      if (of.type === 'TSTypeAliasDeclaration') aliases.set(prefix + of.id.name, of)
    }
  }
  declare(program.body as Node[], '')
  return { interfaces, aliases }
}

/** The members of an interface, such as `RealtimeResponse` or `RealtimeAudioInputTurnDetection.ServerVad`. */
export function sdkMembers(shape: keyof typeof FILES, name: string): readonly string[] {
  const file = join(SDK, FILES[shape])
  const of = declarations(file).interfaces.get(name)
  if (!of) throw new Error(`${file} has no interface ${name}`)
  return of.body.body.map((member: Node) => member.key.name)
}

function nameOf(name: Node): string {
  return name.type === 'Identifier' ? name.name : `${nameOf(name.left)}.${name.right.name}`
}

function eventOf(interfaces: ReadonlyMap<string, Node>, name: string): [string, EventType] {
  const of = interfaces.get(name)
  if (!of) throw new Error(`the SDK declares no ${name}`)
  const required: string[] = []
  const optional: string[] = []
  let type = ''
  for (const member of of.body.body) {
    const key = member.key.name
    if (key === 'type') type = member.typeAnnotation.typeAnnotation.literal.value
    else (member.optional ? optional : required).push(key)
  }
  return [type, { required, optional }]
}
