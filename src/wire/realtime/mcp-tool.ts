/**
 * `{ type: "mcp" }` among a client's tools. Read here: its shape. Whether the server it names is allowed, at that address and with
 * those credentials, the session knows (`session/mcp.ts`).
 */
import { Secret } from '../../config/secret.ts'
import type { ApprovalRule, McpRequest, ToolFilter } from '../../session/mcp.ts'
import {
  asArray,
  asBoolean,
  asObject,
  asOneOf,
  asOpaqueObject,
  asString,
  asStringMap,
  type Json,
  missing,
  Refusal,
} from './check.ts'

const MAX_URL_CHARS = 2000
const MAX_TOKEN_CHARS = 8000
const MAX_NAMES = 128
const HEADERS = { pairs: 32, key: 128, value: MAX_TOKEN_CHARS } as const
const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/
/** What the protocol or the connection says by itself. */
const OUR_HEADERS =
  /^(host|content-.*|accept|connection|transfer-encoding|upgrade|te|trailer|keep-alive|expect|proxy-.*|mcp-.*|last-event-id)$/i
const ELSEWHERE = ['connector_id', 'tunnel_id'] as const

export function parseMcpTool(tool: Json, path: string): McpRequest {
  for (const member of ELSEWHERE) {
    if (tool[member] == null) continue
    const text = `'${member}' is not supported here: name an MCP server that this server's operator allows by 'server_label'.`
    throw new Refusal('invalid_value', text, `${path}.${member}`)
  }
  if (tool['server_label'] === undefined) throw missing(`${path}.server_label`)
  const label = asString(tool['server_label'], `${path}.server_label`, 64)
  const url = tool['server_url']
  const allowed = parseAllowed(tool['allowed_tools'], `${path}.allowed_tools`)
  const approval = parseApproval(tool['require_approval'], `${path}.require_approval`)
  const { authorization: _, headers: __, ...shown } = asOpaqueObject(tool, path)
  if (tool['server_description'] != null)
    asString(tool['server_description'], `${path}.server_description`, 4096)
  return {
    type: 'mcp',
    label,
    ...(url == null ? {} : { url: asString(url, `${path}.server_url`, MAX_URL_CHARS) }),
    ...(allowed === undefined ? {} : { allowed }),
    ...(approval === undefined ? {} : { approval }),
    ...parseCredentials(tool, path),
    shown: { ...shown, require_approval: tool['require_approval'] ?? 'always' },
  }
}

function parseCredentials(tool: Json, path: string): Pick<McpRequest, 'credentials' | 'secretMembers'> {
  const headers: Record<string, string> = {}
  const secretMembers: ('authorization' | 'headers')[] = []
  if (tool['headers'] != null) {
    const given = asStringMap(tool['headers'], `${path}.headers`, HEADERS)
    for (const [name, value] of Object.entries(given))
      headers[name.toLowerCase()] = checked(name, value, path)
    if (Object.keys(given).length > 0) secretMembers.push('headers')
  }
  if (tool['authorization'] != null) {
    const at = `${path}.authorization`
    const token = asString(tool['authorization'], at, MAX_TOKEN_CHARS)
    if (!isHeaderText(token) || token === '') throw new Refusal('invalid_value', `Invalid '${at}'.`, at)
    headers['authorization'] = `Bearer ${token}`
    secretMembers.push('authorization')
  }
  if (secretMembers.length === 0) return { secretMembers }
  return { credentials: new Secret(JSON.stringify(headers)), secretMembers }
}

/** The value, if it may be sent. A refusal says neither it nor more than the name's place. */
function checked(name: string, value: string, path: string): string {
  const at = `${path}.headers`
  if (!HEADER_NAME.test(name) || !isHeaderText(value))
    throw new Refusal('invalid_value', `Invalid '${at}': a name or a value is no HTTP header.`, at)
  if (!OUR_HEADERS.test(name)) return value
  throw new Refusal('invalid_value', `Invalid '${at}': '${name}' is not a client's to set.`, at)
}

function isHeaderText(text: string): boolean {
  return /^[\t\x20-\x7e]*$/.test(text)
}

/** A list of names, or a filter; undefined: every tool. */
function parseAllowed(value: unknown, path: string): ToolFilter | undefined {
  if (value == null) return undefined
  return Array.isArray(value) ? { names: parseNames(value, path) } : parseFilter(value, path)
}

function parseNames(value: unknown, path: string): readonly string[] {
  return asArray(value, path, MAX_NAMES).map((name, at) => asString(name, `${path}[${at}]`, 128))
}

function parseFilter(value: unknown, path: string): ToolFilter {
  const filter = asObject(value, path)
  const names = filter['tool_names']
  const readOnly = filter['read_only']
  return {
    ...(names == null ? {} : { names: parseNames(names, `${path}.tool_names`) }),
    ...(readOnly == null ? {} : { readOnly: asBoolean(readOnly, `${path}.read_only`) }),
  }
}

function parseApproval(value: unknown, path: string): ApprovalRule | undefined {
  if (value == null) return undefined
  if (typeof value === 'string') return asOneOf(value, path, ['always', 'never'])
  const rule = asObject(value, path)
  const part = (member: 'always' | 'never') =>
    rule[member] == null ? {} : { [member]: parseFilter(rule[member], `${path}.${member}`) }
  return { ...part('always'), ...part('never') }
}
