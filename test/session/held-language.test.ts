/** To which language a recogniser is held, when the caller may change it. */
import { expect, test } from 'vitest'
import { heldLanguage } from '../../src/session/held-language.ts'

test.each([
  ['nothing is known', [], undefined, undefined, undefined],
  ['agreed, and nothing else heard', 'any', 'en', undefined, 'en'],
  ['agreed, and that is what was heard', 'any', 'en-GB', 'en', 'en-GB'],
  ['heard, where it finds none by itself', [], undefined, 'de', 'de'],
  ['heard, where it finds them: the caller may change again', 'any', undefined, 'de', undefined],
  ['heard another than agreed, where it finds both', ['en', 'de'], 'en', 'de', undefined],
  ['heard one that it does not find', ['en', 'es'], undefined, 'fi', 'fi'],
  ['agreed on one that it does not find, heard one that it does', ['en', 'es'], 'fi', 'es', 'es'],
] as const)('%s', (_name, findsLanguages, agreed, heard, held) => {
  expect(heldLanguage({ findsLanguages }, agreed, heard)).toBe(held)
})
