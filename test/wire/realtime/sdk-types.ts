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
  const { program, errors } = parseSync(file, readFileSync(file, 'utf8'))
  if (errors.length > 0) throw new Error(`${file} does not parse`)
  const interfaces = new Map<string, Node>()
  let members: Node[] = []
  const declare = (nodes: readonly Node[], prefix: string): void => {
    for (const node of nodes) {
      const of = node.declaration ?? node
      if (of.type === 'TSInterfaceDeclaration') interfaces.set(prefix + of.id.name, of)
      if (of.type === 'TSModuleDeclaration') declare(of.body.body, `${prefix}${of.id.name}.`)
      if (of.type === 'TSTypeAliasDeclaration' && of.id.name === union) members = of.typeAnnotation.types
    }
  }
  declare(program.body as Node[], '')
  if (members.length === 0) throw new Error(`${file} has no union ${union}`)
  return new Map(members.map((member) => eventOf(interfaces, nameOf(member.typeName))))
}

/** The members of an interface, such as `RealtimeSession`. */
export function sdkMembers(shape: keyof typeof FILES, name: string): readonly string[] {
  const file = join(SDK, FILES[shape])
  const { program } = parseSync(file, readFileSync(file, 'utf8'))
  for (const node of program.body as Node[]) {
    const of = node.declaration ?? node
    if (of.type === 'TSInterfaceDeclaration' && of.id.name === name)
      return of.body.body.map((member: Node) => member.key.name)
  }
  throw new Error(`${file} has no interface ${name}`)
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
