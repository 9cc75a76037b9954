/**
 * The command line: which commands there are, and what becomes of their errors. The server's own code is loaded
 * when a command needs it, so that `parley --help` and `parley talk` answer at once.
 */
import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { realClock } from './clock.ts'
import {
  type CatalogOptions,
  describeCatalog,
  describeList,
  describeShow,
  type ListOptions,
  listCatalog,
  showCatalog,
} from './command/catalog.ts'
import { describeRefresh, type RefreshOptions, refreshCatalog } from './command/catalog-refresh.ts'
import { type CheckOptions, check, describeCheck, paintProblem } from './command/check.ts'
import type { CommandContext, ExitCode } from './command/context.ts'
import { describeExplain, type ExplainOptions, explain as explainRoutes } from './command/explain.ts'
import { describeImport, type ImportOptions, importFile } from './command/import.ts'
import { describeModels, listModels, pullModels } from './command/models.ts'
import { describeReplay, type ReplayOptions, replay } from './command/replay.ts'
import { describeServe, type ServeOptions, serve } from './command/serve.ts'
import { watchStopSignals } from './command/signals.ts'
import { describeTalk, type TalkOptions, talk } from './command/talk.ts'
import { processTerminal } from './command/terminal.ts'
import { EXIT, UserError } from './command/user-error.ts'
import { ConfigError } from './config/problem.ts'

/** Runs the command of `process.argv` and ends the process: what still holds it (a half-closed socket) is not waited for. */
export async function main(argv: readonly string[]): Promise<never> {
  // `parley talk x.wav | head` closes the pipe early: nobody reads on, and that is no failure.
  for (const out of [process.stdout, process.stderr]) out.on('error', ignoreClosedPipe)
  const terminal = processTerminal()
  const context = { terminal, clock: realClock, env: process.env, watchStop: watchStopSignals }
  process.exit(await run(argv.slice(2), context))
}

function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error
}

/** `args` as typed after `parley`. Never throws: an error becomes words on the terminal and an exit code. */
export async function run(args: readonly string[], context: CommandContext): Promise<ExitCode> {
  let code: ExitCode = EXIT.ok
  const program = makeProgram(context, (ended) => {
    code = ended
  })
  try {
    if (args.length === 0) program.help()
    await program.parseAsync([...args], { from: 'user' })
    return code
  } catch (error) {
    return explain(error, context)
  }
}

function makeProgram(context: CommandContext, end: (code: ExitCode) => void): Command {
  const { terminal } = context
  const program = new Command('parley')
    .description('Parley: talk to software. A speech-to-speech server of your own.')
    .version(version(), '-v, --version', 'print the version')
    .helpOption('-h, --help', 'show this; every command has its own')
    .helpCommand(false)
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.write(text),
      writeErr: (text) => terminal.complain(text.replace(/\n$/, '')),
      outputError: (text, write) => write(terminal.paint.red(text)),
      getOutHasColors: () => terminal.interactive,
      getErrHasColors: () => terminal.interactive,
      getOutHelpWidth: () => terminal.columns,
      getErrHelpWidth: () => terminal.columns,
    })
    .configureHelp({ styleTitle: terminal.paint.bold, styleCommandText: terminal.paint.cyan })
    .addHelpText(
      'after',
      `
Two terminals and a recording make a conversation:

  $ parley serve
  $ parley talk question.wav

Exit codes: 0 it went well, 1 it did not, 2 the command line was not understood.`,
    )

  describeServe(program.command('serve')).action(async (options: ServeOptions) => {
    const { buildApp, embeddedModels } = await import('./app.ts')
    end(await serve(options, { buildApp, shelf: embeddedModels }, context))
  })
  describeTalk(program.command('talk')).action(async (file: string, options: TalkOptions) =>
    end(await talk(file, options, context)),
  )
  describeCheck(program.command('check')).action(async (files: string[], options: CheckOptions) =>
    end(await check(files, options, context, async () => (await import('./providers.ts')).providerTypes)),
  )
  describeExplain(program.command('explain')).action((options: ExplainOptions) =>
    end(explainRoutes(options, context)),
  )
  describeReplay(program.command('replay')).action(async (file: string, options: ReplayOptions) =>
    end(await replay(file, options, context)),
  )
  describeImport(program.command('import')).action((file: string, options: ImportOptions) =>
    end(importFile(file, options, context)),
  )

  const models = describeModels(program.command('models'))
  const shelf = async () => (await import('./app.ts')).embeddedModels
  models
    .command('list', { isDefault: true })
    .description('what there is and what is here')
    .action(async () => end(await listModels(await shelf(), context)))
  models
    .command('pull')
    .description('bring those that are missing, or the ones named')
    .argument('[names...]')
    .action(async (names: string[]) => end(await pullModels(names, await shelf(), context)))

  const catalog = describeCatalog(program.command('catalog'))
  describeList(catalog.command('list')).action((text: string | undefined, options: ListOptions) =>
    end(listCatalog(text, options, context)),
  )
  describeShow(catalog.command('show')).action((name: string, options: CatalogOptions) =>
    end(showCatalog(name, options, context)),
  )
  describeRefresh(catalog.command('refresh')).action(async (options: RefreshOptions) =>
    end(await refreshCatalog(options, context)),
  )
  return program
}

function explain(error: unknown, { terminal }: CommandContext): ExitCode {
  const { paint } = terminal
  // Commander has written its own message by now; its help and version come this way too.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
  if (error instanceof ConfigError) {
    for (const problem of error.problems) terminal.complain(paintProblem(problem, paint))
  } else if (error instanceof UserError) {
    terminal.complain(`\n  ${paint.red(error.message)}`)
    if (error.hint !== undefined) terminal.complain(`  ${error.hint}`)
  } else {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error)
    terminal.complain(`\n  ${paint.red('This is a bug in Parley, please report it:')}\n\n${detail}`)
  }
  return EXIT.failed
}

function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  const { version } = JSON.parse(text) as { version: string }
  return version
}
