/**
 * What a test of yours may look like: Parley with doubles for providers. The first model's connection breaks when its
 * answer has begun; whoever asked is answered by the second. Nothing leaves this machine.
 *
 *     npm run build && npx tsx examples/testing/failover.ts
 */
import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { startParley } from 'parley'
import { fakeOpenAi, startDouble } from 'parley/testing'

const breaks = await startDouble(fakeOpenAi({ answer: { pieces: [], fault: 'drop_mid_stream' } }))
const answers = await startDouble(fakeOpenAi({ answer: { pieces: ['We open ', 'at nine.'] } }))
const parley = await startParley({
  settings: {
    listen: { port: 0 },
    providers: { first: breaks.settings, second: answers.settings },
  },
  pipelines: fileURLToPath(new URL('pipelines', import.meta.url)),
})

const response = await fetch(`${parley.url}/v1/chat/completions`, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ model: 'guide', messages: [{ role: 'user', content: 'When do you open?' }] }),
})
const answer = (await response.json()) as { choices: [{ message: { content: string } }] }

assert.equal(answer.choices[0].message.content, 'We open at nine.')
assert.equal(breaks.sessions.length, 1)
assert.deepEqual([...breaks.mistakes, ...answers.mistakes], [])
console.log(`answered: ${answer.choices[0].message.content}`)

await parley.close()
await Promise.all([breaks.close(), answers.close()])
