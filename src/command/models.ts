/** `parley models`: which embedded models there are, and bringing them ahead of time. */
import type { Command } from 'commander'
import { openScope } from '../cancel.ts'
import { bringModels } from './bring.ts'
import type { CommandContext, ExitCode } from './context.ts'
import { formatBytes } from './format.ts'
import type { ModelShelf, ShelfModel } from './shelf.ts'
import { EXIT, UserError } from './user-error.ts'

export function describeModels(command: Command): Command {
  return command.description('the models that run inside Parley, without any provider').addHelpText(
    'after',
    `
The server brings what is missing at its start; "pull" does it ahead of time, for an
image or a machine that will be offline. What was interrupted goes on where it stopped.

  $ parley models
  $ parley models pull
  $ parley models pull moonshine-base`,
  )
}

export async function listModels(shelf: ModelShelf, { terminal }: CommandContext): Promise<ExitCode> {
  const { paint } = terminal
  const models = await shelf.list()
  const width = Math.max(...models.map((model) => model.name.length))
  for (const model of models) {
    const mark = { present: paint.green('✓'), partial: paint.yellow('…'), absent: paint.dim('·') }[
      model.state
    ]
    const size = formatBytes(model.bytes).padStart(9)
    terminal.line(
      `  ${mark} ${model.name.padEnd(width)}  ${size}  ${model.purpose}  ${paint.dim(`${model.title}, ${model.licence}`)}`,
    )
  }
  const absent = models.filter((model) => model.state !== 'present')
  terminal.line()
  if (absent.length === 0) terminal.line('  All are here.')
  else
    terminal.line(
      `  ${models.length - absent.length} of ${models.length} are here. Bring the rest: parley models pull`,
    )
  return EXIT.ok
}

/** `names` empty: all of them. Fails when one cannot be had. */
export async function pullModels(
  names: readonly string[],
  shelf: ModelShelf,
  { terminal, watchStop }: CommandContext,
): Promise<ExitCode> {
  const models = chosen(names, await shelf.list())
  const scope = openScope()
  const unsubscribe = watchStop(() => scope.cancel('hangup'))
  try {
    const brought = await bringModels(models, shelf, terminal, scope.signal)
    return brought.some(({ missing }) => missing !== null) ? EXIT.failed : EXIT.ok
  } catch (error) {
    if (scope.signal.aborted) throw new UserError('Interrupted. The next pull goes on from here.')
    throw error
  } finally {
    unsubscribe()
  }
}

function chosen(names: readonly string[], models: readonly ShelfModel[]): readonly ShelfModel[] {
  const unknown = names.filter((name) => !models.some((model) => model.name === name))
  if (unknown.length > 0) {
    const known = models.map((model) => model.name).join(', ')
    throw new UserError(`There is no model named ${unknown.join(', ')}.`, `There are ${known}`)
  }
  return names.length === 0 ? models : models.filter((model) => names.includes(model.name))
}
