/**
 * What the MCP servers offer that the client names: each is asked once, as an item of the conversation that everybody sees, and
 * asked again when it failed, when the client shows other credentials, or when it was left out meanwhile.
 */
import type { Draft } from './draft.ts'
import type { SessionEvent } from './events.ts'
import { findEntry, previousOf } from './history.ts'
import type { ListedToolsItem } from './items.ts'
import { type ClientTool, isNaming } from './mcp.ts'
import { entryOf } from './prompt.ts'
import { dropSpeculation } from './reduce-response.ts'

/** Asks each server of `tools` that is allowed and was not asked so before. */
export function nameServers(d: Draft, tools: readonly ClientTool[]): void {
  for (const { label, credentials = null } of tools.filter(isNaming)) {
    if (!d.state.settings.mcpServers?.some((server) => server.label === label)) continue
    const known = d.state.listings.get(label)
    if (known && known.state !== 'failed' && known.credentials === credentials) continue
    const item: ListedToolsItem = {
      id: d.id('item'),
      type: 'listedTools',
      server: label,
      tools: [],
      chars: 0,
      status: 'in_progress',
    }
    const listing = { itemId: item.id, state: 'listing', tools: [], credentials } as const
    d.set({ listings: new Map(d.state.listings).set(label, listing) })
    const added = d.addEntry(entryOf(item, null))
    d.emit({ type: 'itemAdded', item, previousItemId: added?.previousItemId ?? null })
    d.emit({ type: 'listingTools', itemId: item.id, status: 'in_progress' })
    d.do({ do: 'listTools', itemId: item.id, access: { label, credentials } })
  }
}

/**
 * Of servers that the session names no more, and of those that it begins to name: a response may have named them before, and
 * whoever names one waits to be told.
 */
export function forgetServers(d: Draft, before: readonly ClientTool[]): void {
  const labels = (tools: readonly ClientTool[]) => new Set(tools.filter(isNaming).map(({ label }) => label))
  const [was, is] = [labels(before), labels(d.state.settings.tools)]
  const listings = new Map(d.state.listings)
  for (const label of [...was, ...is]) if (was.has(label) !== is.has(label)) listings.delete(label)
  d.set({ listings })
}

/** The item is told whatever became of the listing; what it found counts only while nothing newer was asked. */
export function toolsListed(d: Draft, event: Extract<SessionEvent, { type: 'toolsListed' }>): void {
  const { itemId } = event
  const tools = event.tools ?? []
  for (const [label, listing] of d.state.listings) {
    if (listing.itemId !== itemId) continue
    const state = event.tools ? 'listed' : 'failed'
    d.set({ listings: new Map(d.state.listings).set(label, { ...listing, state, tools }) })
    dropSpeculation(d)
  }
  const entry = findEntry(d.state.history, itemId)
  if (entry?.item.type !== 'listedTools') return
  const chars = JSON.stringify(tools).length
  const item: ListedToolsItem = {
    ...entry.item,
    tools,
    chars,
    status: event.tools ? 'completed' : 'incomplete',
  }
  d.changeEntry(itemId, (one) => ({ ...one, item }))
  d.emit({ type: 'listingTools', itemId, status: event.tools ? 'completed' : 'failed' })
  d.emit({ type: 'itemDone', item, previousItemId: previousOf(d.state.history, itemId) })
}
