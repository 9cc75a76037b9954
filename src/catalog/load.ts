/** The catalogue as a server uses it: built-in, refreshed if somebody did, the operator's own on top. */
import { builtInRows } from './builtin.ts'
import { Catalog } from './catalog.ts'
import type { ModelFields } from './fields.ts'
import { loadRefreshed } from './refreshed.ts'
import { rowsOfFile, rowsOfSettings } from './rows.ts'

export interface CatalogRequest {
  /** `catalog` of the settings. */
  readonly operator?: Readonly<Record<string, ModelFields>>
  /** Where a refreshed one lies, if it does; left out: not looked for. */
  readonly refreshedFile?: string
  /** Told when a refreshed one cannot be used. */
  readonly complain?: (message: string) => void
}

export function loadCatalog({ operator = {}, refreshedFile, complain = () => {} }: CatalogRequest): Catalog {
  const refreshed = refreshedFile === undefined ? null : loadRefreshed(refreshedFile, complain)
  return new Catalog({
    builtIn: builtInRows(),
    refreshed: refreshed ? rowsOfFile(refreshed) : [],
    operator: rowsOfSettings(operator),
  })
}
