/** The shape of `parley.yaml`. */
import { z } from 'zod'
import { modelFields } from '../catalog/fields.ts'
import * as defaults from './defaults.ts'
import { mcpSettings } from './mcp-setting.ts'

const ID = /^[A-Za-z0-9][A-Za-z0-9._-]*$/
const id = z
  .string()
  .max(64)
  .regex(ID, 'wants letters, digits, dots, dashes and underscores, beginning with a letter or digit')

const url = (schemes: readonly string[], extra: (url: URL) => boolean, wants: string) =>
  z
    .string()
    .max(2000)
    .refine((text) => {
      if (!URL.canParse(text)) return false
      const parsed = new URL(text)
      const clean = parsed.username === '' && parsed.password === '' && parsed.hash === ''
      return clean && schemes.includes(parsed.protocol) && extra(parsed)
    }, wants)

const publicUrl = url(
  ['http:', 'https:'],
  (u) => u.search === '',
  'wants the address callers reach the server at, such as https://voice.example.com',
)
const baseUrl = url(
  ['http:', 'https:', 'ws:', 'wss:'],
  () => true,
  'wants an http, https, ws or wss address, without a password in it',
)
const origin = z
  .string()
  .max(300)
  .refine(
    (text) => URL.canParse(text) && new URL(text).origin === text && text !== 'null',
    'wants an origin such as https://app.example.com: no path, no slash at the end',
  )

/** Environment variables are text, so `port: ${PORT}` arrives as digits. */
const port = z
  .union([
    z.int().min(0).max(65_535),
    z
      .string()
      .regex(/^\d{1,5}$/, 'wants a port number')
      .transform(Number),
  ])
  .refine((value) => value <= 65_535, 'wants a port number')

const attribute = z.union([z.string().max(500), z.number(), z.boolean()]).transform(String)

const apiKey = z.string().min(1).max(8000)
/** Each is a candidate of every request; a run makes 24 attempts at most. */
const apiKeys = z
  .array(z.strictObject({ id, key: apiKey, weight: z.number().gt(0).max(1_000_000).default(1) }))
  .min(1)
  .max(32)
  .refine((keys) => new Set(keys.map((one) => one.id)).size === keys.length, 'must have a different id each')
  .refine(
    (keys) => new Set(keys.map((one) => one.key)).size === keys.length,
    'must have a different key each',
  )

const provider = z
  .looseObject({
    type: id.optional(),
    apiKey: apiKey.optional(),
    apiKeys: apiKeys.optional(),
    baseUrl: baseUrl.optional(),
  })
  .nullable()

const bridge = z.looseObject({
  authToken: z.string().min(1).max(1000).optional(),
  /** In paths and queries, so of their letters. */
  token: z
    .string()
    .regex(/^[A-Za-z0-9_-]{16,200}$/, 'wants 16 to 200 letters, digits, dashes and underscores')
    .optional(),
  username: z.string().min(1).max(200).optional(),
  password: z.string().min(8).max(1000).optional(),
  key: id.optional(),
  pipeline: z.string().min(1).optional(),
  from: z
    .string()
    .regex(/^\+[1-9]\d{3,14}$/, 'wants a number such as +4930123456')
    .optional(),
  dial: z
    .array(z.string().regex(/^\+\d{0,15}$/, 'wants the beginning of numbers, such as +49'))
    .max(1000)
    .optional(),
})

const target = z
  .string()
  .max(200)
  .regex(/^[^/\s]+\/\S+$/, 'wants provider/model, without spaces')
const usd = z.number().min(0).max(1_000_000).optional()
const price = z
  .strictObject({
    usdPerMillionInputTokens: usd,
    usdPerMillionOutputTokens: usd,
    usdPerMinute: usd,
    usdPerThousandChars: usd,
  })
  .refine((one) => Object.values(one).some((value) => value !== undefined), 'wants at least one price')

const perMinute = z.int().min(1).max(1_000_000)
/** Below a thousand not even G.711 gets through. */
const bytesPerSecond = z.int().min(1000).max(1_000_000_000)
const sessions = z.int().min(1).max(100_000)

