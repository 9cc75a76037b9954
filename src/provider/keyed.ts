/** A provider with several keys: one of its kind for each, under one name. An adapter knows one key and needs to know of no other. */
import type { Credential, Provider } from '../stage/provider.ts'

/** `create`: the provider with one of the keys. It is called for each, in order; at least one. */
export function keyedProvider<K extends Credential>(
  keys: readonly K[],
  create: (key: K) => Provider,
): Provider {
  const made = new Map(keys.map((key) => [key.id, create(key)]))
  const [first] = made.values()
  if (!first) throw new TypeError('a provider with several keys has none')
  const of = (credential: string | undefined) => (credential === undefined ? first : made.get(credential))
  return {
    name: first.name,
    credentials: keys.map(({ id, weight }) => ({ id, weight })),
    ...(first.stt && { stt: (model, credential) => of(credential)?.stt?.(model) }),
    ...(first.llm && { llm: (model, credential) => of(credential)?.llm?.(model) }),
    ...(first.tts && { tts: (model, credential) => of(credential)?.tts?.(model) }),
    ...(first.embedding && { embedding: (model, credential) => of(credential)?.embedding?.(model) }),
    async close() {
      await Promise.all([...made.values()].map((provider) => provider.close()))
    },
  }
}
