/** Configurations of other gateways as Parley pipelines. Pure: a parsed document in, what it became and what was lost out. */
import { importInworld } from './inworld.ts'
import { importLitellm } from './litellm.ts'
import { importOpenrouter } from './openrouter.ts'
import { importPortkey } from './portkey.ts'
import { type Imported, isDoc, listOf, NotImportable, own } from './shapes.ts'

export const FORMATS = ['inworld', 'portkey', 'litellm', 'openrouter'] as const
export type Format = (typeof FORMATS)[number]

const IMPORTERS: Readonly<Record<Format, (doc: unknown) => Imported>> = {
  inworld: importInworld,
  portkey: importPortkey,
  litellm: importLitellm,
  openrouter: importOpenrouter,
}

/** Throws `NotImportable` when the document is of no known kind, or nothing of it can be used. */
export function importDocument(doc: unknown, format: Format): Imported {
  return IMPORTERS[format](doc)
}

/** By the members that only one of them has; undefined when none does. */
export function detect(doc: unknown): Format | undefined {
  if (!isDoc(doc)) return undefined
  if (Array.isArray(own(doc, 'model_list'))) return 'litellm'
  if (isDoc(own(doc, 'strategy')) || Array.isArray(own(doc, 'targets'))) return 'portkey'
  if (isDoc(own(doc, 'defaultRoute', 'default_route')) || listOf(own(doc, 'routes')).some(isDoc))
    return 'inworld'
  if (typeof own(doc, 'model') === 'string' || Array.isArray(own(doc, 'models'))) return 'openrouter'
  if (isDoc(own(doc, 'override_params'))) return 'portkey'
  return undefined
}

export { type Imported, NotImportable }
