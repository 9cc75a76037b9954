/** A provider whose adapters are made once a model, not once a request. */
import type { Provider } from '../stage/provider.ts'

/** Of each stage. Names of models may be a client's own: beyond these each request makes its own. */
const MAX_KEPT = 1000

export function keptAdapters(provider: Provider): Provider {
  const { stt, llm, tts, embedding } = provider
  return {
    ...provider,
    ...(stt && { stt: kept((model, credential) => provider.stt?.(model, credential)) }),
    ...(llm && { llm: kept((model, credential) => provider.llm?.(model, credential)) }),
    ...(tts && { tts: kept((model, credential) => provider.tts?.(model, credential)) }),
    ...(embedding && { embedding: kept((model, credential) => provider.embedding?.(model, credential)) }),
  }
}

type Make<A> = (model: string, credential?: string) => A | undefined

function kept<A>(make: Make<A>): Make<A> {
  const known = new Map<string, A>()
  return (model, credential) => {
    const key = credential === undefined ? model : `${credential}\n${model}`
    const before = known.get(key)
    if (before) return before
    const made = make(model, credential)
    if (made && known.size < MAX_KEPT) known.set(key, made)
    return made
  }
}
