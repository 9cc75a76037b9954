/** What of the embedded models is here, and in words what is missing, why, and what stands in. Pure. */
import type { ModelName } from './models/index.ts'

export interface ModelReport {
  readonly model: Exclude<ModelName, 'smollm2-runtime'> | 'flite'
  readonly present: boolean
  /** Why it is not, in words for the person who runs the server; null when it is. */
  readonly reason: string | null
  /** What is used in its place. */
  readonly instead: string | null
}

const STANDS_IN: Readonly<Record<ModelReport['model'], string | null>> = {
  'silero-vad-v6': null,
  'smart-turn-v3.2': 'Under semantic_vad the end of a turn is judged by its words alone.',
  'moonshine-tiny': 'Nothing else here turns speech into text: name another provider in the pipeline.',
  'moonshine-base': null,
  smollm2: 'Answers come from a script (local/scripted).',
  flite: 'Nothing else here speaks: name another provider in the pipeline.',
}

export function present(model: ModelReport['model']): ModelReport {
  return { model, present: true, reason: null, instead: null }
}

export function missing(model: ModelReport['model'], reason: string): ModelReport {
  return { model, present: false, reason, instead: STANDS_IN[model] }
}

/** One sentence or two for each thing worth knowing at start; a model nobody needs is not worth it. */
export function adviceOf(reports: readonly ModelReport[]): string[] {
  const advice = reports
    .filter((report) => !report.present && report.instead !== null)
    .map((report) => `${sentence(report.reason ?? `${report.model} is not here`)} ${report.instead}`)
  const model = reports.find((report) => report.model === 'smollm2')?.present
    ? 'SmolLM2 is a very small language model.'
    : 'No language model runs here.'
  return [
    ...advice,
    `${model} For better answers add a provider to parley.yaml (OpenAI, or any server that speaks its API, by baseUrl) and name it first in the pipeline's llm stage.`,
  ]
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`
}
