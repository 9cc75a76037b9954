/** Where a server's realtime sessions are, out of the provider's settings. */
import { type Connect, connectWs } from '../../socket.ts'
import { addressOf } from '../address.ts'
import type { OpenAiSettings } from '../settings.ts'

const OPENAI_HOST = 'api.openai.com'

export interface RealtimeEndpoint {
  readonly name: string
  /** `ws:` or `wss:`, with the query. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly connect: Connect
  /** OpenAI itself, whose recognisers are known by name. */
  readonly isOpenAi: boolean
}

/** Of transcription sessions; undefined when nobody says that the server has them, or it shall be sent files. Throws as `addressOf` does. */
export function transcriptionsAt(settings: OpenAiSettings): RealtimeEndpoint | undefined {
  const { origin, path, headers } = addressOf(settings)
  const url = new URL(`${origin}${path('realtime', '')}`)
  const isOpenAi = url.hostname === OPENAI_HOST
  if (settings.stt === 'files' || (!isOpenAi && settings.stt === undefined)) return undefined
  url.protocol = url.protocol.replace('http', 'ws')
  url.searchParams.set('intent', 'transcription')
  const { 'content-type': _, ...shown } = headers
  return {
    name: settings.name,
    url: url.href,
    headers: shown,
    connect: settings.connect ?? connectWs,
    isOpenAi,
  }
}
