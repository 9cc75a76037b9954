/** Packages that are no dependency of ours: the operator's, found when the server starts, imported when they are needed first. */
import { isRecord } from '../dialect/openai-error.ts'
import type { ProviderDeps } from '../stage/provider.ts'
import { locate } from './locate.ts'

export interface Wanted {
  /** The provider's name in `parley.yaml`. */
  readonly provider: string
  /** Of npm. */
  readonly package: string
  /** Whose `node_modules`, and those above them, are searched; first to last. */
  readonly folders: readonly string[]
}

/** The address of the package's entry, a `file:` URL; undefined, and a note that says what to do, where it is not installed. */
export function packageEntry(
  { note }: ProviderDeps,
  { provider, package: name, folders }: Wanted,
): string | undefined {
  const entry = locate(name, folders)
  if (entry === undefined) {
    note(
      `providers.${provider}: the package ${name} is not installed (npm install ${name}): its targets are skipped`,
    )
  }
  return entry
}

/** What a package exports; of a CommonJS module that may be behind `default` alone. Throws what importing throws. */
export async function loadPackage(entry: string): Promise<Record<string, unknown>> {
  const module: unknown = await import(entry)
  if (!isRecord(module)) return {}
  return isRecord(module['default']) ? { ...module['default'], ...module } : module
}
