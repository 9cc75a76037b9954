/**
 * A model as callers expect it: OpenAI's object with OpenRouter's members (read in its SDK, 2026-11-22) and ours, or Anthropic's
 * `ModelInfo` (`@anthropic-ai/sdk` 1.13). Pure.
 */
import type { CatalogEntry } from '../catalog/entry.ts'
import type { ModelCard } from './model-list.ts'

/** OpenRouter's word for a price that depends on where the request goes; here also for one that is not known. */
const NO_PRICE = '-1'

export function openaiModel(card: ModelCard) {
  const entry = card.kind === 'pipeline' ? null : card.entry
  const released = entry?.releasedOn ? Date.parse(entry.releasedOn) / 1000 : 0
  return {
    id: card.id,
    object: 'model' as const,
    created: released,
    owned_by: card.kind === 'pipeline' ? 'parley' : card.provider,
    canonical_slug: card.kind === 'pipeline' ? card.pipeline : card.id,
    name: nameOf(card),
    description: descriptionOf(card),
    context_length: entry?.contextTokens ?? null,
    architecture: architectureOf(card),
    pricing: pricingOf(card, entry),
    top_provider: {
      context_length: entry?.contextTokens ?? null,
      max_completion_tokens: entry?.outputTokens ?? null,
      is_moderated: false,
    },
    per_request_limits: null,
    supported_parameters: entry?.kind === 'llm' ? parametersOf(entry) : [],
    parley: ourMembers(card, entry),
  }
}

export function anthropicModel(card: ModelCard) {
  const entry = card.kind === 'pipeline' ? null : card.entry
  return {
    id: card.id,
    type: 'model' as const,
    display_name: nameOf(card),
    // The SDK's own word for a date that is not known.
    created_at: new Date(entry?.releasedOn ?? 0).toISOString().replace('.000Z', 'Z'),
    max_input_tokens: entry?.contextTokens ?? null,
    max_tokens: entry?.outputTokens ?? null,
    capabilities: null,
    lifecycle: entry?.status === 'deprecated' ? ('deprecated' as const) : ('active' as const),
    deprecated_at: null,
    retires_at: null,
    line: null,
  }
}

function nameOf(card: ModelCard): string {
  return card.kind === 'pipeline' ? card.pipeline : (card.entry?.name ?? card.model)
}

const WHAT = { stt: 'Speech to text', llm: 'Language model', tts: 'Text to speech', embedding: 'Embeddings' }

function descriptionOf(card: ModelCard): string {
  if (card.kind !== 'pipeline') return `${WHAT[card.kind]} at ${card.provider}.`
  return 'A pipeline of this server: its routes choose the model.'
}

function architectureOf(card: ModelCard) {
  const [input, output] =
    card.kind === 'pipeline'
      ? [
          ['text', 'audio'],
          ['text', 'audio'],
        ]
      : [card.entry?.input ?? IN[card.kind], card.entry?.output ?? OUT[card.kind]]
  return {
    modality: `${input.join('+')}->${output.join('+')}`,
    input_modalities: input,
    output_modalities: output,
    tokenizer: 'Other',
    instruct_type: null,
  }
}

const IN = { stt: ['audio'], llm: ['text'], tts: ['text'], embedding: ['text'] }
const OUT = { stt: ['text'], llm: ['text'], tts: ['audio'], embedding: [] }

function pricingOf(card: ModelCard, entry: CatalogEntry | null) {
  if (card.kind !== 'pipeline' && card.provider === 'local') return { prompt: '0', completion: '0' }
  const { input, output, cacheRead, cacheWrite, reasoning, inputAudio } = entry?.cost ?? {}
  if (input === undefined && output === undefined) return { prompt: NO_PRICE, completion: NO_PRICE }
  return {
    prompt: perToken(input ?? 0),
    completion: perToken(output ?? 0),
    ...(cacheRead !== undefined && { input_cache_read: perToken(cacheRead) }),
    ...(cacheWrite !== undefined && { input_cache_write: perToken(cacheWrite) }),
    ...(reasoning !== undefined && { internal_reasoning: perToken(reasoning) }),
    ...(inputAudio !== undefined && { audio: perToken(inputAudio) }),
  }
}

/** `0.00000015`, never `1.5e-7`. */
export function perToken(usdPerMillion: number): string {
  return (usdPerMillion / 1e6).toFixed(12).replace(/\.?0+$/, '')
}

function parametersOf({ can }: CatalogEntry): string[] {
  return [
    'max_tokens',
    'stop',
    ...(can.includes('temperature') ? ['temperature', 'top_p'] : []),
    ...(can.includes('tools') ? ['tools', 'tool_choice'] : []),
    ...(can.includes('structuredOutput') ? ['response_format', 'structured_outputs'] : []),
    ...(can.includes('reasoning') ? ['reasoning', 'include_reasoning'] : []),
  ]
}

function ourMembers(card: ModelCard, entry: CatalogEntry | null) {
  if (card.kind === 'pipeline') {
    const { kind, pipeline, isDefault, language } = card
    return { kind, pipeline, default: isDefault, language }
  }
  const { kind, provider, model } = card
  if (!entry) return { kind, provider, model }
  const { usdPerAudioMinuteIn, usdPerAudioMinuteOut, usdPerThousandChars } = entry.cost ?? {}
  return {
    kind,
    provider,
    model,
    can: entry.can,
    languages: entry.languages,
    ttft_ms: entry.ttftMs,
    quality: entry.quality,
    status: entry.status,
    usd_per_audio_minute_in: usdPerAudioMinuteIn ?? null,
    usd_per_audio_minute_out: usdPerAudioMinuteOut ?? null,
    usd_per_1k_chars: usdPerThousandChars ?? null,
    price_source: entry.cost ? entry.source : null,
    price_as_of: entry.cost ? entry.asOf : null,
    note: entry.note,
  }
}
