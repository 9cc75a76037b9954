/** The four voices inside the package, all at 16 kHz. */
import { PCM16_16K } from '../../../audio/format.ts'

export const FLITE_FORMAT = PCM16_16K

/**
 * Our name → flite's. `slt` (female), `rms` and `awb` (male, American and Scottish) are statistical voices;
 * `kal` is the old diphone voice, ten times faster, in its 16 kHz edition so that all voices have one rate.
 */
export const FLITE_VOICES: ReadonlyMap<string, string> = new Map([
  ['slt', 'slt'],
  ['rms', 'rms'],
  ['awb', 'awb'],
  ['kal', 'kal16'],
])

export const DEFAULT_VOICE = 'slt'
