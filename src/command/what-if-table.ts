/** Decisions side by side, as a person reads them. Pure. */
import type { Choice, Judgement } from '../recording/what-if.ts'

const UNIT = { stt: 'a minute', llm: 'a million tokens', tts: '1,000 characters' } as const

/** Lines: a table of what changes, and a sum for each stage. Each distinct change is told once with the turns it is in. */
export function changesTable(judgements: readonly Judgement[], recorded: string, other: string): string[] {
  const changed = judgements.filter(({ verdict }) => verdict === 'changed')
  const drifted = judgements.filter(({ rules }) => rules !== 'as recorded').length
  const lines = [
    `${judgements.length} decisions of ${recorded}: ${changed.length} would change with ${other}`,
    ...(drifted > 0 ? [`${drifted} are judged otherwise by this version than when they were recorded`] : []),
  ]
  if (changed.length === 0) return lines
  const groups = new Map<string, { readonly one: Judgement; readonly turns: Set<number> }>()
  for (const one of changed) {
    const key = `${one.stage} ${nameOf(one.recorded)} ${nameOf(one.other)} ${moneyOf(one)} ${latencyOf(one)}`
    const group = groups.get(key) ?? { one, turns: new Set<number>() }
    group.turns.add(one.turn)
    groups.set(key, group)
  }
  const rows = [
    ['turn', 'stage', recorded, other, 'first output', 'price'],
    ...[...groups.values()].map(({ one, turns }) => [
      [...turns].map((turn) => (turn === 0 ? 'opening' : String(turn))).join(' '),
      one.stage,
      nameOf(one.recorded),
      nameOf(one.other),
      latencyOf(one),
      moneyOf(one),
    ]),
  ]
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  lines.push(
    '',
    ...rows.map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join('  ')
        .trimEnd(),
    ),
  )
  if (changed.some(({ recorded: a, other: b }) => a.from === 'prior' || b.from === 'prior')) {
    lines.push('', '~ not measured there: what is expected of such a target')
  }
  return lines
}

function nameOf({ route, variant, targets }: Choice): string {
  const by = variant === null ? (route ?? 'no route') : `${route}/${variant}`
  return `${by}: ${targets.join(', ') || 'nobody'}`
}

function latencyOf({ recorded, other }: Judgement): string {
  const of = ({ p50Ms, from }: Choice) => (p50Ms === null ? '–' : `${from === 'prior' ? '~' : ''}${p50Ms} ms`)
  return `${of(recorded)} → ${of(other)}`
}

function moneyOf({ stage, recorded, other }: Judgement): string {
  const of = ({ priceUsd }: Choice) => (priceUsd === null ? '?' : `$${priceUsd}`)
  if (recorded.priceUsd === null && other.priceUsd === null) return 'not known'
  return `${of(recorded)} → ${of(other)} ${UNIT[stage]}`
}
