/**
 * `parley serve`: settings and pipelines in, models brought, a listening server out, until a signal ends it.
 *
 *     first SIGTERM or SIGINT ─► drain: no new conversations, running turns end, at most DRAIN_MS ─► close ─► exit
 *     second                  ─► end at once
 */
import { type Command, InvalidArgumentError } from 'commander'
import { isCancelled, openScope } from '../cancel.ts'
import { refreshedFile } from '../catalog/refreshed.ts'
import { type Clock, delay } from '../clock.ts'
import { loadPipelines, type PipelineSet } from '../config/pipeline-set.ts'
import type { Problem } from '../config/problem.ts'
import { loadSettings, type Settings } from '../config/settings.ts'
import { bringModels } from './bring.ts'
import { paintProblem } from './check.ts'
import type { CommandContext, ExitCode } from './context.ts'
import { formatBytes, formatSeconds } from './format.ts'
import { letHeapGrow } from './heap.ts'
import { pipelinesFolder, SETTINGS_FILE } from './places.ts'
import type { ModelShelf } from './shelf.ts'
import { stayAlive } from './signals.ts'
import { EXIT, systemCode, UserError } from './user-error.ts'

export interface ServeOptions {
  readonly config?: string
  readonly pipelines?: string
  readonly host?: string
  readonly port?: number
  readonly offline?: true
}

/** What serve needs of the app. */
export interface Server {
  /** Resolves with the console's address: `http://127.0.0.1:8080`. Rejects with the system's error. */
  listen(): Promise<string>
  /** The best target present of the default pipeline, `provider/model`, stage by stage. */
  readonly runsOn: { readonly stt: string; readonly llm: string; readonly tts: string }
  /** What would make it better and how, a sentence each; known once it listens. */
  readonly advice: readonly string[]
  /** Refuses new conversations; resolves when the running turns have ended. */
  drain(): Promise<void>
  /** Ends everything. */
  close(): Promise<void>
}

/** `app.ts` gives the real ones. */
export interface ServeParts {
  readonly shelf: ModelShelf
  buildApp(
    settings: Settings,
    pipelines: PipelineSet,
    deps: { readonly clock: Clock; readonly pipelinesDir: string; readonly refreshedCatalog: string },
  ): Promise<Server>
}

/** Long enough for a spoken answer to end, short enough for what restarts servers (Kubernetes kills after 30 s). */
const DRAIN_MS = 25_000
/** Closing ends sockets and workers; what has not ended by then goes with the process. */
const CLOSE_MS = 3_000

export function describeServe(command: Command): Command {
  return command
    .description('start the server: the Realtime API, the console page, the HTTP endpoints')
    .option('--config <file>', `the settings (default: ${SETTINGS_FILE}, if it is there)`)
    .option('--pipelines <folder>', 'the folder of pipelines (default: pipelines)')
    .option('--host <host>', 'listen on this address instead of the one in the settings')
    .option('--port <port>', 'listen on this port; 0 takes any free one', parsePort)
    .option('--offline', 'bring no model; run on those that are here')
    .addHelpText(
      'after',
      `
Without settings it listens on this machine only and needs no key. The first start
brings the embedded models. Ctrl+C lets running turns end; a second one ends at once.

  $ parley serve
  $ parley serve --config parley.yaml --pipelines pipelines
  $ parley serve --port 9000`,
    )
}

export async function serve(
  options: ServeOptions,
  parts: ServeParts,
  context: CommandContext,
): Promise<ExitCode> {
  const pipelinesDir = pipelinesFolder(options.pipelines)
  const settings = loadSettings({
    env: context.env,
    ...(options.config === undefined ? {} : { file: options.config }),
    listen: {
      ...(options.host === undefined ? {} : { host: options.host }),
      ...(options.port === undefined ? {} : { port: options.port }),
    },
  })
  const pipelines = loadPipelines({ dir: pipelinesDir })
  warn([...settings.warnings, ...pipelines.warnings], context)

  const stop = watchForStop(context)
  const release = stayAlive()
  try {
    if (!options.offline) await bringMissing(parts.shelf, stop.signal, context)
    stop.signal.throwIfAborted()
    letHeapGrow()
    const server = await parts.buildApp(settings, pipelines, {
      clock: context.clock,
      pipelinesDir,
      refreshedCatalog: refreshedFile(context.env),
    })
    greet(await listen(server, settings), server, pipelines, context)
    await stop.asked
    await end(server, stop, context)
    return EXIT.ok
  } catch (error) {
    if (!isCancelled(error)) throw error
    context.terminal.line('\n  Stopped before it was listening.')
    return EXIT.failed
  } finally {
    release()
    stop.unsubscribe()
  }
}