export const settingsSchema = z.strictObject({
  $schema: z.string().optional(),
  listen: z
    .strictObject({
      host: z
        .string()
        .min(1)
        .max(253)
        .regex(/^[A-Za-z0-9.:_-]+$/, 'wants a host name or an address')
        .default(defaults.HOST),
      port: port.default(defaults.PORT),
      publicUrl: publicUrl.optional(),
      tls: z.strictObject({ cert: z.string().min(1), key: z.string().min(1) }).optional(),
      webrtc: z
        .strictObject({
          udpPorts: z
            .tuple([z.int().min(1024).max(65_535), z.int().min(1024).max(65_535)])
            .refine(([first, last]) => first <= last, 'wants the lower port first')
            .optional(),
          publicAddress: z.union([z.ipv4(), z.ipv6()], 'wants an IP address, such as 203.0.113.7').optional(),
        })
        .prefault({}),
    })
    .prefault({}),
  keys: z
    .array(
      z.strictObject({
        id,
        secret: z.string().min(1).max(1000),
        attributes: z.record(z.string().max(64), attribute).default({}),
        limits: z
          .strictObject({
            sessions: sessions.optional(),
            inputBytesPerSecond: bytesPerSecond.optional(),
            responsesPerMinute: perMinute.optional(),
          })
          .prefault({}),
      }),
    )
    .max(10_000)
    .refine(
      (keys) => new Set(keys.map((key) => key.id)).size === keys.length,
      'must have a different id each',
    )
    .refine(
      (keys) => new Set(keys.map((key) => key.secret)).size === keys.length,
      'must have a different secret each',
    )
    .default([]),
  providers: z.record(id, provider).default({}),
  prices: z.record(target, price).default({}),
  quality: z.record(target, z.number().min(0).max(1)).default({}),
  catalog: z.record(target, modelFields).default({}),
  telephony: z.record(id, bridge.nullable()).default({}),
  mcp: mcpSettings,
  limits: z
    .strictObject({
      sessions: sessions.default(defaults.MAX_SESSIONS),
      sessionsPerKey: sessions.optional(),
      sessionMinutes: z.number().gt(0).max(1440).default(defaults.SESSION_MINUTES),
      inputBytesPerSecond: bytesPerSecond.default(defaults.INPUT_BYTES_PER_SECOND),
      inputBytesPerSecondPerKey: bytesPerSecond.optional(),
      responsesPerMinute: perMinute.optional(),
      turnsKept: z.int().min(0).max(1_000_000).default(defaults.TURNS_KEPT),
    })
    .prefault({}),
  gateway: z
    .strictObject({
      firstOutputMs: z.int().min(100).max(3_600_000).default(defaults.GATEWAY_FIRST_OUTPUT_MS),
      idleMs: z.int().min(100).max(3_600_000).default(defaults.GATEWAY_IDLE_MS),
      answerMs: z.int().min(100).max(3_600_000).default(defaults.GATEWAY_ANSWER_MS),
      bodyMb: z.number().gt(0).max(512).default(defaults.GATEWAY_BODY_MB),
      clientKeys: z.enum(['refused', 'allowed']).default(defaults.GATEWAY_CLIENT_KEYS),
      audioMb: z.number().gt(0).max(512).default(defaults.GATEWAY_AUDIO_MB),
      audioMinutes: z.number().gt(0).max(600).default(defaults.GATEWAY_AUDIO_MINUTES),
      audioAtOnce: z.int().min(1).max(1000).default(defaults.GATEWAY_AUDIO_AT_ONCE),
      speechChars: z.int().min(1).max(100_000).default(defaults.GATEWAY_SPEECH_CHARS),
    })
    .prefault({}),
  origins: z.array(origin).max(1000).default([]),
  recording: z
    .strictObject({
      dir: z.string().min(1).max(1000),
      audio: z.enum(['keep', 'drop']).default(defaults.RECORDED_AUDIO),
      redact: z
        .array(z.enum(['text', 'metadata', 'user']))
        .max(10)
        .default([]),
      maxMb: z.number().gt(0).max(512).default(defaults.RECORDING_MB),
      keepDays: z.number().gt(0).max(36_500).optional(),
    })
    .optional(),
  speechCache: z
    .strictObject({
      memoryMb: z.number().gt(0).max(65_536).default(defaults.SPEECH_CACHE_MB),
      dir: z.string().min(1).max(1000).optional(),
      diskMb: z.number().gt(0).max(1_048_576).default(defaults.SPEECH_CACHE_DISK_MB),
      sentencesAfter: z.int().min(0).max(1_000_000).default(defaults.SPEECH_CACHE_SENTENCES_AFTER),
      sentences: z.enum(['memory', 'disk']).default(defaults.SPEECH_CACHE_SENTENCES),
    })
    .prefault({}),
  log: z
    .strictObject({
      level: z
        .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
        .default(defaults.LOG_LEVEL),
      transcripts: z.boolean().default(defaults.LOG_TRANSCRIPTS),
    })
    .prefault({}),
})

export type SettingsInput = z.output<typeof settingsSchema>

/** The members of a provider that Parley itself knows; all others belong to the provider. */
export const PROVIDER_MEMBERS = ['type', 'apiKey', 'apiKeys', 'baseUrl'] as const
