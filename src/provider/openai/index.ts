/**
 * `type: openai`: any server that speaks chat completions or `/v1/responses`, OpenAI's own among them, and those of `presets/` by their
 * names. Written from the types of
 * the `openai` package 7.57, which also checks our fake servers. Recognition: `realtime/` and `transcription/`.
 */
import type { ProviderCodec } from '../../dialect/codec.ts'
import { chatProvider } from '../../dialect/openai-chat/index.ts'
import { responsesProvider } from '../../dialect/openai-responses/index.ts'
import { SseParser } from '../../dialect/sse.ts'
import type { LlmAdapter } from '../../stage/llm.ts'
import type { Provider, ProviderDeps } from '../../stage/provider.ts'
import { httpModel, modelAgent } from '../http-model.ts'
import { SoundLengths } from '../sound-length.ts'
import { ANY_SERVER, addressOf, type Interface } from './address.ts'
import { openAiEmbedding } from './embedding.ts'
import { type Fit, fitTo } from './fit.ts'
import { transcriptionsAt } from './realtime/endpoint.ts'
import { realtimeRecogniser } from './realtime/index.ts'
import type { OpenAiSettings } from './settings.ts'
import { openAiSpeech } from './speech.ts'
import { transcriptions } from './transcription/index.ts'

export { PRESETS, presetOf } from './presets/index.ts'
export { apiOf, type OpenAiSettings, sttOf } from './settings.ts'
export { speechOf } from './speech.ts'

/** The last event holds the whole answer, images made by tools in it, and the request's tools and instructions once more. */
const RESPONSES_EVENT_CHARACTERS = 16_000_000
const RESPONSES_FRAMING = {
  contentType: /^text\/event-stream\b/i,
  open: () => new SseParser(RESPONSES_EVENT_CHARACTERS),
}

/** Throws an `Error` naming the setting that is wrong. */
export function createOpenAi({ clock }: ProviderDeps, settings: OpenAiSettings): Provider {
  const { name, apiKey, preset = ANY_SERVER } = settings
  const { origin, path, headers, maxTokensField } = addressOf(settings)
  const dispatcher = settings.dispatcher ?? modelAgent(clock)
  const headersOf = {
    stream: { ...headers, accept: 'text/event-stream' },
    whole: { ...headers, accept: 'application/json' },
  }
  const targetOf = (what: Interface, model: string) => {
    const at = path(what, model)
    return {
      stream: { origin, path: at, headers: headersOf.stream },
      whole: { origin, path: at, headers: headersOf.whole },
    }
  }
  const fit = fitTo(preset)
  const spoken =
    settings.api === 'responses'
      ? ({ what: 'responses', codec: responsesProvider, framing: RESPONSES_FRAMING } as const)
      : ({ what: 'chat/completions', codec: fitted(chatProvider(maxTokensField), fit), fit } as const)
  const secrets = apiKey === undefined ? [] : [apiKey]
  const llm = (model: string): LlmAdapter => {
    const at = targetOf(spoken.what, model)
    const { caps } = preset
    return httpModel({
      provider: name,
      model,
      caps,
      ...spoken,
      dispatcher,
      origin,
      target: (delivery) => at[delivery],
      secrets,
    })
  }
  const embedding = (model: string) =>
    openAiEmbedding({
      provider: name,
      model,
      dispatcher,
      target: targetOf('embeddings', model).whole,
      secrets,
    })
  const sessions = transcriptionsAt(settings)
  const filesAt = (model: string) => targetOf('audio/transcriptions', model).whole
  const files = transcriptions({
    provider: name,
    dispatcher,
    target: filesAt,
    secrets,
    models: filesOf(settings),
  })
  const lengths = new SoundLengths()
  const tts = (model: string) =>
    openAiSpeech({
      provider: name,
      model,
      dispatcher,
      target: { origin, path: path('audio/speech', model), headers },
      lengths,
      ...(settings.speech && { speech: settings.speech }),
    })
  return {
    name,
    llm,
    tts,
    stt: sessions ? (model: string) => realtimeRecogniser(sessions, model) : files,
    ...(preset.embeddings === 'served' && { embedding }),
    close: () => dispatcher.destroy(),
  }
}

/** A server that is only known by its address may call its recognisers what it likes. */
function filesOf({ preset = ANY_SERVER, stt }: OpenAiSettings): 'any' | 'recognisers' {
  return preset === ANY_SERVER || stt === 'files' ? 'any' : 'recognisers'
}

/** Requests of our own go by the same rules as those that clients make. */
function fitted(codec: ProviderCodec, asTaken: Fit): ProviderCodec {
  return {
    ...codec,
    encode(request, options) {
      const { body, dropped } = codec.encode(request, options)
      const left: string[] = []
      const made = asTaken(body, (member) => void left.push(member))
      return { body: made, dropped: [...dropped, ...left] }
    },
  }
}
