/** `parley.yaml` read, checked and made immutable. Keys are hashed here; their plain text goes no further. */
import { createHash } from 'node:crypto'
import { accessSync, constants, existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { ModelFields } from '../catalog/fields.ts'
import { canonicalProvider } from '../catalog/names.ts'
import type { PriceSetting } from '../price/pricing.ts'
import { bare, deepFreeze } from './freeze.ts'
import { check, unknownMember } from './issues.ts'
import { type McpSetting, toMcpSettings } from './mcp-setting.ts'
import { ConfigError, hasErrors, inOrder, type Position, type Problem } from './problem.ts'
import { read } from './read-file.ts'
import { Secret } from './secret.ts'
import { PROVIDER_MEMBERS, type SettingsInput, settingsSchema } from './settings-schema.ts'
import { suggest } from './suggest.ts'
import { readYaml, type YamlSource } from './yaml-source.ts'

export interface KeySetting {
  readonly id: string
  /** SHA-256 of the secret, hex. */
  readonly sha256: string
  readonly attributes: Readonly<Record<string, string>>
  /** null: `limits.sessionsPerKey`. */
  readonly maxSessions: number | null
  /** Of all its sessions; null: `limits.inputBytesPerSecondPerKey`. */
  readonly inputBytesPerSecond: number | null
  /** null: `limits.responsesPerMinute`. */
  readonly responsesPerMinute: number | null
}

export interface ApiKeySetting {
  readonly id: string
  readonly key: Secret
  /** Its share of sessions, against those of the others. */
  readonly weight: number
}

export interface ProviderSetting {
  readonly name: string
  /** Which adapter: `openai`, `local`, …; the name itself when not given. */
  readonly type: string
  readonly apiKey: Secret | null
  /** Several, by names that may be shown; empty: `apiKey` alone, or none. */
  readonly apiKeys: readonly ApiKeySetting[]
  /** Without a slash at the end; null: the provider's own. */
  readonly baseUrl: string | null
  /** Members that only this provider knows, as written. May hold secrets: never logged. */
  readonly options: Readonly<Record<string, unknown>>
  readonly at: Position
}

/** A telephone bridge, by its name. */
export interface BridgeSetting {
  readonly name: string
  /** The bridge's own secret, which it signs with. */
  readonly authToken: Secret | null
  /** Shown on the media socket: in its path, its query, as a bearer, or as a parameter at the start. */
  readonly token: Secret | null
  /** Shown on the media socket by HTTP Basic. */
  readonly username: string | null
  readonly password: Secret | null
  /** The id of the key calls act for. */
  readonly key: string | null
  /** null: the default pipeline. */
  readonly pipeline: string | null
  /** Shown to whom we call; null: each request says. */
  readonly from: string | null
  /** Beginnings of the numbers that may be called; empty: none. */
  readonly dial: readonly string[]
  /** Members that only this bridge knows, as written. May hold secrets: never logged. */
  readonly options: Readonly<Record<string, unknown>>
  readonly at: Position
}

export interface RecordingSetting {
  /** A full path. */
  readonly dir: string
  readonly audio: 'keep' | 'drop'
  readonly redact: readonly ('text' | 'metadata' | 'user')[]
  /** Of one session's file. */
  readonly maxMb: number
  /** null: kept for ever. */
  readonly keepDays: number | null
}

export interface Settings {
  /** null: no file, all defaults. */
  readonly file: string | null
  readonly listen: {
    readonly host: string
    /** 0: any free one. */
    readonly port: number
    readonly publicUrl: string | null
    /** Paths of PEM files. */
    readonly tls: { readonly certFile: string; readonly keyFile: string } | null
    readonly webrtc: {
      /** First and last; null: any free ones. A call takes one or two for each address. */
      readonly udpPorts: readonly [number, number] | null
      readonly publicAddress: string | null
    }
  }
  /** Empty: no key is needed, and only this machine is answered. */
  readonly keys: readonly KeySetting[]
  readonly providers: Readonly<Record<string, ProviderSetting>>
  /** By target, above the published ones. */
  readonly prices: Readonly<Record<string, PriceSetting>>
  /** By target, 0–1, for `sort: [quality]`. */
  readonly quality: Readonly<Record<string, number>>
  /** By target: models that the catalogue lacks, and corrections to those it has. */
  readonly catalog: Readonly<Record<string, ModelFields>>
  readonly telephony: Readonly<Record<string, BridgeSetting>>
  /** By label: the MCP servers that clients may name. */
  readonly mcp: Readonly<Record<string, McpSetting>>
  readonly limits: {
    readonly sessions: number
    /** null: as many as the server. */
    readonly sessionsPerKey: number | null
    readonly sessionMinutes: number
    /** Of one session. */
    readonly inputBytesPerSecond: number
    /** Of all sessions of one key; null: no further limit. */
    readonly inputBytesPerSecondPerKey: number | null
    /** Of one key; null: no limit. */
    readonly responsesPerMinute: number | null
    readonly turnsKept: number
  }
  readonly gateway: {
    /** To the first useful output of a request that names no pipeline. */
    readonly firstOutputMs: number
    /** The longest pause inside an answer. */
    readonly idleMs: number
    /** Of an answer that is not streamed. */
    readonly answerMs: number
    readonly bodyMb: number
    /** Whether a request may carry its own key for a provider. */
    readonly clientKeys: 'refused' | 'allowed'
    /** Of one file of sound. */
    readonly audioMb: number
    readonly audioMinutes: number
    /** Requests to speak and to transcribe together. */
    readonly audioAtOnce: number
    /** Of one text to be spoken. */
    readonly speechChars: number
  }
  readonly origins: readonly string[]
  /** null: no session is recorded. */
  readonly recording: RecordingSetting | null
  readonly speechCache: {
    readonly memoryMb: number
    /** Null: nothing of it is on disk. */
    readonly dir: string | null
    readonly diskMb: number
    /** How often a sentence of an answer must have been said; 0: none is kept. */
    readonly sentencesAfter: number
    readonly sentences: 'memory' | 'disk'
  }
  readonly log: {
    readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'
    readonly transcripts: boolean
  }
  readonly warnings: readonly Problem[]
}

export interface SettingsRequest {
  /** Left out: `parley.yaml` of the working folder where there is one, else all defaults. */
  readonly file?: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** From the command line; wins over the file. */
  readonly listen?: { readonly host?: string; readonly port?: number }
}

const USUAL_FILE = 'parley.yaml'

/** Throws `ConfigError` and nothing else. */
export function loadSettings(request: SettingsRequest): Settings {
  const file = request.file ?? (existsSync(USUAL_FILE) ? USUAL_FILE : null)
  let text = ''
  if (file !== null) {
    const problems: Problem[] = []
    const found = read(file, (where, message) =>
      problems.push({ file: where, line: 1, column: 1, severity: 'error', message }),
    )
    if (found === undefined) throw new ConfigError(problems)
    text = found
  }
  return parseSettings(text, file, request)
}

/** As `loadSettings`, of a text already read; `file` names it in problems and is what TLS paths are relative to. */
export function parseSettings(
  text: string,
  file: string | null,
  request: Omit<SettingsRequest, 'file'>,
): Settings {
  const source = readYaml(text, file ?? USUAL_FILE, { from: request.env })
  const { value: input, problems } = check(settingsSchema, source)
  if (!input) throw new ConfigError(inOrder(problems))
  const settings = build(input, file, source, request)
  const found = [...problems, ...lint(settings, input, source)]
  if (hasErrors(found)) throw new ConfigError(inOrder(found))
  return deepFreeze({ ...settings, warnings: inOrder(found) })
}

function build(
  input: SettingsInput,
  file: string | null,
  source: YamlSource,
  request: Omit<SettingsRequest, 'file'>,
): Settings {
  const { tls } = input.listen
  const folder = file === null ? '.' : dirname(file)
  return {
    file,
    listen: {
      host: request.listen?.host ?? input.listen.host,
      port: request.listen?.port ?? input.listen.port,
      publicUrl: input.listen.publicUrl?.replace(/\/+$/, '') ?? null,
      tls: tls ? { certFile: resolve(folder, tls.cert), keyFile: resolve(folder, tls.key) } : null,
      webrtc: {
        udpPorts: input.listen.webrtc.udpPorts ?? null,
        publicAddress: input.listen.webrtc.publicAddress ?? null,
      },
    },
    keys: input.keys.map((key) => ({
      id: key.id,
      sha256: createHash('sha256').update(key.secret).digest('hex'),
      attributes: bare(Object.entries(key.attributes)),
      maxSessions: key.limits.sessions ?? null,
      inputBytesPerSecond: key.limits.inputBytesPerSecond ?? null,
      responsesPerMinute: key.limits.responsesPerMinute ?? null,
    })),
    providers: bare(
      Object.entries(input.providers).map(([name, given]) => {
        const { type, apiKey, apiKeys = [], baseUrl, ...options } = given ?? {}
        const setting: ProviderSetting = {
          name,
          type: type ?? name,
          apiKey: apiKey === undefined ? null : new Secret(apiKey),
          apiKeys: apiKeys.map(({ id, key, weight }) => ({ id, key: new Secret(key), weight })),
          baseUrl: baseUrl?.replace(/\/+$/, '') ?? null,
          options,
          at: source.atKey(['providers'], name),
        }
        return [name, setting]
      }),
    ),
    prices: bare(Object.entries(input.prices)),
    quality: bare(Object.entries(input.quality)),
    catalog: bare(Object.entries(input.catalog)),
    telephony: bare(
      Object.entries(input.telephony).map(([name, given]) => {
        const { authToken, token, username, password, key, pipeline, from, dial, ...options } = given ?? {}
        const secret = (value: string | undefined) => (value === undefined ? null : new Secret(value))
        const setting: BridgeSetting = {
          name,
          authToken: secret(authToken),
          token: secret(token),
          username: username ?? null,
          password: secret(password),
          key: key ?? null,
          pipeline: pipeline ?? null,
          from: from ?? null,
          dial: dial ?? [],
          options,
          at: source.atKey(['telephony'], name),
        }
        return [name, setting]
      }),
    ),
    mcp: toMcpSettings(input.mcp),
    limits: {
      ...input.limits,
      sessionsPerKey: input.limits.sessionsPerKey ?? null,
      inputBytesPerSecondPerKey: input.limits.inputBytesPerSecondPerKey ?? null,
      responsesPerMinute: input.limits.responsesPerMinute ?? null,
    },
    gateway: input.gateway,
    origins: input.origins,
    recording: input.recording
      ? {
          ...input.recording,
          dir: resolve(folder, input.recording.dir),
          keepDays: input.recording.keepDays ?? null,
        }
      : null,
    speechCache: {
      ...input.speechCache,
      dir: input.speechCache.dir === undefined ? null : resolve(folder, input.speechCache.dir),
    },
    log: input.log,
    warnings: [],
  }
}

function lint(settings: Settings, input: SettingsInput, source: YamlSource): Problem[] {
  const problems: Problem[] = []
  const { host, tls } = settings.listen
  if (settings.keys.length === 0 && !isLoopbackHost(host)) {
    const why = 'listening beyond this machine needs keys: anyone who reaches it could talk at your expense'
    problems.push(source.problem(['listen', 'host'], `${why} (add keys, or listen on 127.0.0.1)`))
  }
  if (tls) {
    for (const [member, path] of [['cert', tls.certFile] as const, ['key', tls.keyFile] as const]) {
      if (!readable(path))
        problems.push(
          source.problem(['listen', 'tls', member], `listen.tls.${member}: the file cannot be read`),
        )
    }
  }
  input.keys.forEach((key, i) => {
    if (key.secret.length >= 16) return
    const message = `the secret of key ${key.id} is short: 16 characters or more cannot be guessed`
    problems.push(source.problem(['keys', i, 'secret'], message, 'warning'))
  })
  for (const { name, options, apiKey, apiKeys } of Object.values(settings.providers)) {
    if (apiKey !== null && apiKeys.length > 0) {
      const why = 'beside apiKey: which of them is meant? Give one of the two'
      problems.push(source.problem(['providers', name, 'apiKeys'], `providers.${name}.apiKeys ${why}`))
    }
    for (const member of Object.keys(options)) {
      const near = suggest(member, PROVIDER_MEMBERS)
      if (near === undefined) continue
      const at = source.atKey(['providers', name], member)
      problems.push({ ...at, severity: 'error', message: unknownMember(`providers.${name}.${member}`, near) })
    }
  }
  for (const [name, bridge] of Object.entries(settings.telephony)) {
    if (bridge.key === null || settings.keys.some((key) => key.id === bridge.key)) continue
    problems.push(source.problem(['telephony', name, 'key'], `telephony.${name}.key: no key has this id`))
  }
  return problems
}

/** A warning for each provider whose type is not among `types`, the adapters there are, nor another name of one. */
export function checkProviders(settings: Settings, types: Iterable<string>): Problem[] {
  const known = [...types]
  return Object.values(settings.providers)
    .filter(({ type }) => !known.includes(type) && !known.includes(canonicalProvider(type)))
    .map((provider) => {
      const near = suggest(provider.type, known)
      const hint = near === undefined ? `there are ${known.join(', ')}` : `did you mean ${near}?`
      const message = `providers.${provider.name}: no adapter of the type ${provider.type}; ${hint}`
      return { ...provider.at, severity: 'warning', message }
    })
}

/** Names and addresses that only this machine can reach. */
export function isLoopbackHost(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[(.*)\]$/, '$1')
  return name === 'localhost' || name === '::1' || /^127(\.\d{1,3}){3}$/.test(name)
}

function readable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK)
    return true
  } catch {
    return false
  }
}
