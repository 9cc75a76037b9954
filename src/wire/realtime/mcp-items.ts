/** The items of MCP servers and of approvals, as the wire has them: members and no more than those of the API. */
import type {
  ApprovalRequestItem,
  ApprovalResponseItem,
  ListedToolsItem,
  ServerCallItem,
} from '../../session/items.ts'
import { asBoolean, asString, type Json } from './check.ts'

const MAX_REASON_CHARS = 4096

/** A client's word on a call. `id`: '' when the client gave none. */
export function parseApprovalResponse(item: Json, path: string, id: string): ApprovalResponseItem {
  const reason = item['reason']
  return {
    id,
    type: 'approvalResponse',
    requestId: asString(item['approval_request_id'], `${path}.approval_request_id`, 128),
    decision: asBoolean(item['approve'], `${path}.approve`) ? 'approved' : 'denied',
    explanation: reason == null ? null : asString(reason, `${path}.reason`, MAX_REASON_CHARS),
    status: 'completed',
  }
}

type McpItem = ApprovalRequestItem | ApprovalResponseItem | ListedToolsItem | ServerCallItem

export function wireMcpItem(item: McpItem): object {
  switch (item.type) {
    case 'serverCall':
      return {
        id: item.id,
        object: 'realtime.item',
        type: 'mcp_call',
        status: item.status,
        server_label: item.server,
        name: item.name,
        arguments: item.arguments,
        approval_request_id: item.approvalRequestId ?? null,
        output: item.output,
        error: item.error === null ? null : { type: 'tool_execution_error', message: item.error },
      }
    case 'approvalRequest':
      return {
        id: item.id,
        type: 'mcp_approval_request',
        server_label: item.server,
        name: item.name,
        arguments: objectText(item.arguments),
      }
    case 'approvalResponse':
      return {
        id: item.id,
        type: 'mcp_approval_response',
        approval_request_id: item.requestId,
        approve: item.decision === 'approved',
        reason: item.explanation,
      }
    case 'listedTools':
      return {
        id: item.id,
        type: 'mcp_list_tools',
        server_label: item.server,
        tools: item.tools.map(({ name, description = '', parameters = {}, annotations }) => ({
          name,
          // The Agents SDK's schema asks for a text.
          description,
          input_schema: parameters,
          annotations: annotations ?? null,
        })),
      }
  }
}

/** Who decides reads an object, and clients parse one: what is none is shown inside of one. The call itself would be refused. */
function objectText(text: string): string {
  if (text.trim() === '') return '{}'
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return text
  } catch {
    // Broken by the model.
  }
  return JSON.stringify({ arguments: text })
}
