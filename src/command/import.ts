/** `parley import`: another gateway's configuration as a pipeline file. Reads one file, calls nobody. */
import { existsSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { type Command, Option } from 'commander'
import { detect, FORMATS, type Format, importDocument, NotImportable } from '../config/import/index.ts'
import { noteLine, render } from '../config/import/render.ts'
import { ConfigError, hasErrors, type Problem } from '../config/problem.ts'
import { read } from '../config/read-file.ts'
import { readYaml } from '../config/yaml-source.ts'
import type { CommandContext, ExitCode } from './context.ts'
import { EXIT, UserError } from './user-error.ts'

export interface ImportOptions {
  readonly from?: Format
  readonly out?: string
  readonly name?: string
  readonly force?: true
}

export function describeImport(command: Command): Command {
  return command
    .description("turn another gateway's configuration into a pipeline file")
    .argument('<file>', 'an Inworld router, a Portkey config, a LiteLLM config.yaml or an OpenRouter request')
    .addOption(new Option('--from <format>', 'what it is (default: told by its members)').choices(FORMATS))
    .option('--out <file>', 'write the pipeline there (default: print it)')
    .option('--name <name>', "the pipeline's name (default: the source's)")
    .option('--force', 'write over a file that is there')
    .addHelpText(
      'after',
      `
What could not be carried over is told on the error output and at the top of the
pipeline, with the settings it needs. No key is copied: set the variables it names.

  $ parley import router.json --out pipelines/support.yaml
  $ parley import config.yaml --from litellm --name models`,
    )
}

export function importFile(file: string, options: ImportOptions, { terminal }: CommandContext): ExitCode {
  const problems: Problem[] = []
  const text = read(file, (at, message) =>
    problems.push({ file: at, line: 1, column: 1, severity: 'error', message }),
  )
  if (text === undefined) throw new ConfigError(problems)
  const source = readYaml(text, basename(file), 'plain')
  if (hasErrors(source.problems)) throw new ConfigError(source.problems)
  const format = options.from ?? detect(source.value)
  if (format === undefined) {
    throw new UserError(`${file} looks like none of ${FORMATS.join(', ')}.`, 'Say which it is with --from.')
  }
  if (options.name !== undefined && !/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(options.name)) {
    throw new UserError('--name wants letters, digits, dots, dashes and underscores.')
  }
  const imported = imports(source.value, format, file)
  const pipeline = { ...imported.pipeline, ...(options.name === undefined ? {} : { name: options.name }) }
  const notes = imported.notCarried.map((note) => noteLine(note, source))
  const output = render({ ...imported, pipeline }, `${basename(file)} (${format})`, notes)
  if (options.out === undefined) terminal.write(output)
  else write(options.out, output, options)
  for (const note of notes) terminal.complain(`not carried over: ${note}`)
  return EXIT.ok
}

function imports(value: unknown, format: Format, file: string) {
  try {
    return importDocument(value, format)
  } catch (error) {
    if (error instanceof NotImportable) throw new UserError(`${file} ${error.message}.`)
    throw error
  }
}

function write(out: string, text: string, { force }: ImportOptions): void {
  if (existsSync(out) && !force)
    throw new UserError(`${out} is there already.`, 'Write over it with --force.')
  try {
    writeFileSync(out, text)
  } catch {
    throw new UserError(`${out} cannot be written.`)
  }
}
