/** The embedded models as the commands see them; `app.ts` gives the real shelf. */
export interface ShelfModel {
  readonly name: string
  readonly title: string
  readonly licence: string
  readonly purpose: string
  /** `partial`: a download was interrupted and goes on from there. */
  readonly state: 'present' | 'partial' | 'absent'
  readonly bytes: number
  readonly folder: string
}

export interface ShelfProgress {
  readonly phase: string
  readonly bytes: number
  readonly totalBytes: number
}

export interface ModelShelf {
  list(): Promise<readonly ShelfModel[]>
  /** Brings and checks one model. Throws an Error whose message tells a person why not, or the signal's reason. */
  ensure(
    name: string,
    options: { readonly onProgress: (progress: ShelfProgress) => void; readonly signal: AbortSignal },
  ): Promise<unknown>
}
