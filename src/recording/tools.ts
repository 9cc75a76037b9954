/** Tools that the server runs, across the edge: a replay takes their answers from the file and calls nobody. */
import type { Clock } from '../clock.ts'
import { type ServerTool, type ServerTools, ToolError, type ToolErrorKind } from '../stage/tools.ts'
import type { Edge } from './edge.ts'

type Answered =
  | { readonly text: string }
  | { readonly failed: { readonly kind: ToolErrorKind; readonly message: string } }

/** `real` null: a replay. */
export function toolsOverEdge(
  edge: Edge,
  definitions: readonly ServerTool[],
  real: { readonly tools: ServerTools; readonly clock: Clock } | null,
): ServerTools {
  return {
    definitions,
    async run(call, { signal }) {
      const answered = await edge.run<Answered>('tool', { ...call }, signal, async () => {
        try {
          return { text: await real!.tools.run(call, { signal, clock: real!.clock }) }
        } catch (error) {
          if (!(error instanceof ToolError)) throw error
          return { failed: { kind: error.kind, message: error.message } }
        }
      })
      if ('text' in answered) return answered.text
      throw new ToolError(answered.failed.kind, answered.failed.message)
    },
  }
}
