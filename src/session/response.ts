/** A response of the conversation at its beginning: what it runs with, and what is shown of it. Pure. */
import type { Draft } from './draft.ts'
import type { Voicing } from './effects.ts'
import type { Item } from './items.ts'
import type { ResponseEnding, ResponseView } from './output.ts'
import type { Response, ResponseSetup, State } from './state.ts'

export function setupOf(state: State): ResponseSetup {
  const s = state.settings
  return {
    instructions: s.instructions,
    modality: s.modality,
    voice: s.voice,
    tools: s.tools,
    toolsOf: 'session',
    toolChoice: s.toolChoice,
    maxOutputTokens: s.maxOutputTokens,
    metadata: null,
    input: null,
  }
}

export function newResponse(
  d: Draft,
  facts: Pick<Response, 'turn' | 'setup' | 'inConversation' | 'phase' | 'revision' | 'after'>,
): Response {
  const response: Response = {
    ...facts,
    id: d.id('resp'),
    itemId: d.id('item'),
    promptKey: '',
    started: false,
    calls: [],
    thought: null,
    spoken: null,
    ending: null,
  }
  d.response(response)
  return response
}

export function voicingOf({ setup, itemId }: Response): Voicing {
  return { modality: setup.modality, voice: setup.voice, itemId, outputIndex: 0 }
}

export function viewOf(
  response: Response,
  ending: ResponseEnding | null,
  output: readonly Item[],
): ResponseView {
  const { setup } = response
  return {
    id: response.id,
    ending,
    output,
    inConversation: response.inConversation,
    modality: setup.modality,
    voice: setup.voice,
    maxOutputTokens: setup.maxOutputTokens,
    usage: response.thought?.usage ?? null,
    metadata: setup.metadata,
  }
}
