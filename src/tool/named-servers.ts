/**
 * The MCP servers that clients may name. One connection to each is shared by all sessions; a session whose client shows credentials of
 * its own has a connection of its own, which ends with the session.
 */
import type { McpSetting } from '../config/mcp-setting.ts'
import type { AllowedMcp, Hidden, McpAccess, McpTool } from '../stage/tools.ts'
import { ToolError } from '../stage/tools.ts'
import { McpServer } from './mcp.ts'

interface Own {
  readonly credentials: Hidden
  readonly server: McpServer
}

export class NamedServers {
  readonly allowed: readonly AllowedMcp[]
  readonly #settings: Readonly<Record<string, McpSetting>>
  readonly #note: (message: string) => void
  readonly #shared = new Map<string, McpServer>()
  /** By the session's signal, then by label: those with a client's own credentials, the newest of each. */
  readonly #own = new Map<AbortSignal, Map<string, Own>>()

  constructor(settings: Readonly<Record<string, McpSetting>>, note: (message: string) => void) {
    this.#settings = settings
    this.#note = note
    this.allowed = Object.values(settings).map(({ label, url, tools, approval, clientCredentials }) => ({
      label,
      url,
      clientCredentials,
      approval,
      tools,
      filler: null,
    }))
  }

  timeoutMs(label: string): number | undefined {
    return this.#setting(label)?.timeoutMs
  }

  /** Throws `ToolError`, or the signal's reason. */
  async list(access: McpAccess, signal: AbortSignal): Promise<readonly McpTool[]> {
    return this.of(access, signal).list(signal)
  }

  /** `session`: of the session that asks. Throws `ToolError` for one that is not allowed. */
  of({ label, credentials }: McpAccess, session: AbortSignal): McpServer {
    const setting = this.#setting(label)
    if (!setting) throw new ToolError('unknown', `There is no MCP server ${label}.`)
    if (credentials && setting.clientCredentials === 'forward')
      return this.#ownOf(setting, credentials, session)
    let server = this.#shared.get(label)
    if (!server) {
      server = this.#open(setting, null)
      this.#shared.set(label, server)
    }
    return server
  }

  async close(): Promise<void> {
    const own = [...this.#own.values()].flatMap((servers) => [...servers.values()])
    const all = [...this.#shared.values(), ...own.map(({ server }) => server)]
    this.#shared.clear()
    this.#own.clear()
    await Promise.all(all.map((server) => server.close()))
  }

  #setting(label: string): McpSetting | undefined {
    return Object.hasOwn(this.#settings, label) ? this.#settings[label] : undefined
  }

  #ownOf(setting: McpSetting, credentials: Hidden, session: AbortSignal): McpServer {
    session.throwIfAborted()
    let servers = this.#own.get(session)
    if (!servers) {
      servers = new Map()
      this.#own.set(session, servers)
      session.addEventListener('abort', () => this.#end(session), { once: true })
    }
    const known = servers.get(setting.label)
    if (known?.credentials === credentials) return known.server
    known?.server.retire()
    const server = this.#open(setting, credentials)
    servers.set(setting.label, { credentials, server })
    return server
  }

  #end(session: AbortSignal): void {
    for (const { server } of this.#own.get(session)?.values() ?? []) void server.close()
    this.#own.delete(session)
  }

  #open({ label, url, timeoutMs, headers }: McpSetting, credentials: Hidden | null): McpServer {
    return new McpServer({
      label,
      url,
      timeoutMs,
      // The operator's own win over a client's.
      headers: () => ({ ...textsOf(credentials), ...textsOf(headers) }),
      // What a client's own credentials do not open is the client's to know.
      onFailed: () => !credentials && this.#note(`mcp.${label}: its MCP server cannot be reached`),
    })
  }
}

function textsOf(headers: Hidden | null): Readonly<Record<string, string>> {
  return headers ? JSON.parse(headers.reveal()) : {}
}
