/**
 * The house of `docs/architecture.md`: floors, walls and pure rooms, read from its text block, and what in the
 * sources does not keep to it. A room is a folder or a file directly below `src/`.
 */
import { cyclesOf, type Import, importsOf } from './imports.ts'
import type { Source } from './sources.ts'

export interface House {
  /** From the roof down. */
  readonly floors: readonly (readonly string[])[]
  /** `from` may not import `to`. */
  readonly walls: readonly { readonly from: string; readonly to: string }[]
  /** `room` may be imported by these rooms and by itself only. */
  readonly secluded: readonly { readonly room: string; readonly knownTo: readonly string[] }[]
  /** `room` may import these rooms and itself only. */
  readonly reclusive: readonly { readonly room: string; readonly knows: readonly string[] }[]
  /** Rooms whose subfolders may not import each other. */
  readonly partitioned: readonly string[]
  /** Path prefixes below `src/`. */
  readonly pure: readonly string[]
  /** One file keeps these packages to itself; they compute only, so it may be pure all the same. */
  readonly engines: readonly { readonly file: string; readonly packages: readonly string[] }[]
}

/**
 * Reads the block fenced as ```house:
 *
 *     floor  session provider
 *     wall   gateway knows no session
 *     wall   provider is known to app alone
 *     wall   testing knows stage and clock alone
 *     wall   provider folders know no other
 *     wall   route/cel.ts alone imports @bufbuild/cel
 *     pure   route/ session/reduce
 */
export function readHouse(page: string): House {
  const block = /```house\n([\s\S]*?)```/.exec(page)?.[1]
  if (block === undefined) throw new Error('the page has no ```house block')
  const house = {
    floors: [] as string[][],
    walls: [] as { from: string; to: string }[],
    secluded: [] as { room: string; knownTo: string[] }[],
    reclusive: [] as { room: string; knows: string[] }[],
    partitioned: [] as string[],
    pure: [] as string[],
    engines: [] as { file: string; packages: string[] }[],
  }
  for (const line of block.split('\n').filter((one) => one.trim() !== '')) {
    const [kind, ...words] = line.trim().split(/\s+/)
    const rest = words.join(' ')
    const wall = /^(\S+) knows no (\S+)$/.exec(rest)
    const secluded = /^(\S+) is known to (.+) alone$/.exec(rest)
    const reclusive = /^(\S+) knows (.+) alone$/.exec(rest)
    const partitioned = /^(\S+) folders know no other$/.exec(rest)
    const engine = /^(\S+) alone imports (.+)$/.exec(rest)
    if (kind === 'floor') house.floors.push(words)
    else if (kind === 'pure') house.pure.push(...words)
    else if (kind === 'wall' && wall?.[1] && wall[2]) house.walls.push({ from: wall[1], to: wall[2] })
    else if (kind === 'wall' && secluded?.[1] && secluded[2]) {
      house.secluded.push({ room: secluded[1], knownTo: secluded[2].split(/,? and |, /) })
    } else if (kind === 'wall' && reclusive?.[1] && reclusive[2]) {
      house.reclusive.push({ room: reclusive[1], knows: reclusive[2].split(/,? and |, /) })
    } else if (kind === 'wall' && partitioned?.[1]) house.partitioned.push(partitioned[1])
    else if (kind === 'wall' && engine?.[1] && engine[2]) {
      house.engines.push({ file: engine[1], packages: engine[2].split(/,? and |, /) })
    } else throw new Error(`the house block has a line that says nothing: ${line.trim()}`)
  }
  return house
}

/** Everything that does not keep to the house, each as one sentence with its place. */
export function faultsOf(house: House, sources: readonly Source[]): string[] {
  const imports = sources.flatMap(importsOf)
  const files = imports.filter((one) => one.kind === 'file')
  return [
    ...strangers(house, sources),
    ...files.flatMap((one) => crossings(house, one)),
    ...cyclesOf(files.filter((one) => !one.typeOnly)).map((cycle) => `files import in a circle: ${cycle}`),
    ...roomCycles(files),
    ...impurities(house, imports),
    ...strayEngines(house, imports),
  ]
}

