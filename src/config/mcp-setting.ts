/** `mcp` of `parley.yaml`: the MCP servers that clients may name among their tools. */
import { z } from 'zod'
import * as defaults from './defaults.ts'
import { bare } from './freeze.ts'
import { Secret } from './secret.ts'

export interface McpSetting {
  readonly label: string
  readonly url: string
  /** Headers of every request, as a JSON object of texts; null: none. */
  readonly headers: Secret | null
  readonly timeoutMs: number
  /** Of its tools those that may be offered; null: all. */
  readonly tools: readonly string[] | null
  readonly approval: 'client' | 'always'
  readonly clientCredentials: 'refuse' | 'forward'
}

const label = z
  .string()
  .max(64)
  .regex(/^[A-Za-z0-9_-]+$/, 'wants letters, digits, dashes and underscores')
  .refine((text) => text !== 'http', 'cannot be http: that is what HTTP tools are shown as')

const url = z
  .string()
  .max(2000)
  .refine((text) => {
    if (!URL.canParse(text)) return false
    const { protocol, username, password, hash } = new URL(text)
    return /^https?:$/.test(protocol) && username === '' && password === '' && hash === ''
  }, 'wants an http or https address without a password in it')

const headerText = z
  .string()
  .min(1)
  .max(8000)
  .regex(/^[\t\x20-\x7e]*$/, 'wants one line of ASCII')

export const mcpSettings = z
  .record(
    label,
    z.strictObject({
      url,
      authorization: headerText.optional(),
      headers: z
        .record(
          z
            .string()
            .max(128)
            .regex(/^[A-Za-z0-9-]+$/, 'wants the name of a header'),
          headerText,
        )
        .optional(),
      timeoutMs: z.int().min(100).max(600_000).default(defaults.TOOL_TIMEOUT_MS),
      tools: z.array(z.string().min(1).max(64)).max(128).optional(),
      approval: z.enum(['client', 'always']).default(defaults.MCP_APPROVAL),
      clientCredentials: z.enum(['refuse', 'forward']).default(defaults.MCP_CLIENT_CREDENTIALS),
    }),
  )
  .default({})

export function toMcpSettings(input: z.output<typeof mcpSettings>): Readonly<Record<string, McpSetting>> {
  return bare(
    Object.entries(input).map(([name, { authorization, headers = {}, tools = null, ...rest }]) => {
      const sent = {
        ...Object.fromEntries(Object.entries(headers).map(([key, value]) => [key.toLowerCase(), value])),
        ...(authorization === undefined ? {} : { authorization: `Bearer ${authorization}` }),
      }
      const secret = Object.keys(sent).length === 0 ? null : new Secret(JSON.stringify(sent))
      return [name, { label: name, headers: secret, tools, ...rest }]
    }),
  )
}
