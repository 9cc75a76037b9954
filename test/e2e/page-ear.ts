/** A page of Chromium that speaks what its microphone's file says and keeps what its loudspeaker would play. */
import type { Page } from 'playwright-core'

/**
 * `heard`: the events. `keep(pcm)`: sound of an answer at 24 kHz; `record()`: what was kept, in base64, and no longer.
 * `microphone()` opens it anew, and its file begins anew. A transport adds `send(event)`, `speak()`, `hush()`
 * and `LAST`, the event after which no more sound is sent.
 */
const PAGE = `
window.heard = []
window.has = (type, from = 0) => heard.slice(from).some((event) => event.type === type)
let kept = []
window.samples = 0
window.quietSamples = 0
window.keep = (pcm) => {
  kept.push(pcm)
  samples += pcm.length
  if (pcm.some((sample) => Math.abs(sample) > 0.01)) quietSamples = 0
  else quietSamples += pcm.length
}
window.record = () => {
  const pcm = new Int16Array(samples)
  let at = 0
  for (const part of kept) for (const sample of part) pcm[at++] = Math.max(-1, Math.min(1, sample)) * 32767
  kept = []
  samples = quietSamples = 0
  return toBase64(new Uint8Array(pcm.buffer))
}
window.toBase64 = (bytes) => {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return btoa(text)
}
window.fromBase64 = (text) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0))
window.microphone = async () => {
  const audio = { echoCancellation: false, noiseSuppression: false, autoGainControl: false }
  return (await navigator.mediaDevices.getUserMedia({ audio })).getAudioTracks()[0]
}
`

/** At the server's own origin, with a transport's script. */
export async function openPage(page: Page, url: string, transport: string): Promise<void> {
  page.setDefaultTimeout(25_000)
  await page.goto(`${url}/healthz`)
  await page.addScriptTag({ content: PAGE + transport })
}

/** Once there is a session: sets it, transcripts of the microphone told. */
export async function configure(page: Page, audio: object): Promise<void> {
  await page.waitForFunction(`has('session.created')`)
  await page.evaluate(
    `send(${JSON.stringify({ type: 'session.update', session: { type: 'realtime', audio } })})`,
  )
  await page.waitForFunction(`has('session.updated')`)
}

export interface Turn {
  /** What the server understood of the microphone. */
  readonly transcript: string
  /** The answer as text. */
  readonly answer: string
  /** What was heard of it, from its first sound to its last: PCM16 at 24 kHz. */
  readonly sound: Buffer
}

/** One turn: the microphone's file from its beginning, and the answer until its last sound was played in the page. */
export async function takeTurn(page: Page): Promise<Turn> {
  const from = Number(await page.evaluate('record(), heard.length'))
  await page.evaluate('speak()')
  await page.waitForFunction(`has('response.done', ${from}) && has(LAST, ${from})`)
  await page.evaluate('hush()')
  // By the sound and not by a clock: what the jitter buffer still holds comes before half a second of quiet.
  await page.waitForFunction('samples > quietSamples && quietSamples > 12_000')
  const told = (type: string) =>
    page.evaluate<string>(
      `heard.slice(${from}).filter((event) => event.type === '${type}').map((event) => event.transcript).join(' ')`,
    )
  return {
    transcript: await told('conversation.item.input_audio_transcription.completed'),
    answer: await told('response.output_audio_transcript.done'),
    sound: voiced(Buffer.from(await page.evaluate<string>('record()'), 'base64')),
  }
}

/** Without the silence around it, but for 200 ms. */
function voiced(pcm: Buffer): Buffer {
  const samples = new Int16Array(pcm.buffer, pcm.byteOffset, pcm.length / 2)
  const isLoud = (sample: number) => Math.abs(sample) > 327
  let last = samples.length - 1
  while (last > 0 && !isLoud(samples[last]!)) last--
  return pcm.subarray(2 * Math.max(0, samples.findIndex(isLoud) - 4_800), 2 * (last + 4_800))
}
