/** The providers' SDKs, where they are installed: `npm ci --prefix test/sdks`. */
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { describe } from 'vitest'

const require = createRequire(import.meta.url)

export function isInstalled(name: string): boolean {
  try {
    require.resolve(name)
    return true
  } catch {
    return false
  }
}

/** Throws when it is not installed. `T` is what the tests use of it, since its own types may not be here. */
export async function loadSdk<T>(name: string): Promise<T> {
  const url = pathToFileURL(require.resolve(name)).href
  return (await import(url)) as T
}

/** Skipped, and saying why, when the SDK is not installed. */
export function describeSdk(name: string, tests: () => void): void {
  if (isInstalled(name)) describe(`${name} and our double`, tests)
  else {
    console.info(`skipped: ${name} is not installed (npm ci --prefix test/sdks)`)
    describe.skip(`${name} is not installed`, tests)
  }
}
