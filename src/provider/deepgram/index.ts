/**
 * `type: deepgram`: Deepgram v1 `listen` (nova models; those of Flux are in `flux.ts`, voices in `speak.ts`). Written from
 * https://developers.deepgram.com/reference/speech-to-text/listen-streaming, read on 2026-11-22, the types of
 * `@deepgram/sdk` 5.13.0 and adapters that others ship (evidence: S, P); the sizes of its tolerances are guesses.
 * The SDK checks our double. Not yet run with real keys.
 */
import { ALAW_8K, MULAW_8K, PCM16_16K, PCM16_24K } from '../../audio/format.ts'
import type { Provider, ProviderDeps } from '../../stage/provider.ts'
import type { SttAdapter } from '../../stage/stt.ts'
import { type CloudSettings, cloudEndpoint } from '../endpoint.ts'
import { openRecognition } from '../open-recognition.ts'
import { fluxAdapter } from './flux.ts'
import { deepgramVoices } from './speak.ts'
import { deepgramProtocol } from './stream.ts'
import { listenUrl } from './wire.ts'

export const DEEPGRAM_BASE_URL = 'wss://api.deepgram.com'

/** Long enough not to split a sentence at a breath, short enough that most of it is settled when the turn ends. */
const ENDPOINTING_MS = 300

/** https://developers.deepgram.com/docs/multilingual-code-switching and /nova-3-language-prompting, read on 2026-11-25. */
const FINDS: Readonly<Record<string, string>> = {
  'nova-3':
    'af ar be bn bs bg ca zh hr cs da nl en et fi fr gl de el gu he hi hu id it ja kn ko lv lt mk ms mr no fa pl pt ro ru sr sk sl es sv tl ta te th tr uk vi xh zu',
  'nova-2': 'en es',
}

function findsOf(model: string): Pick<SttAdapter['caps'], 'findsLanguages'> {
  const found = Object.hasOwn(FINDS, model) ? FINDS[model] : undefined
  return found === undefined ? {} : { findsLanguages: found.split(' ') }
}

/** Throws an `Error` naming the setting that is wrong. */
export function createDeepgram({ clock }: ProviderDeps, settings: CloudSettings): Provider {
  const endpoint = cloudEndpoint(settings, DEEPGRAM_BASE_URL)
  const { name, connect, baseUrl, apiKey } = endpoint
  const { tts, close } = deepgramVoices(endpoint, clock)
  const nova = (model: string): SttAdapter => ({
    id: `${name}/${model}`,
    caps: {
      languages: 'any',
      ...findsOf(model),
      inputs: [PCM16_16K, MULAW_8K, PCM16_24K, ALAW_8K],
      feed: 'speech',
      endOfTurn: 'vad',
      eager: false,
      wordTimes: true,
      forceFinal: true,
      // It takes recordings as fast as they come and answers several times faster than they play.
      maxReplaySpeed: 10,
    },
    open: ({ format, language, hints = [], signal, clock }) =>
      openRecognition({
        provider: name,
        protocol: deepgramProtocol(),
        connect,
        url: listenUrl(baseUrl, {
          model,
          format,
          language: language ?? (Object.hasOwn(FINDS, model) ? 'multi' : undefined),
          hints,
          endpointingMs: ENDPOINTING_MS,
        }),
        headers: { authorization: `Token ${apiKey}` },
        format,
        signal,
        clock,
      }),
  })
  const stt = (model: string) => (model.startsWith('flux-') ? fluxAdapter(endpoint, model) : nova(model))
  return { name, stt, tts, close }
}
