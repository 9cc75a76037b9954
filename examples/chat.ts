/**
 * The plain `openai` SDK against Parley over HTTP: asks a pipeline, prints the answer as it comes, and what was done for it.
 *
 *     npx tsx examples/chat.ts "What time is it?"
 *
 * PARLEY_URL   http://127.0.0.1:8080/v1 unless set
 * PARLEY_KEY   needed where the server has keys
 * PARLEY_MODEL a pipeline, `provider/model`, or a bare model name; `default` unless set
 */
import OpenAI from 'openai'

const [question = 'Hello! Who are you?'] = process.argv.slice(2)
const { PARLEY_URL = 'http://127.0.0.1:8080/v1', PARLEY_KEY = 'none', PARLEY_MODEL = 'default' } = process.env

/** What Parley adds to the last chunk. */
interface Told {
  readonly parley?: {
    readonly turnId: string
    readonly costUsd: number | null
    readonly attempts: readonly {
      readonly provider: string
      readonly model: string
      readonly status: string
      readonly kind: string | null
      readonly firstOutputMs: number | null
    }[]
  }
}

const client = new OpenAI({ apiKey: PARLEY_KEY, baseURL: PARLEY_URL })
const stream = await client.chat.completions.create({
  model: PARLEY_MODEL,
  messages: [{ role: 'user', content: question }],
  stream: true,
})

let told: Told['parley']
for await (const chunk of stream) {
  process.stdout.write(chunk.choices[0]?.delta?.content ?? '')
  told = (chunk as Told).parley ?? told
}
process.stdout.write('\n')
for (const { provider, model, status, kind, firstOutputMs } of told?.attempts ?? []) {
  console.log(
    `${provider}/${model}: ${status}${kind ? ` (${kind})` : ''}, first output ${firstOutputMs ?? '–'} ms`,
  )
}
console.log(`turn ${told?.turnId}, ${told?.costUsd === null ? 'cost not known' : `${told?.costUsd} USD`}`)
