/** What the model store answers with. */
import type { ModelName } from './catalogue.ts'

/** How far a model has come; `bytes` of `totalBytes` of the phase. */
export interface ModelProgress {
  readonly model: ModelName
  readonly phase: 'download' | 'unpack' | 'install'
  readonly bytes: number
  /** Exact for downloads of pinned size, an estimate for `install`. */
  readonly totalBytes: number
}

/** A model that is on disk and was checked against its hashes. All paths absolute. */
export interface ModelFiles {
  readonly name: ModelName
  readonly folder: string
  /** By the catalogue's keys: `files.encoder`; an npm part has `files.entry`, the module to import. */
  readonly files: Readonly<Record<string, string>>
}

export interface ModelStatus {
  readonly name: ModelName
  readonly title: string
  readonly licence: string
  readonly purpose: string
  /** `present`: every file there, at its size (hashes are checked on use). `partial`: a download was interrupted. */
  readonly state: 'present' | 'partial' | 'absent'
  /** On disk once there. */
  readonly bytes: number
  readonly folder: string
}

/** The model cannot be had; `message` says why and what helps, in words for the person who runs the server. */
export class ModelUnavailable extends Error {
  override readonly name = 'ModelUnavailable'
  constructor(
    readonly model: ModelName,
    reason: string,
    options?: { cause?: unknown },
  ) {
    super(reason, options)
  }
}
