/** `parley explain`: which route and targets a caller would get, and why. Reads the pipelines; calls nobody. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import { type DryRun, dryRunFacts, dryRunSchema } from '../attempt/dry-run.ts'
import { Health } from '../attempt/health.ts'
import { PipelineRouter } from '../attempt/router.ts'
import { loadPipelines } from '../config/pipeline-set.ts'
import { render } from '../route/render.ts'
import type { CommandContext, ExitCode } from './context.ts'
import { pipelinesFolder } from './places.ts'
import { EXIT, UserError } from './user-error.ts'

export interface ExplainOptions {
  readonly stage: DryRun['stage']
  readonly pipeline?: string
  readonly pipelines?: string
  readonly metadata?: Readonly<Record<string, unknown>>
  readonly key?: Readonly<Record<string, string>>
  readonly user?: string
  readonly language?: string
  readonly model?: string
  readonly text?: string
  readonly json?: true
}

export function describeExplain(command: Command): Command {
  return command
    .description('tell which route and targets a caller would get, and why; calls nobody')
    .addOption(
      new Option('--stage <stage>', 'the stage asked about').choices(['stt', 'llm', 'tts']).default('llm'),
    )
    .option('--pipeline <name>', 'the pipeline (default: the default one)')
    .option('--pipelines <folder>', 'the folder of pipelines (default: pipelines)')
    .option('--metadata <json>', 'what the client sends, as a JSON object', parseObject)
    .option('--key <json>', "the key's attributes, as a JSON object of texts", parseAttributes)
    .option('--user <user>', 'who calls')
    .option('--language <tag>', 'the language spoken, such as en')
    .option('--model <name>', 'what the client asks for as model')
    .option('--text <words>', 'what the caller just said')
    .option('--json', 'print the explanation as JSON')
    .addHelpText(
      'after',
      `
  $ parley explain --stage llm --pipeline support --metadata '{"tier":"premium"}'
  $ parley explain --key '{"tier":"premium"}' --text "I would like to cancel"`,
    )
}

export function explain(options: ExplainOptions, { terminal, clock }: CommandContext): ExitCode {
  const set = loadPipelines({ dir: pipelinesFolder(options.pipelines) })
  const pipeline = options.pipeline === undefined ? set.default : set.get(options.pipeline)
  if (!pipeline) {
    throw new UserError(
      `There is no pipeline named ${options.pipeline}.`,
      `There are: ${set.names.join(', ')}`,
    )
  }
  const { stage, metadata, user, language, model, text } = options
  const run = dryRunSchema.parse({
    stage,
    metadata,
    user,
    language: language ?? pipeline.language ?? undefined,
    model,
    text,
  })
  const key = options.key === undefined ? null : { id: 'key', attributes: options.key }
  const health = new Health({ clock })
  const facts = dryRunFacts(run, { key, turnMs: pipeline.budget.turnMs, wallMs: clock.wallMs(), health })
  // Without providers: every target counts as set up, and none can be called.
  const explanation = new PipelineRouter(pipeline, new Map(), health).explain(stage, facts)
  if (options.json) terminal.line(JSON.stringify({ pipeline: pipeline.name, ...explanation }, null, 2))
  else terminal.write(`\n${render(explanation)}\n`)
  return EXIT.ok
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return value as Readonly<Record<string, unknown>>
    }
  } catch {}
  throw new InvalidArgumentError('A JSON object is needed, such as {"tier":"premium"}.')
}

function parseAttributes(text: string): Readonly<Record<string, string>> {
  const given = parseObject(text)
  if (Object.values(given).every((value) => typeof value === 'string')) return given as Record<string, string>
  throw new InvalidArgumentError('Attributes are texts, such as {"tier":"premium"}.')
}
