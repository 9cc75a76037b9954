/**
 * Every request's first step, WebSocket upgrades included: Fastify runs `onRequest` before the upgrade, so that
 * a refused one is answered with 401 or 403 in HTTP.
 *
 *     preflight? ─► answer    no keys: Host, Origin ─► 403    keys: secret ─► 401    then request.caller, the route
 *                                                     client secret: 401, or 403 off the endpoints it is for
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { anthropicError, ERRORS, type ErrorCode, openaiError } from '../errors.ts'
import { type ClientSecrets, type Grant, isClientSecret } from './client-secrets.ts'
import { addCorsHeaders, answerPreflight, isPreflight } from './cors.ts'
import { presentedSecret } from './credentials.ts'
import { type Caller, type HashedKey, KeyRing } from './key-ring.ts'
import { isLoopbackAuthority, type OriginRules, originAllowed } from './origin.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The key the request came in with; null where none is configured, and on public paths. */
    caller: Caller | null
    /** What the client secret it came in with carries; null when it came with a key, or with nothing. */
    grant: Grant | null
  }
}

/** The part of the settings that access asks. */
export interface AccessSettings {
  readonly keys: readonly HashedKey[]
  readonly origins: readonly string[]
  readonly listen: { readonly publicUrl: string | null }
}

export interface AccessOptions {
  readonly settings: AccessSettings
  /**
   * Routes that need no key, written as they are registered: `/healthz`, `/`, `/assets/*`. A pattern that ends in
   * `/*` also opens the routes registered one by one below it; `/*` alone opens only a route registered as `/*`.
   */
  readonly publicPaths: readonly string[]
  /** Left out: there are no client secrets. */
  readonly secrets?: ClientSecrets
  /** Routes that a client secret opens, written as they are registered: no others. */
  readonly secretPaths?: readonly string[]
}

/** Adds the hook to `app` itself, not to a scope of its own: all its routes are guarded, whenever they are added. */
export function accessPlugin(app: FastifyInstance, options: AccessOptions): void {
  const { settings, publicPaths, secrets, secretPaths = [] } = options
  const ring = new KeyRing(settings.keys)
  const rules: OriginRules = { origins: settings.origins, publicUrl: settings.listen.publicUrl }
  const isPublic = publicRoutes(publicPaths)
  app.decorateRequest('caller', null)
  app.decorateRequest('grant', null)
  app.addHook('onRequest', (request, reply, done) => {
    addCorsHeaders(request, reply, rules.origins)
    if (ring.empty) {
      const refused = refuseForeign(request, rules)
      if (refused) return refuse(reply, ...refused)
    }
    if (isPreflight(request)) {
      const { origin, host } = request.headers
      if (originAllowed(origin, host, rules)) return void answerPreflight(request, reply)
      return refuse(reply, 'origin_not_allowed', 'This page may not call this server.')
    }
    if (isPublic(request.routeOptions.url)) return done()
    const secret = presentedSecret(request.headers)
    if (secret !== null) request.caller = ring.find(secret)
    if (request.caller !== null) return done()
    if (secret !== null && secrets && isClientSecret(secret)) {
      secrets.find(secret).then((holder) => {
        if (holder === null) {
          return refuse(reply, 'invalid_api_key', 'The client secret is not known, or has expired.')
        }
        if (!secretPaths.includes(request.routeOptions.url ?? '')) {
          const message = 'A client secret opens Realtime sessions and nothing else.'
          return refuse(reply, 'client_secret_not_allowed', message)
        }
        request.caller = holder.caller
        request.grant = holder.grant
        done()
      }, done)
      return
    }
    if (ring.empty) return done()
    if (secret === null) {
      return refuse(reply, 'missing_api_key', 'A key is needed: send it as Authorization: Bearer KEY.')
    }
    refuse(reply, 'invalid_api_key', 'The key is not known to this server.')
  })
}

function refuseForeign(request: FastifyRequest, rules: OriginRules): [ErrorCode, string] | undefined {
  const { host, origin } = request.headers
  if (!isLoopbackAuthority(host)) {
    return ['host_not_allowed', 'Without keys this server answers only to localhost and 127.0.0.1.']
  }
  if (!originAllowed(origin, host, rules))
    return ['origin_not_allowed', 'This page may not call this server.']
  return undefined
}

/** In the shape that the client of Anthropic's API knows, where it is one. */
function refuse(reply: FastifyReply, code: ErrorCode, message: string): void {
  const { status } = ERRORS[code]
  if (status === 401) reply.header('www-authenticate', 'Bearer')
  const isAnthropic = reply.request.headers['anthropic-version'] !== undefined
  reply.code(status).send(isAnthropic ? anthropicError(code, message) : openaiError(code, message))
}

/** Judged by the route that matched and not by the path as sent, which can be written in many ways. */
function publicRoutes(patterns: readonly string[]): (route: string | undefined) => boolean {
  const exact = new Set(patterns)
  const prefixes = patterns.filter((p) => p.endsWith('/*') && p !== '/*').map((p) => p.slice(0, -1))
  return (route) => route !== undefined && (exact.has(route) || prefixes.some((p) => route.startsWith(p)))
}
