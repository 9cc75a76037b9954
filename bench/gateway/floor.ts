/**
 * The floors of `bench:gateway`: what any gateway of `fastify` and `undici` must pay. `floor.js pass` hands the bytes on in
 * both directions; `floor.js rewrite` parses every JSON body and every event of a stream, changes `model`, and writes it again.
 * Both replace the caller's key by the provider's. Compiled by the benchmark as Parley itself is, so that both run the same way.
 */
import { fastify } from 'fastify'
import { Agent, type Dispatcher } from 'undici'

const [mode, port, upstream, key, model] = process.argv.slice(2)
const agent = new Agent({ connections: 256, pipelining: 1 })
const app = fastify({ logger: false })

function ask(body: string | Buffer): Promise<Dispatcher.ResponseData> {
  return agent.request({
    origin: upstream!,
    path: '/v1/chat/completions',
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body,
  })
}

interface Named {
  model: string
  stream?: boolean
}

if (mode === 'pass') {
  app.removeContentTypeParser('application/json')
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_, body, done) => done(null, body))
  app.post<{ Body: Buffer }>('/v1/chat/completions', async (request, reply) => {
    const answer = await ask(request.body)
    const { 'content-type': type, 'content-length': length } = answer.headers
    if (length === undefined) return stream(reply.hijack().raw, answer, (piece) => piece)
    return reply
      .code(answer.statusCode)
      .type(String(type))
      .send(Buffer.from(await answer.body.arrayBuffer()))
  })
} else {
  app.post<{ Body: Named }>('/v1/chat/completions', async (request, reply) => {
    const asked = request.body.model
    request.body.model = model!
    const answer = await ask(JSON.stringify(request.body))
    if (answer.statusCode === 200 && request.body.stream) {
      return stream(reply.hijack().raw, answer, rewriter(asked))
    }
    const body = (await answer.body.json()) as Named
    body.model = asked
    return reply.code(answer.statusCode).type('application/json').send(JSON.stringify(body))
  })
}

/** Pieces of a stream in, the whole events in them out, under the name the caller knows. */
function rewriter(name: string): (piece: Buffer) => string {
  const decoder = new TextDecoder()
  let rest = ''
  return (piece) => {
    const events = (rest + decoder.decode(piece, { stream: true })).split('\n\n')
    rest = events.pop()!
    let out = ''
    for (const event of events) {
      const data = event.slice('data: '.length)
      if (data === '[DONE]') out += 'data: [DONE]\n\n'
      else {
        const chunk = JSON.parse(data) as Named
        chunk.model = name
        out += `data: ${JSON.stringify(chunk)}\n\n`
      }
    }
    return out
  }
}

function stream(
  raw: import('node:http').ServerResponse,
  { statusCode, headers, body }: Dispatcher.ResponseData,
  change: (piece: Buffer) => string | Buffer,
): void {
  raw.writeHead(statusCode, { 'content-type': String(headers['content-type']), 'cache-control': 'no-cache' })
  body.on('data', (piece: Buffer) => {
    if (!raw.write(change(piece))) {
      body.pause()
      raw.once('drain', () => body.resume())
    }
  })
  body.on('end', () => raw.end())
  body.on('error', () => raw.destroy())
  raw.on('close', () => body.destroy())
}

// So that `--cpu-prof` gets to write.
process.on('SIGTERM', () => process.exit(0))
await app.listen({ host: '127.0.0.1', port: Number(port) })