interface Stop {
  /** Aborts at the first signal. */
  readonly signal: AbortSignal
  readonly asked: Promise<void>
  readonly askedAgain: Promise<void>
  unsubscribe(): void
}

function watchForStop({ watchStop }: CommandContext): Stop {
  const scope = openScope()
  let markAsked: () => void = () => {}
  let markAgain: () => void = () => {}
  const asked = new Promise<void>((resolve) => {
    markAsked = resolve
  })
  const askedAgain = new Promise<void>((resolve) => {
    markAgain = resolve
  })
  const unsubscribe = watchStop(() => {
    if (scope.signal.aborted) markAgain()
    scope.cancel('hangup')
    markAsked()
  })
  return { signal: scope.signal, asked, askedAgain, unsubscribe }
}

async function bringMissing(shelf: ModelShelf, signal: AbortSignal, context: CommandContext): Promise<void> {
  const missing = (await shelf.list()).filter((model) => model.state !== 'present')
  if (missing.length === 0) return
  const bytes = missing.reduce((sum, model) => sum + model.bytes, 0)
  context.terminal.line(`\n  Bringing ${missing.length} embedded models (${formatBytes(bytes)}), once.\n`)
  await bringModels(missing, shelf, context.terminal, signal)
}

/** The console's address. Throws `UserError` for what the operator can mend. */
async function listen(server: Server, settings: Settings): Promise<string> {
  try {
    return await server.listen()
  } catch (error) {
    await server.close()
    const { host, port } = settings.listen
    switch (systemCode(error)) {
      case 'EADDRINUSE':
        throw new UserError(
          `Something listens on ${host}:${port} already.`,
          'Is it another Parley? Take another port: --port 8081   (or --port 0 for any free one)',
        )
      case 'EACCES':
        throw new UserError(`Port ${port} needs privileges.`, 'Take one above 1023: --port 8080')
      case 'EADDRNOTAVAIL':
      case 'ENOTFOUND':
        throw new UserError(`This machine has no address ${host}.`, 'Take another: --host 127.0.0.1')
      default:
        throw error
    }
  }
}

function greet(address: string, server: Server, pipelines: PipelineSet, { terminal }: CommandContext): void {
  const { paint } = terminal
  const { stt, llm, tts } = server.runsOn
  const others = pipelines.names.filter((name) => name !== pipelines.default.name)
  const also = others.length > 0 ? paint.dim(`   also: ${others.join(', ')}`) : ''
  const realtime = `${address.replace(/^http/, 'ws')}/v1/realtime`
  const lines = [
    '',
    `  ${paint.bold('Parley listens.')} Open the console and talk: ${paint.bold(paint.cyan(address))}`,
    '',
    `  ${paint.dim('Realtime API')}    ${realtime}`,
    `  ${paint.dim('Pipeline')}        ${pipelines.default.name}${also}`,
    `  ${paint.dim('Speech to text')}  ${stt}`,
    `  ${paint.dim('Language model')}  ${llm}`,
    `  ${paint.dim('Text to speech')}  ${tts}`,
    ...(server.advice.length > 0
      ? ['', ...server.advice.map((advice) => `  ${paint.yellow('▸')} ${advice}`)]
      : []),
    '',
    `  ${paint.dim('Ctrl+C ends it.')}`,
    '',
  ]
  for (const line of lines) terminal.line(line)
}

/** Drains within the limit, then closes, whatever still runs. */
async function end(server: Server, stop: Stop, { terminal, clock }: CommandContext): Promise<void> {
  terminal.line(
    `\n  No new conversations; running turns may end within ${formatSeconds(DRAIN_MS)}. Again to end at once.`,
  )
  const drained = server.drain().then(() => 'drained' as const)
  const how = await Promise.race([
    drained,
    delay(clock, DRAIN_MS).then(() => 'late' as const),
    stop.askedAgain.then(() => 'at once' as const),
  ])
  if (how === 'late') terminal.line('  Time is up: ending what still runs.')
  const closed = server.close()
  await Promise.race([closed, delay(clock, CLOSE_MS), stop.askedAgain])
  terminal.line(how === 'drained' ? '  All turns ended. Goodbye.' : '  Goodbye.')
}

function warn(problems: readonly Problem[], { terminal }: CommandContext): void {
  for (const problem of problems) terminal.complain(paintProblem(problem, terminal.paint))
}

function parsePort(text: string): number {
  const port = Number(text)
  if (!/^\d+$/.test(text) || port > 65_535)
    throw new InvalidArgumentError('A port is a number from 0 to 65535.')
  return port
}
