/** An explanation as text for a terminal. Pure; no colour, so that it can be pasted. */
import type { CandidateTold, Explanation, PlanTold, RuleTold } from './explain.ts'

const SIGNS = { taken: '→', no: '·', failed: '!', 'not tried': ' ' } as const

export function render({ stage, rules, route, assignment, candidates, plan }: Explanation): string {
  const lines = [
    `${stage}: ${route === null ? 'no route' : `route ${route}`}${variantOf(assignment)}`,
    '',
    'rules',
  ]
  lines.push(...rules.flatMap(ruleLines))
  if (route === null) lines.push('  No condition holds, and no route is without one.')
  if (candidates.length > 0) lines.push('', 'targets', ...table(candidates))
  if (plan) lines.push('', ...planLines(plan))
  return `${lines.join('\n')}\n`
}

function variantOf(assignment: Explanation['assignment']): string {
  if (!assignment) return ''
  const { experiment, variant, share, by, passedOver } = assignment
  const stopped = passedOver.length > 0 ? `; ${passedOver.join(', ')} was stopped` : ''
  return `, ${experiment}: variant ${variant} (${Math.round(share * 1000) / 10} %, by ${by}${stopped})`
}

function ruleLines({ route, when, outcome, reason }: RuleTold): string[] {
  const head = `  ${SIGNS[outcome]} ${route}${when === null ? '' : `: ${oneLine(when)}`}`
  return outcome === 'not tried' ? [`${head} (not tried)`] : [head, `      ${outcome}: ${oneLine(reason)}`]
}

function table(candidates: readonly CandidateTold[]): string[] {
  const rows = candidates.map((one) => [
    one.place === null ? '–' : String(one.place),
    one.target,
    `p50 ${one.p50Ms} ms`,
    `p95 ${one.p95Ms} ms`,
    one.latencyFrom === 'prior' ? 'expected' : `${Math.round(one.samples)} samples`,
    one.circuit === 'halfOpen' ? 'half open' : one.circuit,
    one.priceUsd === null ? '' : `$${one.priceUsd}`,
    one.reasons.join('; '),
  ])
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)))
  return rows.map((row) => `  ${row.map((cell, i) => cell.padEnd(widths[i]!)).join('  ')}`.trimEnd())
}

function planLines({ turnMs, endpointMs, expectedMs, spareMs, stages }: PlanTold): string[] {
  const fit = spareMs >= 0 ? `${Math.round(spareMs)} ms to spare` : `${Math.round(-spareMs)} ms too long`
  return [
    `plan: ${turnMs} ms from the end of speech, first audio expected at ${Math.round(expectedMs)} ms, ${fit}`,
    `  silence  0 to ${Math.round(endpointMs)} ms`,
    ...stages.map(
      ({ stage, p50Ms, startMs, latestMs }) =>
        `  ${stage.padEnd(7)}  from ${Math.round(startMs)} ms, takes ${Math.round(p50Ms)} ms, done by ${Math.round(latestMs)} ms at the latest`,
    ),
  ]
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}
