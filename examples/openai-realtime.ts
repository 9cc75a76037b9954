/**
 * The plain `openai` SDK against Parley: speaks a WAV file or says a sentence, prints what was heard and answered, saves
 * the answer. The SDK insists on TLS, so give the server a certificate (`listen.tls` in parley.yaml).
 *
 *     npx tsx examples/openai-realtime.ts question.wav        (24 kHz, mono, 16 bits)
 *     npx tsx examples/openai-realtime.ts "What time is it?"
 *
 * PARLEY_URL   https://localhost:8443/v1 unless set
 * PARLEY_KEY   needed where the server has keys
 * PARLEY_CA    the certificate's PEM file, where it is self-signed
 */
import { readFileSync, writeFileSync } from 'node:fs'
import OpenAI from 'openai'
import { OpenAIRealtimeWS } from 'openai/realtime/ws'
import wavefile from 'wavefile'

const RATE_HZ = 24_000
const CHUNK_BYTES = (RATE_HZ / 10) * 2

const [what = 'Hello! Who are you?', out = 'answer.wav'] = process.argv.slice(2)
const { PARLEY_URL = 'https://localhost:8443/v1', PARLEY_KEY = 'none', PARLEY_CA } = process.env

const client = new OpenAI({ apiKey: PARLEY_KEY, baseURL: PARLEY_URL })
const realtime = new OpenAIRealtimeWS(
  { model: 'gpt-realtime', options: PARLEY_CA ? { ca: readFileSync(PARLEY_CA) } : {} },
  client,
)
const answer: Buffer[] = []

realtime.on('error', (error) => {
  console.error(error.message)
  process.exit(1)
})

realtime.on('session.created', ({ session }) => {
  console.log(`connected: ${'id' in session ? session.id : ''}`)
  realtime.send({
    type: 'session.update',
    session: { type: 'realtime', audio: { input: { transcription: { model: 'default' } } } },
  })
  if (what.endsWith('.wav')) speak(what)
  else write(what)
})

realtime.on('conversation.item.input_audio_transcription.completed', ({ transcript }) =>
  console.log(`you:    ${transcript}`),
)
realtime.on('response.output_audio.delta', ({ delta }) => answer.push(Buffer.from(delta, 'base64')))
realtime.on('response.output_audio_transcript.done', ({ transcript }) => console.log(`answer: ${transcript}`))
realtime.on('response.done', ({ response }) => {
  save(Buffer.concat(answer))
  console.log(`${response.status}: ${out}`)
  realtime.close()
})

/** Faster than real time is fine; the silence behind the words ends the turn. */
function speak(file: string): void {
  const wav = new wavefile.WaveFile(readFileSync(file))
  const { sampleRate, numChannels } = wav.fmt as { sampleRate: number; numChannels: number }
  if (sampleRate !== RATE_HZ || numChannels !== 1 || wav.bitDepth !== '16')
    throw new Error(`${file}: needs to be 24 kHz, mono, 16 bits`)
  const { samples } = wav.data as { samples: Uint8Array }
  const sound = Buffer.concat([samples, Buffer.alloc(RATE_HZ * 2)])
  for (let at = 0; at < sound.length; at += CHUNK_BYTES)
    realtime.send({
      type: 'input_audio_buffer.append',
      audio: sound.subarray(at, at + CHUNK_BYTES).toString('base64'),
    })
}

function write(text: string): void {
  console.log(`you:    ${text}`)
  realtime.send({
    type: 'conversation.item.create',
    item: { type: 'message', role: 'user', content: [{ type: 'input_text', text }] },
  })
  realtime.send({ type: 'response.create' })
}

function save(pcm: Buffer): void {
  const wav = new wavefile.WaveFile()
  wav.fromScratch(
    1,
    RATE_HZ,
    '16',
    Array.from({ length: pcm.length / 2 }, (_, at) => pcm.readInt16LE(2 * at)),
  )
  writeFileSync(out, wav.toBuffer())
}
