/** A package of the operator's, imported: models by their name. */
import { StreamFault } from '../../dialect/faults.ts'
import { loadPackage } from '../operator-package.ts'
import type { AiSdkSettings } from './settings.ts'
import { SPEC_VERSIONS, type SpecModel } from './spec.ts'

export type Models = (model: string) => SpecModel

/** Throws what importing throws, what the factory throws, or a `StreamFault` that says what the package lacks. */
export async function loadModels(settings: AiSdkSettings, entry: string, fetch: unknown): Promise<Models> {
  const create = factoryOf(settings, await loadPackage(entry))
  const provider = create({ ...settings.options, fetch })
  return (model) => {
    const made = modelOf(provider, model)
    if (isSpecModel(made)) return made
    throw unusable('what it makes is no language model of the specification v2, v3 or v4')
  }
}

type Factory = (options: Record<string, unknown>) => unknown

function factoryOf({ factory, package: name }: AiSdkSettings, exports: Record<string, unknown>): Factory {
  const creating = Object.keys(exports).filter((one) => /^create[A-Z]/.test(one))
  // `@ai-sdk/openai-compatible` has `createOpenAICompatible`.
  const expected = `create${name.replace(/^.*\//, '').replaceAll(/[^a-z0-9]/g, '')}`
  const guessed =
    creating.find((one) => one.toLowerCase() === expected) ??
    (creating.length === 1 ? creating[0] : undefined)
  const found = exports[factory ?? guessed ?? '']
  if (typeof found === 'function') return found as Factory
  throw unusable(
    factory === undefined
      ? 'which of its exports makes the provider cannot be guessed; name it as factory'
      : 'it has no function of the name that factory gives',
  )
}

function modelOf(provider: unknown, model: string): unknown {
  const holder = provider as { readonly languageModel?: unknown } | null | undefined
  const make = typeof holder?.languageModel === 'function' ? holder.languageModel : provider
  return typeof make === 'function' ? make.call(provider, model) : undefined
}

function isSpecModel(made: unknown): made is SpecModel {
  const { specificationVersion, doStream } = (made ?? {}) as Partial<Record<keyof SpecModel, unknown>>
  return SPEC_VERSIONS.includes(String(specificationVersion)) && typeof doStream === 'function'
}

function unusable(why: string): StreamFault {
  return new StreamFault('transient', `the package cannot be used: ${why}`)
}
