/** What the doubles of both versions of Deepgram's `listen` share: whom they refuse, and how a query names its audio. */
import type { AudioFormat } from '../../audio/format.ts'
import type { DoublePeer, DoubleTalk } from '../carrier/sockets.ts'
import {
  type SttDouble,
  type SttDoubleOptions,
  type SttSessionRecord,
  type SttUpgrade,
  sttDouble,
} from './double.ts'

const ENCODINGS: Readonly<Record<string, AudioFormat['encoding']>> = {
  linear16: 'pcm16',
  mulaw: 'mulaw',
  alaw: 'alaw',
}

/** `open` hears a client whose key and query are right. */
export function deepgramDouble(
  options: SttDoubleOptions,
  queryMistake: (url: URL) => string | undefined,
  open: (peer: DoublePeer, record: SttSessionRecord, upgrade: SttUpgrade) => DoubleTalk,
): SttDouble {
  const entryAt = (baseUrl: string, apiKey: string) => ({ type: 'deepgram', apiKey, baseUrl })
  return sttDouble(options, entryAt, (upgrade) => {
    const { url, headers, script, key } = upgrade
    if (script.fault === 'refuse_auth' || headers['authorization'] !== `Token ${key}`) {
      return { status: 401, body: '{"err_code":"INVALID_AUTH","err_msg":"Invalid credentials."}' }
    }
    const mistake = queryMistake(url)
    if (mistake !== undefined) return { status: 400, body: JSON.stringify({ err_msg: mistake }) }
    return (peer, record) => open(peer, record, upgrade)
  })
}

export function audioMistake(query: URLSearchParams): string | undefined {
  if (!ENCODINGS[query.get('encoding') ?? '']) return 'this double takes linear16, mulaw and alaw'
  return /^\d{4,5}$/.test(query.get('sample_rate') ?? '')
    ? undefined
    : 'sample_rate must come with a raw encoding'
}

/** Of a query without mistakes. */
export function formatOf(query: URLSearchParams): AudioFormat {
  return {
    encoding: ENCODINGS[query.get('encoding') ?? '']!,
    sampleRateHz: Number(query.get('sample_rate')),
  }
}
