/**
 * A backend whose page talks to Parley by itself, without ever seeing the key: it asks the backend for a client secret,
 * which says who the user is and what they may have, and shows that to Parley.
 *
 *     PARLEY_KEY=… npx tsx examples/client-secret.ts        then open http://localhost:3000
 *
 * PARLEY_URL   http://127.0.0.1:8080/v1 unless set; Parley's `origins` need http://localhost:3000
 * PARLEY_KEY   needed where the server has keys
 * PORT         3000 unless set
 */
import { createServer } from 'node:http'
import OpenAI from 'openai'

const { PARLEY_URL = 'http://127.0.0.1:8080/v1', PARLEY_KEY = 'none', PORT = '3000' } = process.env
const client = new OpenAI({ apiKey: PARLEY_KEY, baseURL: PARLEY_URL })

/** Here a real backend looks at its own login. What is said here of the user, the page cannot change. */
async function secretFor(user: string): Promise<string> {
  // The SDK's types know nothing of it, so it comes by a spread.
  const ours = { providerData: { parley: { user, metadata: { tier: 'free' } } } }
  const { value } = await client.realtime.clientSecrets.create({
    expires_after: { anchor: 'created_at', seconds: 60 },
    session: {
      type: 'realtime',
      output_modalities: ['text'],
      instructions: 'Answer in one sentence.',
      ...ours,
    },
  })
  return value
}

const PAGE = `<!doctype html>
<title>Parley by a client secret</title>
<form><input name="text" value="Hello! Who are you?" size="40"> <button disabled>Ask</button></form>
<pre></pre>
<script type="module">
  const out = document.querySelector('pre')
  const { value } = await (await fetch('/secret', { method: 'POST' })).json()
  const socket = new WebSocket('${PARLEY_URL.replace(/^http/, 'ws')}/realtime', ['realtime', 'openai-insecure-api-key.' + value])
  socket.onopen = () => (document.querySelector('button').disabled = false)
  socket.onmessage = ({ data }) => {
    const event = JSON.parse(data)
    if (event.type === 'response.output_text.delta') out.textContent += event.delta
    if (event.type === 'response.done') out.textContent += '\\n'
    if (event.type === 'error') out.textContent += event.error.message + '\\n'
  }
  document.querySelector('form').onsubmit = (submitted) => {
    submitted.preventDefault()
    const { value: text } = submitted.target.text
    const item = { type: 'message', role: 'user', content: [{ type: 'input_text', text }] }
    socket.send(JSON.stringify({ type: 'conversation.item.create', item }))
    socket.send(JSON.stringify({ type: 'response.create' }))
  }
</script>
`

createServer(async (request, response) => {
  if (request.method === 'GET') return response.setHeader('content-type', 'text/html').end(PAGE)
  if (request.url !== '/secret') return response.writeHead(404).end()
  try {
    const value = await secretFor('ann')
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ value }))
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    response.writeHead(502).end()
  }
}).listen(Number(PORT), '127.0.0.1', function listening(this: { address(): unknown }) {
  console.log(`open http://localhost:${(this.address() as { port: number }).port}`)
})
