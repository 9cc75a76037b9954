/** How many turns of each route kept their budget, and which part broke the others. */
import { type Attainment, AttainmentBook } from '../../../budget/attainment.ts'
import type { Turn } from '../talk/turns.ts'

const PART_NAMES = { endpoint: 'silence', stt: 'recognition', llm: 'model', tts: 'voice' } as const
const PARTS = ['endpoint', 'stt', 'llm', 'tts'] as const

export function AttainmentLine({ turns }: { readonly turns: readonly Turn[] }) {
  const book = new AttainmentBook()
  for (const { record } of turns) {
    if (!record || record.outcome === 'open') continue
    const { actualMs, brokenBy } = record.budget
    book.add({ route: record.route.llm ?? '', actualMs, brokenBy })
  }
  const routes = [...book.read()]
  if (routes.length === 0) return null
  return (
    <ul class="attainment" aria-label="Turns within their budget, by route">
      {routes.map(([route, one]) => (
        <li key={route} data-testid="attainment">
          {route === '' ? '' : `${route}: `}
          <b>{one.kept}</b> of {one.turns} within budget{lateness(one)}
        </li>
      ))}
    </ul>
  )
}

function lateness({ brokenBy }: Attainment): string {
  const late = PARTS.filter((part) => brokenBy[part] > 0).map(
    (part) => `${PART_NAMES[part]} ${brokenBy[part]}`,
  )
  return late.length === 0 ? '' : `, late by ${late.join(', ')}`
}
