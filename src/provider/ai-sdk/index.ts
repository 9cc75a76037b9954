/**
 * `type: ai-sdk`: language models of any provider that has a package for Vercel's AI SDK. The package is the operator's: found when the
 * server starts, imported when the first of its models is asked. Written from the types of `@ai-sdk/provider` 2.0.5, 3.0.19 and 4.0.38.
 */
import { StreamFault } from '../../dialect/faults.ts'
import type { Provider, ProviderDeps } from '../../stage/provider.ts'
import { modelAgent } from '../http-model.ts'
import { packageEntry } from '../operator-package.ts'
import { loadModels, type Models } from './load.ts'
import { aiSdkModel } from './model.ts'
import { outbound } from './outbound.ts'
import type { AiSdkSettings } from './settings.ts'

export { type AiSdkSettings, aiSdkSettings } from './settings.ts'

/** How a package may call what it leaves out; anything else could be somebody's words. */
const FEATURE = /^[A-Za-z][\w.]{0,63}$/

/** Where the package is; undefined, and a note that says what to do, where it is not installed. */
export function aiSdkEntry(deps: ProviderDeps, settings: AiSdkSettings): string | undefined {
  return packageEntry(deps, { ...settings, provider: settings.name })
}

/** `entry`: as `aiSdkEntry` found it. */
export function createAiSdk(deps: ProviderDeps, settings: AiSdkSettings, entry: string): Provider {
  const { name, package: packageName } = settings
  const dispatcher = modelAgent(deps.clock)
  const out = outbound(dispatcher)
  const written = secretsIn(settings.options)
  const ignored = new Set<string>()
  let loading: Promise<Models> | undefined
  const models = () => {
    loading ??= loadModels(settings, entry, out.fetch).catch((error: unknown) => {
      loading = undefined
      const why = error instanceof StreamFault ? error.message : `it failed (${nameOf(error)})`
      deps.note(`providers.${name}: ${packageName} could not be loaded: ${why}`)
      throw error
    })
    return loading
  }
  return {
    name,
    llm: (model) =>
      aiSdkModel({
        provider: name,
        model,
        load: async (id) => (await models())(id),
        secrets: () => [...written, ...out.secrets()],
        onIgnored(feature) {
          if (ignored.has(feature) || !FEATURE.test(feature)) return
          ignored.add(feature)
          deps.note(`providers.${name}: ${packageName} leaves out ${feature}`)
        },
      }),
    close: () => dispatcher.destroy(),
  }
}

/** Any text of the options may be one, but for the address. */
function secretsIn(options: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(options).flatMap(([member, value]) => {
    if (typeof value === 'string') return member === 'baseURL' || value.length < 8 ? [] : [value]
    return typeof value === 'object' && value !== null ? secretsIn(value as Record<string, unknown>) : []
  })
}

function nameOf(error: unknown): string {
  const code = (error as { readonly code?: unknown } | null)?.code
  if (typeof code === 'string') return code
  return error instanceof Error ? error.name : 'unknown'
}
