/** From a response's setup and the conversation to the model's request. Pure. */
import type { ModelRequest } from '../dialect/neutral.ts'
import { type Entry, findEntry, type History, promptMessages } from './history.ts'
import type { Item } from './items.ts'
import { offerOf } from './offer.ts'
import type { ResponseSetup, State } from './state.ts'

export function buildRequest(state: State, setup: ResponseSetup): ModelRequest {
  const history = setup.input ? resolveInput(state.history, setup.input) : state.history
  const { temperature } = state.settings
  const { definitions } = offerOf(state, setup.tools)
  return {
    messages: promptMessages(history, instructionsFor(state, setup.instructions)),
    ...(definitions.length > 0 ? { tools: definitions, toolChoice: setup.toolChoice } : {}),
    ...(setup.maxOutputTokens === 'inf' ? {} : { maxTokens: setup.maxOutputTokens }),
    ...(temperature === undefined ? {} : { temperature }),
  }
}

/** A caller who changed the language is answered in the new one. */
function instructionsFor({ heard, settings }: State, instructions: string): string {
  if (!heard) return instructions
  const agreed = settings.language ?? heard.first
  if (primary(agreed) === primary(heard.now)) return instructions
  const name = new Intl.DisplayNames(['en'], { type: 'language' }).of(primary(heard.now)) ?? heard.now
  return `${instructions}\n\nThe caller speaks ${name} now. Answer in ${name}.`.trim()
}

function primary(tag: string): string {
  return tag.toLowerCase().split(/[-_]/)[0] ?? tag
}

/** Two requests with the same key would get the same answer, as far as a prompt decides it. */
export function promptKey(request: ModelRequest): string {
  return JSON.stringify(request)
}

/** What the prompt would be if the caller's words so far were all. */
export function withProvisionalWords(state: State, itemId: string, text: string): State {
  return { ...state, history: [...state.history, userEntry(itemId, null, text)] }
}

export function userEntry(id: string, turn: string | null, transcript: string | null): Entry {
  const item = {
    id,
    type: 'message',
    role: 'user',
    status: 'completed',
    parts: [{ type: 'audio', transcript }],
  } as const
  return { item, turn, said: null, heard: null }
}

export function entryOf(item: Item, turn: string | null): Entry {
  return { item, turn, said: null, heard: null }
}

function resolveInput(history: History, input: readonly (Item | string)[]): History {
  return input.flatMap((one) => {
    if (typeof one !== 'string') return [entryOf(one, null)]
    const entry = findEntry(history, one)
    return entry ? [entry] : []
  })
}
