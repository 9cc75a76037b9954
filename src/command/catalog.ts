/** `parley catalog`: what is known of models, their prices and where those are from. `refresh` alone goes out, and only when typed. */
import type { Command } from 'commander'
import { Option } from 'commander'
import type { Catalog } from '../catalog/catalog.ts'
import { type CatalogEntry, KINDS, type Kind } from '../catalog/entry.ts'
import { loadCatalog } from '../catalog/load.ts'
import { refreshedFile } from '../catalog/refreshed.ts'
import { loadSettings } from '../config/settings.ts'
import type { CommandContext, ExitCode } from './context.ts'
import { EXIT, UserError } from './user-error.ts'

export interface CatalogOptions {
  readonly config?: string
  readonly json?: true
}
export interface ListOptions extends CatalogOptions {
  readonly provider?: string
  readonly kind?: Kind
}

export function describeCatalog(command: Command): Command {
  return command.description('models, their prices and limits, and where each figure is from').addHelpText(
    'after',
    `
What "catalog" of the settings says stands above a refreshed list, and that above
what comes with Parley. Nothing is fetched unless you type "refresh".

  $ parley catalog list sonnet
  $ parley catalog list --kind tts
  $ parley catalog show gpt-4o-mini
  $ parley catalog refresh`,
  )
}

export function describeList(command: Command): Command {
  return shared(command)
    .description('the models, or those whose name holds a text')
    .argument('[text]')
    .option('--provider <name>', 'of this provider only')
    .addOption(new Option('--kind <kind>', 'of this kind only').choices(KINDS))
}

export function describeShow(command: Command): Command {
  return shared(command)
    .description('all that is known of provider/model, or of a model at every provider')
    .argument('<name>')
}

function shared(command: Command): Command {
  return command
    .option('--config <file>', 'the settings (default: parley.yaml, if it is there)')
    .option('--json', 'print it as JSON')
}

export function listCatalog(
  text: string | undefined,
  options: ListOptions,
  context: CommandContext,
): ExitCode {
  const { terminal } = context
  const catalog = open(options, context)
  const wanted = (text ?? '').toLowerCase()
  const entries = [
    ...(options.provider === undefined ? catalog.all() : catalog.models(options.provider)),
  ].filter(
    ({ provider, id, name, kind }) =>
      (options.kind === undefined || options.kind === kind) &&
      `${provider}/${id} ${name}`.toLowerCase().includes(wanted),
  )
  if (options.json) {
    terminal.line(JSON.stringify(entries, null, 2))
    return EXIT.ok
  }
  const width = Math.max(0, ...entries.map(({ provider, id }) => provider.length + id.length + 1))
  for (const entry of entries) {
    const target = `${entry.provider}/${entry.id}`.padEnd(Math.min(width, 60))
    terminal.line(`  ${target}  ${entry.kind.padEnd(9)}  ${priceLine(entry)}`)
  }
  const providers = new Set(entries.map(({ provider }) => provider)).size
  terminal.line(`\n  ${entries.length} models of ${providers} providers.`)
  return EXIT.ok
}

/** Fails when there is none of that name. */
export function showCatalog(name: string, options: CatalogOptions, context: CommandContext): ExitCode {
  const { terminal } = context
  const catalog = open(options, context)
  const exact = catalog.target(name)
  const entries = exact ? [exact] : catalog.byName(name)
  if (entries.length === 0) {
    throw new UserError(`The catalogue has no model named ${name}.`, 'Search it: parley catalog list TEXT')
  }
  if (options.json) terminal.line(JSON.stringify(entries, null, 2))
  else for (const entry of entries) terminal.line(describe(entry, context))
  return EXIT.ok
}

function open({ config }: CatalogOptions, { env, terminal }: CommandContext): Catalog {
  const settings = loadSettings({ env, ...(config === undefined ? {} : { file: config }) })
  return loadCatalog({
    operator: settings.catalog,
    refreshedFile: refreshedFile(env),
    complain: (message) => terminal.complain(`  ${terminal.paint.yellow(message)}`),
  })
}

function describe(entry: CatalogEntry, { terminal }: CommandContext): string {
  const { dim, bold } = terminal.paint
  const { languages } = entry
  const facts: readonly (readonly [string, string | null])[] = [
    ['name', entry.name],
    ['kind', entry.kind],
    [
      'context',
      entry.contextTokens === null
        ? null
        : `${entry.contextTokens} tokens, ${entry.outputTokens ?? '?'} of output`,
    ],
    ['takes', entry.input.join(', ')],
    ['gives', entry.output.join(', ')],
    ['can', entry.can.join(', ') || null],
    ['languages', languages === null ? null : languages === 'any' ? 'any' : languages.join(' ')],
    ['first output', entry.ttftMs === null ? null : `about ${entry.ttftMs} ms`],
    ['quality', entry.quality === null ? null : String(entry.quality)],
    ['price', priceLine(entry)],
    ...(entry.cost?.tiers ?? []).map((tier) => [`above ${tier.aboveInputTokens}`, tokenPrice(tier)] as const),
    ['status', entry.status],
    ['also', entry.aliases.join(', ') || null],
    ['note', entry.note],
    ['read', `${entry.asOf ?? 'no date'}, ${entry.source}`],
  ]
  const lines = facts.flatMap(([what, value]) => (value ? [`  ${dim(what.padEnd(12))} ${value}`] : []))
  return `\n${bold(`${entry.provider}/${entry.id}`)}\n${lines.join('\n')}`
}

function priceLine({ cost }: CatalogEntry): string {
  if (!cost) return 'price not known'
  const parts = [
    tokenPrice(cost),
    cost.usdPerAudioMinuteIn === undefined ? '' : `${cost.usdPerAudioMinuteIn} a minute heard`,
    cost.usdPerAudioMinuteOut === undefined ? '' : `${cost.usdPerAudioMinuteOut} a minute said`,
    cost.usdPerThousandChars === undefined ? '' : `${cost.usdPerThousandChars} a thousand characters`,
  ].filter((part) => part !== '')
  return parts.length === 0 ? 'price not known' : `$ ${parts.join('; ')}`
}

function tokenPrice(cost: NonNullable<CatalogEntry['cost']>): string {
  const { input, output, cacheRead } = cost
  if (input === undefined && output === undefined) return ''
  const cached = cacheRead === undefined ? '' : `, ${cacheRead} cached`
  return `${input ?? '?'} in${cached}, ${output ?? '?'} out a million tokens`
}
