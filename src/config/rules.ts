/** The rules of a pipeline, compiled at load so that a mistake has a line and a column before anybody calls. */
import { compileRoutes } from '../route/routes.ts'
import type { Pipeline } from './pipeline.ts'
import { listsOf } from './pipeline.ts'
import type { Problem } from './problem.ts'
import type { YamlSource } from './yaml-source.ts'

const STAGES = ['stt', 'llm', 'tts'] as const

export function ruleProblems(pipeline: Pipeline, source: YamlSource): Problem[] {
  const targets = STAGES.flatMap((stage) =>
    pipeline[stage].routes.flatMap((route) =>
      listsOf(route).flatMap(({ list }) => list.targets.map(({ id }) => id)),
    ),
  )
  return STAGES.flatMap((stage) =>
    compileRoutes(pipeline[stage].routes, { stage, targets })
      // That a route is never reached is told by `lint` already.
      .problems.filter(({ path, severity }) => severity === 'error' || path.length > 1)
      .map(({ path, offset, message, severity }) => {
        const whole = [stage, 'routes', ...path]
        const at = offset === null ? source.at(whole) : source.atText(whole, offset)
        return { ...at, severity, message: offset === null ? message : `when: ${message}` }
      }),
  )
}
