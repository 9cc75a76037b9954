/**
 * A client's word on a call that waits for it: each request is answered once. What was approved is run once, whatever the caller
 * said meanwhile; what was denied the model is told, with the reason, as data. People take their time, and no turn waits for
 * them: a decision that comes after its turn begins one of its own, unless the caller or an answer has the floor.
 */
import type { Draft } from './draft.ts'
import { findEntry } from './history.ts'
import type { ApprovalRequestItem, ApprovalResponseItem, ServerCallItem } from './items.ts'
import { entryOf } from './prompt.ts'
import { beginResponse } from './reduce-response.ts'
import { bridgeTools } from './reduce-tools.ts'
import { openTurn } from './reduce-turn.ts'
import { setupOf } from './response.ts'
import { activeResponse, isCutting, utteranceOf } from './state.ts'

/** Refuses what answers no request of the conversation, and a second answer. */
export function acceptsApproval(d: Draft, { requestId }: ApprovalResponseItem, ref: string | null): boolean {
  const item = findEntry(d.state.history, requestId)?.item
  if (item?.type === 'approvalRequest' && item.decision === 'pending') return true
  const message =
    item?.type === 'approvalRequest'
      ? `Approval request '${requestId}' already has a response.`
      : `Approval request ID '${requestId}' not found in conversation.`
  d.refuse(ref, 'invalid_value', message, 'item.approval_request_id')
  return false
}

export function answerApproval(d: Draft, response: ApprovalResponseItem, at: number): void {
  const entry = findEntry(d.state.history, response.requestId)
  if (entry?.item.type !== 'approvalRequest') return
  const { decision, explanation } = response
  const request: ApprovalRequestItem = { ...entry.item, decision, explanation }
  d.changeEntry(request.id, (one) => ({ ...one, item: request }))
  if (decision === 'approved') return run(d, request, turnFor(d, entry.turn, at))
  // The model is told once all that its answer asked for is decided.
  if (d.state.history.some(({ item, turn }) => turn === entry.turn && isPending(item))) return
  const turn = turnFor(d, entry.turn, at)
  if (turn === null || !isFree(d)) return
  beginResponse(d, { turn, setup: setupOf(d.state), inConversation: true, after: 'serverTool' })
}

function isPending(item: { readonly type: string; readonly decision?: string }): boolean {
  return item.type === 'approvalRequest' && item.decision === 'pending'
}

function run(d: Draft, request: ApprovalRequestItem, turn: string | null): void {
  const { id, server, callId, outputIndex, name, access, arguments: text, thoughtSignature } = request
  const item: ServerCallItem = {
    id: d.id('item'),
    type: 'serverCall',
    server,
    callId,
    outputIndex,
    name,
    arguments: text,
    ...(thoughtSignature !== undefined && { thoughtSignature }),
    output: null,
    error: null,
    status: 'in_progress',
    approvalRequestId: id,
  }
  const added = d.addEntry(entryOf(item, turn))
  d.set({ tools: new Set(d.state.tools).add(callId) })
  d.emit({ type: 'itemAdded', item, previousItemId: added?.previousItemId ?? null })
  d.emit({ type: 'serverRunning', item })
  d.do({ do: 'callTool', call: { callId, name, arguments: text }, ...(access ? { access } : {}) })
  if (turn !== null && isFree(d) && d.state.settings.modality === 'audio') bridgeTools(d, turn, [item])
}

/** The turn that what follows belongs to; null: nothing follows, the outcome stands in the next prompt. */
function turnFor(d: Draft, asked: string | null, at: number): string | null {
  const { turn } = d.state
  if (turn && turn.id === asked) return asked
  if (!isFree(d)) return null
  const id = d.id('turn')
  openTurn(d, id, at)
  return id
}

function isFree(d: Draft): boolean {
  const { state } = d
  const heard = state.transcriptions.some(({ onFinal }) => onFinal === 'respond')
  return !activeResponse(state) && !utteranceOf(state)?.announced && !heard && !isCutting(state)
}
