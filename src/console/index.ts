/**
 * Serves the console's page: the files that `vite build src/console/web` made, and nothing else. The page needs no
 * key; what it calls does. Its policy lets it load, and talk to, this origin only.
 */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance } from 'fastify'

/** Sent with every file of the page. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'microphone=(self), camera=(), geolocation=()',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
}

export interface ConsoleOptions {
  /** Where the built page lies; by default `dist/console/web`. */
  readonly root?: string
}

/** A Fastify plugin. Each file has its own route, so other plugins' paths and the 404 stay theirs. */
export async function consolePage(app: FastifyInstance, options: ConsoleOptions): Promise<void> {
  const root = options.root ?? builtPage()
  if (!existsSync(root)) {
    app.get('/', async (_request, reply) =>
      reply.code(503).headers(PAGE_HEADERS).type('text/plain').send('The page is not built: npm run build\n'),
    )
    return
  }
  await app.register(fastifyStatic, {
    root,
    wildcard: false,
    decorateReply: false,
    cacheControl: false,
    setHeaders: (reply, path) => {
      for (const [name, value] of Object.entries(PAGE_HEADERS)) reply.setHeader(name, value)
      // Names under assets/ hold a hash of what is in them.
      const forGood = /[\\/]assets[\\/]/.test(path)
      reply.setHeader('cache-control', forGood ? 'public, max-age=31536000, immutable' : 'no-cache')
    },
  })
}

/** Beside this file when compiled; from the sources, where the build puts it. */
function builtPage(): string {
  const here = import.meta.url
  return fileURLToPath(new URL(here.endsWith('.ts') ? '../../dist/console/web' : './web', here))
}
