/**
 * `@openai/agents-realtime` against Parley: an agent with a tool, over WebSocket. Speaks a WAV file or says a sentence,
 * prints the conversation, saves the answers.
 *
 *     npx tsx examples/agents-realtime.ts question.wav        (24 kHz, mono, 16 bits)
 *     npx tsx examples/agents-realtime.ts "What is the weather in Oslo?"
 *
 * PARLEY_URL   ws://127.0.0.1:8080/v1/realtime unless set
 * PARLEY_KEY   needed where the server has keys
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { RealtimeAgent, RealtimeSession, tool } from '@openai/agents-realtime'
import wavefile from 'wavefile'
import { z } from 'zod'

const RATE_HZ = 24_000
const [what = 'What is the weather in Oslo?', out = 'answer.wav'] = process.argv.slice(2)
const { PARLEY_URL = 'ws://127.0.0.1:8080/v1/realtime', PARLEY_KEY = 'none' } = process.env

/** Parley's scripted voice asks a tool of this name; so does any model that can. */
const weather = tool({
  name: 'get_weather',
  description: 'Tells what the weather is like in a city.',
  parameters: z.object({ city: z.string() }),
  execute: async ({ city }) => {
    console.log(`tool:   get_weather(${city})`)
    return JSON.stringify({ sky: 'cloudy', temperature: 12 })
  },
})
const agent = new RealtimeAgent({
  name: 'Guide',
  instructions: 'Answer in one short sentence.',
  tools: [weather],
})
const session = new RealtimeSession(agent, { transport: 'websocket', model: 'gpt-realtime' })
const answer: Buffer[] = []

session.on('error', ({ error }) => {
  console.error(error)
  process.exit(1)
})
session.on('audio', ({ data }) => answer.push(Buffer.from(data)))
session.on('audio_interrupted', () => console.log('(interrupted)'))
/** A turn with a tool has two responses: the one that calls it, and the one that speaks. */
session.transport.on('turn_done', ({ response }) => {
  const called = response.output.some((item) => item.type === 'function_call')
  if (!called) finish()
})

await session.connect({ apiKey: PARLEY_KEY, url: PARLEY_URL })
if (what.endsWith('.wav')) speak(what)
else session.sendMessage(what)

function speak(file: string): void {
  const wav = new wavefile.WaveFile(readFileSync(file))
  const { sampleRate, numChannels } = wav.fmt as { sampleRate: number; numChannels: number }
  if (sampleRate !== RATE_HZ || numChannels !== 1 || wav.bitDepth !== '16')
    throw new Error(`${file}: needs to be 24 kHz, mono, 16 bits`)
  const { samples } = wav.data as { samples: Uint8Array }
  session.sendAudio(Uint8Array.from(samples).buffer)
  session.sendAudio(new ArrayBuffer(RATE_HZ * 2)) // a second of silence ends the turn
}

function finish(): void {
  for (const item of session.history)
    if (item.type === 'message' && item.role !== 'system')
      for (const part of item.content)
        console.log(
          `${item.role === 'user' ? 'you:   ' : 'answer:'} ${'text' in part ? part.text : part.transcript}`,
        )
  const pcm = Buffer.concat(answer)
  const wav = new wavefile.WaveFile()
  wav.fromScratch(
    1,
    RATE_HZ,
    '16',
    Array.from({ length: pcm.length / 2 }, (_, at) => pcm.readInt16LE(2 * at)),
  )
  writeFileSync(out, wav.toBuffer())
  console.log(`saved:  ${out}`)
  session.close()
}
