/** The catalogue that comes with Parley: language models from the file that `npm run catalog:build` makes, speech from our own tables. */
import { readFileSync } from 'node:fs'
import { Catalog } from './catalog.ts'
import type { CatalogFile } from './fields.ts'
import { RECOGNISERS } from './recognisers.ts'
import { type Row, rowsOfFile, rowsOfSettings } from './rows.ts'
import { VOICES } from './voices.ts'

const FILE = new URL('../../catalog/models.json', import.meta.url)

let rows: readonly Row[] | undefined
let catalog: Catalog | undefined

/** Read once a process, in some ten milliseconds. Not checked again here; a test holds the file against its schema. */
export function builtInRows(): readonly Row[] {
  if (!rows) {
    const file = JSON.parse(readFileSync(FILE, 'utf8')) as CatalogFile
    rows = [...rowsOfFile(file), ...rowsOfSettings({ ...RECOGNISERS, ...VOICES, ...EMBEDDED_MODELS })]
  }
  return rows
}

/** Nothing else laid over it. */
export function builtInCatalog(): Catalog {
  catalog ??= new Catalog({ builtIn: builtInRows() })
  return catalog
}

const here = { source: 'runs on this machine', as_of: '2026-11-25', cost: { input: 0, output: 0 } }
const EMBEDDED_MODELS = {
  'local/smollm2': {
    ...here,
    name: 'SmolLM2 135M Instruct',
    kind: 'llm' as const,
    open_weights: true,
    limit: { context: 1024 },
  },
  'local/scripted': { ...here, name: 'Scripted answers', kind: 'llm' as const, tool_call: true },
}
