/** The table of a run: fault by stage, how each was recovered, and how long the caller waited for the first sound. */
import { ms, quantile } from '../report.ts'
import { RECOVERIES, type Verdict } from './judge.ts'
import { FAULTS, STAGES } from './plan.ts'

export interface Table {
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

const HEAD = ['stage, fault', 'turns', 'struck', 'restarts', 'first audio p50', 'p95', 'p99', 'recovered how']

/** Rows by stage and fault, before and after speech started together; then turns with two, with everybody's, with none. */
export function tableOf(verdicts: readonly Verdict[]): Table {
  const rows = STAGES.flatMap((stage) =>
    FAULTS.flatMap((name) =>
      (['before', 'after'] as const).map((when) =>
        row(
          `${stage} ${name}, ${when}`,
          verdicts.filter(({ plan }) => {
            const [fault, second] = plan.faults
            return (
              !second &&
              fault?.depth === 1 &&
              fault.stage === stage &&
              fault.name === name &&
              fault.when === when
            )
          }),
        ),
      ),
    ),
  )
  return {
    head: HEAD,
    rows: [
      ...rows,
      row(
        'two stages at once',
        verdicts.filter(({ plan }) => plan.faults.length > 1),
      ),
      row(
        'everybody at a stage',
        verdicts.filter(({ plan }) => plan.faults[0]?.depth === 2),
      ),
      row(
        'no fault drawn',
        verdicts.filter(({ plan }) => plan.faults.length === 0),
      ),
      row('all', verdicts),
    ],
  }
}

function row(name: string, verdicts: readonly Verdict[]): string[] {
  const first = verdicts.flatMap(({ firstAudioMs }) => firstAudioMs ?? [])
  const how = RECOVERIES.flatMap((recovery) => {
    const count = verdicts.filter((verdict) => verdict.recovery === recovery).length
    return count > 0 ? [`${recovery} ${count}`] : []
  })
  return [
    name,
    String(verdicts.length),
    String(verdicts.filter(({ struck, plan }) => struck.length > 0 && plan.faults.length > 0).length),
    String(verdicts.reduce((sum, { restarts }) => sum + restarts, 0)),
    ...[0.5, 0.95, 0.99].map((q) => ms(quantile(first, q))),
    how.join(', '),
  ]
}
