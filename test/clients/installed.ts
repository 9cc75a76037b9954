/** Other people's Realtime clients, where they are installed: `npm ci --prefix test/clients`. */
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { describe } from 'vitest'

const require = createRequire(import.meta.url)

/** The file of a package's main entry; null where it is not installed. */
function entryOf(name: string): string | null {
  try {
    return require.resolve(name)
  } catch {
    return null
  }
}

/** `T` is what the tests use of it, since its own types may not be here. Throws when it is not installed. */
export async function loadClient<T>(name: string): Promise<T> {
  return (await import(pathToFileURL(require.resolve(name)).href)) as T
}

/** Skipped, and saying why, when the client is not installed. */
export function describeClient(name: string, tests: () => void): void {
  if (entryOf(name)) describe(name, tests)
  else {
    console.info(`skipped: ${name} is not installed (npm run test:clients)`)
    describe.skip(`${name} is not installed`, tests)
  }
}
