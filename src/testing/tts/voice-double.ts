/** What every double of a voice is, over whichever carrier: how it sounds, its faults and what it held against its clients. */
import type { Double, ProviderEntry } from '../double.ts'
import { type Clocked, clocked, FaultPlan, type SoundOptions } from './double.ts'

/** A frame or a request's body, parsed. */
export type Fields = Record<string, unknown>

export abstract class VoiceDouble<Options extends SoundOptions = SoundOptions> implements Double {
  readonly options: Clocked<Options>
  readonly faults: FaultPlan
  readonly mistakes: string[] = []

  constructor(options?: Options) {
    this.options = clocked(options)
    this.faults = new FaultPlan(options?.fault)
  }

  abstract readonly sessions: readonly object[]
  abstract settingsAt(baseUrl: string): ProviderEntry
}
