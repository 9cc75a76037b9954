/**
 * To which language a recogniser is held: the one agreed on, or that heard meanwhile, but none at all where it finds languages by
 * itself and the caller may change again. One that was told German would make German of all that follows. Pure.
 */
import { primaryTag, speaks } from '../route/language.ts'
import type { SttCaps } from '../stage/stt.ts'

/** `agreed`: by the settings. `heard`: what the caller speaks, as far as known. Undefined: it shall find out. */
export function heldLanguage(
  { findsLanguages = [] }: Pick<SttCaps, 'findsLanguages'>,
  agreed: string | undefined,
  heard: string | undefined,
): string | undefined {
  if (heard === undefined || primaryTag(heard) === primaryTag(agreed)) return agreed
  const finds = (tag: string | undefined) => tag === undefined || speaks(findsLanguages, tag)
  return finds(heard) && finds(agreed) ? undefined : heard
}
