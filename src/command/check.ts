/** `parley check`: reads settings and pipelines as the server would and says what is wrong, where. Calls nobody. */
import { existsSync } from 'node:fs'
import { basename } from 'node:path'
import type { Command } from 'commander'
import { pipelineJsonSchema } from '../config/pipeline-schema.ts'
import { loadPipelines } from '../config/pipeline-set.ts'
import { ConfigError, formatProblem, hasErrors, inOrder, type Problem } from '../config/problem.ts'
import { checkProviders, loadSettings, type Settings } from '../config/settings.ts'
import type { CommandContext, ExitCode } from './context.ts'
import { pipelinesFolder, SETTINGS_FILE } from './places.ts'
import type { Paint } from './terminal.ts'
import { EXIT } from './user-error.ts'

export interface CheckOptions {
  readonly config?: string
  readonly pipelines?: string
  readonly schema?: true
}

export function describeCheck(command: Command): Command {
  return command
    .description('check settings and pipelines without starting anything')
    .argument('[files...]', 'what to check (default: parley.yaml and every pipeline)')
    .option('--config <file>', `the settings (default: ${SETTINGS_FILE}, if it is there)`)
    .option('--pipelines <folder>', 'the folder of pipelines (default: pipelines)')
    .option('--schema', 'print the JSON Schema of a pipeline, for editors, and end')
    .addHelpText(
      'after',
      `
Problems are told as file:line:column: message. Exit code 1 when one is an error;
warnings alone are fine. Variables such as \${OPENAI_API_KEY} must be set, as for the server.

  $ parley check
  $ parley check pipelines/support.yaml
  $ parley check --schema > pipelines/schema.json`,
    )
}

/** `types`: what a provider's `type` may be; asked when there are providers. */
export async function check(
  files: readonly string[],
  options: CheckOptions,
  { terminal, env }: CommandContext,
  types: () => Promise<readonly string[]>,
): Promise<ExitCode> {
  if (options.schema) {
    terminal.line(JSON.stringify(pipelineJsonSchema(), null, 2))
    return EXIT.ok
  }
  const isSettings = (file: string) => file === options.config || /^parley\.ya?ml$/.test(basename(file))
  const settingsFile =
    files.find(isSettings) ?? options.config ?? (existsSync(SETTINGS_FILE) ? SETTINGS_FILE : undefined)
  const pipelineFiles = files.filter((file) => !isSettings(file))
  const folder = pipelinesFolder(options.pipelines)
  const checked: string[] = []
  const problems: Problem[] = []

  if (settingsFile !== undefined && (files.length === 0 || files.some(isSettings))) {
    checked.push(settingsFile)
    let settings: Settings | undefined
    problems.push(
      ...problemsOf(() => {
        settings = loadSettings({ file: settingsFile, env })
        return settings.warnings
      }),
    )
    if (settings && Object.keys(settings.providers).length > 0) {
      problems.push(...checkProviders(settings, await types()))
    }
    if (settings && Object.keys(settings.telephony).length > 0) {
      const { linesOf } = await import('../wire/telephony/lines.ts')
      problems.push(...linesOf(settings).problems)
    }
  }
  if (files.length === 0) {
    checked.push(folder)
    problems.push(...problemsOf(() => loadPipelines({ dir: folder }).warnings))
  } else if (pipelineFiles.length > 0) {
    checked.push(...pipelineFiles)
    problems.push(...problemsOf(() => loadPipelines({ files: pipelineFiles }).warnings))
  }

  for (const problem of inOrder(problems)) terminal.line(paintProblem(problem, terminal.paint))
  if (hasErrors(problems)) return EXIT.failed
  terminal.line(
    `${terminal.paint.green('Good:')} ${checked.join(', ')}${problems.length > 0 ? ', with warnings' : ''}`,
  )
  return EXIT.ok
}

export function paintProblem(problem: Problem, paint: Paint): string {
  const colour = problem.severity === 'error' ? paint.red : paint.yellow
  const place = `${problem.file}:${problem.line}:${problem.column}:`
  return paint.bold(place) + colour(formatProblem(problem).slice(place.length))
}

function problemsOf(load: () => readonly Problem[]): readonly Problem[] {
  try {
    return load()
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}
