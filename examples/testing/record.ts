/**
 * Records a conversation of yours with a provider, for tests that need neither the provider nor a key.
 *
 *     npm run build && DEEPGRAM_API_KEY=… npx tsx examples/testing/record.ts deepgram https://api.deepgram.com deepgram.jsonl
 *
 * Then talk to http://127.0.0.1:8080 by a pipeline that asks it (`use: [deepgram/nova-3]`), and press Ctrl+C. A test says it again:
 *
 *     const double = await startDouble(replayOf(readFileSync('deepgram.jsonl', 'utf8')))
 */
import { createWriteStream } from 'node:fs'
import { startParley } from 'parley'
import { recordProvider } from 'parley/testing'

const [name = 'deepgram', baseUrl = 'https://api.deepgram.com', file = `${name}.jsonl`] =
  process.argv.slice(2)
const apiKey = process.env[`${name.toUpperCase()}_API_KEY`] ?? ''
const lines = createWriteStream(file, { mode: 0o600 })
const recorder = await recordProvider({
  entry: { type: name, apiKey, baseUrl },
  write: (line) => void lines.write(line),
})
const parley = await startParley({
  settings: { providers: { [name]: recorder.settings } },
  pipelines: 'pipelines',
})
console.log(`${parley.url} is recorded into ${file}`)

process.once('SIGINT', async () => {
  await parley.close()
  await recorder.close()
  lines.end()
})
