/** Targets that no provider serves: said at load, skipped at run time. */
import type { PipelineSet, TargetUse } from './pipeline-set.ts'
import type { Problem } from './problem.ts'

/**
 * Warnings for each target whose provider is not among `providers` (those that exist and have credentials),
 * and one more for a route that is left without any.
 */
export function checkAvailable(set: PipelineSet, providers: Iterable<string>): Problem[] {
  const known = new Set(providers)
  const problems: Problem[] = []
  const routes = new Map<string, TargetUse[]>()
  for (const use of set.targets) {
    const key = `${use.pipeline} ${use.stage} ${use.route}`
    routes.set(key, [...(routes.get(key) ?? []), use])
    if (known.has(use.target.provider)) continue
    problems.push({
      ...use.at,
      severity: 'warning',
      message: `${use.target.id} is skipped: no provider ${use.target.provider} is set up, or it has no credentials`,
    })
  }
  for (const uses of routes.values()) {
    const first = uses[0]
    if (!first || uses.some((use) => known.has(use.target.provider))) continue
    problems.push({
      ...first.at,
      severity: 'warning',
      message: `route ${first.route} of ${first.stage} has no target left: its turns will fail`,
    })
  }
  return problems
}