/** `session` of `session/reduce.ts`, `clock` of `clock.ts`. */
export function roomOf(path: string): string {
  return path.includes('/') ? (path.split('/')[0] ?? '') : path.replace(/\.tsx?$/, '')
}

function strangers(house: House, sources: readonly Source[]): string[] {
  const known = new Set(house.floors.flat())
  const rooms = new Set(sources.map((source) => roomOf(source.path)))
  return [...rooms].filter((room) => !known.has(room)).map((room) => `${room} stands on no floor`)
}

function crossings(house: House, { from, to, place }: Import): string[] {
  const [here, there] = [roomOf(from), roomOf(to)]
  const floorOf = (room: string) => house.floors.findIndex((floor) => floor.includes(room))
  const faults = []
  if (here !== there && floorOf(here) > floorOf(there) && floorOf(there) >= 0) {
    faults.push(`${place} imports upward: ${here} → ${there}`)
  }
  if (house.walls.some((wall) => wall.from === here && wall.to === there)) {
    faults.push(`${place}: ${here} knows no ${there}`)
  }
  for (const { room, knownTo } of house.secluded) {
    if (there === room && here !== room && !knownTo.includes(here)) {
      faults.push(`${place}: ${room} is known to ${knownTo.join(', ')} alone`)
    }
  }
  for (const { room, knows } of house.reclusive) {
    if (here === room && there !== room && !knows.includes(there)) {
      faults.push(`${place}: ${room} knows ${knows.join(', ')} alone`)
    }
  }
  const [ours, theirs] = [from.split('/'), to.split('/')]
  const bothInside =
    here === there && house.partitioned.includes(here) && ours.length > 2 && theirs.length > 2
  if (bothInside && ours[1] !== theirs[1]) faults.push(`${place}: ${ours[1]} knows ${theirs[1]} beside it`)
  return faults
}

/** Rooms may not need each other either, not even by types: one of the two is misplaced. */
function roomCycles(files: readonly Import[]): string[] {
  const edges = files
    .map(({ from, to }) => ({ from: roomOf(from), to: roomOf(to) }))
    .filter(({ from, to }) => from !== to)
  return cyclesOf(edges).map((cycle) => `rooms import in a circle: ${cycle}`)
}

/** A pure file needs nothing of Node or of a package when it runs, nor does anything it imports. */
function impurities(house: House, imports: readonly Import[]): string[] {
  const byFile = new Map<string, Import[]>()
  for (const one of imports) byFile.set(one.from, [...(byFile.get(one.from) ?? []), one])
  const faults: string[] = []
  const isPure = (path: string) => house.pure.some((prefix) => path.startsWith(prefix))
  for (const root of [...byFile.keys()].filter(isPure)) {
    const queue = [root]
    const seen = new Set(queue)
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      for (const one of byFile.get(file) ?? []) {
        if (one.typeOnly || engineOf(house, one)?.file === one.from) continue
        if (one.kind !== 'file') faults.push(`${root} must be pure, but ${one.place} imports ${one.to}`)
        else if (!seen.has(one.to)) {
          seen.add(one.to)
          queue.push(one.to)
        }
      }
    }
  }
  return faults
}

function engineOf(house: House, { kind, to }: Import) {
  if (kind !== 'package') return undefined
  return house.engines.find(({ packages }) =>
    packages.some((name) => to === name || to.startsWith(`${name}/`)),
  )
}

function strayEngines(house: House, imports: readonly Import[]): string[] {
  return imports.flatMap((one) => {
    const engine = engineOf(house, one)
    return engine && engine.file !== one.from ? [`${one.place}: ${engine.file} alone imports ${one.to}`] : []
  })
}
