/** The pipelines of a folder as one immutable snapshot. A session keeps the one it began with. */
import { type Dirent, readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { StageName } from '../errors.ts'
import { MAX_PIPELINES } from './defaults.ts'
import { check } from './issues.ts'
import { pathOfTarget } from './path-of-target.ts'
import { listsOf, type Pipeline } from './pipeline.ts'
import { pipelineSchema } from './pipeline-schema.ts'
import { ConfigError, hasErrors, inOrder, type Position, type Problem } from './problem.ts'
import { read } from './read-file.ts'
import { ruleProblems } from './rules.ts'
import type { Target } from './target.ts'
import { toPipeline } from './to-pipeline.ts'
import { UNSUPPORTED_IN_PIPELINES, unsupported } from './unsupported.ts'
import { voiceProblems } from './voice-rules.ts'
import { readYaml, type YamlSource } from './yaml-source.ts'

/** One place where a pipeline names a target. */
export interface TargetUse {
  readonly pipeline: string
  readonly stage: StageName
  readonly route: string
  readonly target: Target
  readonly at: Position
}

export class PipelineSet {
  readonly #byName: ReadonlyMap<string, Pipeline>
  /** What a client that names none gets. */
  readonly default: Pipeline
  /** Every target of every route, with its place in the files. */
  readonly targets: readonly TargetUse[]
  readonly warnings: readonly Problem[]

  constructor(
    byName: ReadonlyMap<string, Pipeline>,
    fallback: Pipeline,
    targets: readonly TargetUse[],
    warnings: readonly Problem[],
  ) {
    this.#byName = byName
    this.default = fallback
    this.targets = targets
    this.warnings = warnings
  }

  get names(): readonly string[] {
    return [...this.#byName.keys()]
  }

  get all(): readonly Pipeline[] {
    return [...this.#byName.values()]
  }

  /** By `NAME`, `router/NAME` or `inworld/NAME`; undefined when there is none of that name. */
  get(name: string): Pipeline | undefined {
    return this.#byName.get(name.replace(/^(router|inworld)\//, ''))
  }

  /** As `get`, else the default: clients of the Realtime API send OpenAI's model names. */
  pick(name: string | null): Pipeline {
    return (name === null ? undefined : this.get(name)) ?? this.default
  }
}

export type PipelinePlace = { readonly dir: string } | { readonly files: readonly string[] }

interface Loaded {
  readonly pipeline: Pipeline
  readonly isDefault: boolean
  readonly source: YamlSource
}

/** Reads every `*.yaml` and `*.yml` of the folder, or the files named. Throws `ConfigError` and nothing else. */
export function loadPipelines(place: PipelinePlace): PipelineSet {
  const where = 'dir' in place ? place.dir : (place.files[0] ?? 'pipelines')
  const problems: Problem[] = []
  const complain = (file: string, message: string) =>
    problems.push({ file, line: 1, column: 1, severity: 'error', message })
  const files = 'dir' in place ? filesOf(place.dir, complain) : place.files
  if (files.length > MAX_PIPELINES) complain(where, `more than ${MAX_PIPELINES} pipelines`)
  else if (files.length === 0 && problems.length === 0) {
    complain(where, 'no pipeline here: a pipeline is a file such as default.yaml')
  }
  const loaded: Loaded[] = []
  for (const file of files.slice(0, MAX_PIPELINES)) {
    const text = read(file, complain)
    if (text === undefined) continue
    const one = loadPipeline(text, file)
    problems.push(...one.problems)
    if (one.loaded) loaded.push(one.loaded)
  }
  const byName = new Map<string, Pipeline>()
  for (const { pipeline, source } of loaded) {
    const first = loaded.find((other) => other.pipeline.name === pipeline.name)
    if (first && first.source !== source) {
      problems.push(
        source.problem(
          ['name'],
          `a pipeline named ${pipeline.name} is already in ${basename(first.source.file)}`,
        ),
      )
    } else byName.set(pipeline.name, pipeline)
  }
  const fallback = defaultOf(loaded, 'dir' in place ? 'needed' : 'any', problems)
  if (hasErrors(problems) || !fallback) throw new ConfigError(inOrder(problems))
  return new PipelineSet(byName, fallback, loaded.flatMap(targetsOf), inOrder(problems))
}

/** One file by itself: what an editor or a test asks. */
export function loadPipeline(
  text: string,
  file: string,
): { readonly loaded?: Loaded; readonly problems: readonly Problem[] } {
  const source = readYaml(text, file, 'plain')
  const { value, problems } = check(pipelineSchema, source)
  if (!value) return { problems: inOrder(problems) }
  const pipeline = toPipeline(value)
  return {
    loaded: { pipeline, isDefault: value.default, source },
    problems: inOrder([
      ...problems,
      ...unsupported(source, UNSUPPORTED_IN_PIPELINES),
      ...ruleProblems(pipeline, source),
      ...lint(pipeline, source),
      ...voiceProblems(pipeline, source),
    ]),
  }
}

/** What is allowed but surely not meant. */
function lint(pipeline: Pipeline, source: YamlSource): Problem[] {
  const problems: Problem[] = []
  for (const stage of ['stt', 'llm', 'tts'] as const) {
    const { routes } = pipeline[stage]
    const catchAll = routes.findIndex(({ when }) => when === null)
    if (catchAll < 0) continue
    routes.slice(catchAll + 1).forEach((route, i) => {
      const path = [stage, 'routes', catchAll + 1 + i]
      const before = routes[catchAll]?.name
      problems.push(
        source.problem(path, `route ${route.name} is never reached: ${before} takes everything`, 'warning'),
      )
    })
  }
  if (Object.keys(pipeline.voices).length > 0 && !pipeline.voices[pipeline.voice]) {
    const message = `voice ${pipeline.voice} is not in voices, so each provider's own default speaks`
    problems.push(source.problem(['voice'], message, 'warning'))
  }
  return problems
}

/** A folder must say which pipeline is the default; files picked by hand need not. */
function defaultOf(
  loaded: readonly Loaded[],
  mark: 'needed' | 'any',
  problems: Problem[],
): Pipeline | undefined {
  const marked = loaded.filter((one) => one.isDefault)
  for (const { source } of marked.slice(1)) {
    problems.push(
      source.problem(['default'], `another pipeline is the default already: ${marked[0]?.pipeline.name}`),
    )
  }
  const chosen = marked[0] ?? loaded.find((one) => one.pipeline.name === 'default') ?? loaded[0]
  const unsaid = marked.length === 0 && loaded.length > 1 && chosen?.pipeline.name !== 'default'
  if (chosen && unsaid && mark === 'needed') {
    problems.push(chosen.source.problem([], 'no pipeline says `default: true`'))
  }
  return chosen?.pipeline
}

function targetsOf({ pipeline, source }: Loaded): TargetUse[] {
  return (['stt', 'llm', 'tts'] as const).flatMap((stage) =>
    pipeline[stage].routes.flatMap((route, r) =>
      listsOf(route).flatMap(({ path, list }) =>
        list.targets.map((target, t) => {
          const at = source.at(pathOfTarget(source, [stage, 'routes', r, ...path], t))
          return { pipeline: pipeline.name, stage, route: route.name, target, at }
        }),
      ),
    ),
  )
}

/** `NAME.yaml` and `NAME.yml`; `NAME.script.yaml` beside them is what `local/scripted` says. */
export function isPipelineFile(name: string): boolean {
  return /^[^.].*\.ya?ml$/.test(name) && !/\.script\.ya?ml$/.test(name)
}

function filesOf(dir: string, complain: (file: string, message: string) => void): string[] {
  let entries: Dirent[]
  try {
    entries = readdirSync(dir, { withFileTypes: true })
  } catch {
    complain(dir, 'the folder of pipelines cannot be read')
    return []
  }
  return entries
    .filter((entry) => !entry.isDirectory() && isPipelineFile(entry.name))
    .map((entry) => join(dir, entry.name))
    .sort()
}
