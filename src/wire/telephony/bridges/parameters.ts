/** The order of a stream's parameters, for bridges that take only so many: the token, who calls whom, the others. */
import { TOKEN_PARAMETER } from '../http/tokens.ts'

const FIRST = [TOKEN_PARAMETER, 'from', 'to']

export function essentialFirst(parameters: Readonly<Record<string, string>>): (readonly [string, string])[] {
  const all = Object.entries(parameters)
  const first = FIRST.flatMap((name) => all.filter(([each]) => each === name))
  return [...first, ...all.filter(([name]) => !FIRST.includes(name))]
}
