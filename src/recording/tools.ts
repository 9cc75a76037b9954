/** Tools that the server runs, across the edge: a replay takes their answers from the file and calls nobody. */
import type { Clock } from '../clock.ts'
import {
  type McpTool,
  type ServerTool,
  type ServerTools,
  ToolError,
  type ToolErrorKind,
} from '../stage/tools.ts'
import type { Edge } from './edge.ts'

type Failed = { readonly failed: { readonly kind: ToolErrorKind; readonly message: string } }
type Answered = { readonly text: string } | Failed
type Listed = { readonly tools: readonly McpTool[] } | Failed

/** `real` null: a replay. */
export function toolsOverEdge(
  edge: Edge,
  definitions: readonly ServerTool[],
  real: { readonly tools: ServerTools; readonly clock: Clock } | null,
): ServerTools {
  return {
    definitions,
    async run(call, { signal, access }) {
      const detail = { ...call, ...(access ? { server: access.label } : {}) }
      const answered = await edge.run<Answered>('tool', detail, signal, () =>
        toldOf(async () => {
          const { tools, clock } = real!
          return { text: await tools.run(call, { signal, clock, ...(access ? { access } : {}) }) }
        }),
      )
      if ('text' in answered) return answered.text
      throw new ToolError(answered.failed.kind, answered.failed.message)
    },
    async list(access, { signal }) {
      const listed = await edge.run<Listed>('tools', { server: access.label }, signal, () =>
        toldOf(async () => {
          const { tools, clock } = real!
          return { tools: (await tools.list?.(access, { signal, clock })) ?? [] }
        }),
      )
      if ('tools' in listed) return listed.tools
      throw new ToolError(listed.failed.kind, listed.failed.message)
    },
  }
}

/** A tool's failure is an answer, too. */
async function toldOf<T>(ask: () => Promise<T>): Promise<T | Failed> {
  try {
    return await ask()
  } catch (error) {
    if (!(error instanceof ToolError)) throw error
    return { failed: { kind: error.kind, message: error.message } }
  }
}
