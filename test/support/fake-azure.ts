/**
 * Azure's recogniser and voices for tests: in memory at the face of its SDK, or behind the SDK's own WebSocket protocol
 * (frames of headers and a body, read from the SDK's sources). What is heard and said is `FakeGoogle`'s, which is told and tells
 * in Azure's words here; what the double objected to stands in `mistakes`.
 */
import type { AudioFormat } from '../../src/audio/format.ts'
import type { Azure } from '../../src/provider/azure-speech/sdk.ts'
import type { CallHearing, Rpc } from '../../src/provider/call.ts'
import { durationMs } from '../../src/provider/google-speech/wire.ts'
import type { DoublePeer, DoubleServer, DoubleTalk } from '../../src/testing/carrier/sockets.ts'
import { FAKE_KEY } from '../../src/testing/stt/double.ts'
import { type CallPeer, type CallTalk, FakeGoogle, type FakeGoogleOptions } from './fake-google.ts'

type Fields = Record<string, unknown>

const TICKS = 10_000
const LINEAR = { pcm16: 'LINEAR16', mulaw: 'MULAW', alaw: 'ALAW' } as const
const WAVE_TAGS: Readonly<Record<number, AudioFormat['encoding']>> = { 1: 'pcm16', 6: 'alaw', 7: 'mulaw' }
const OUTPUT = /^raw-(\d+)khz-(8bit-mono-mulaw|8bit-mono-alaw|16bit-mono-pcm)$/

export class FakeAzure {
  readonly core: FakeGoogle
  readonly mistakes: string[]
  readonly ssml: string[] = []
  readonly addresses: URL[] = []

  constructor(readonly options: FakeGoogleOptions) {
    this.core = new FakeGoogle(options)
    this.mistakes = this.core.mistakes
  }

  /** In memory. */
  readonly azure: Azure = {
    recognition: ({ format, locale }) => {
      const inner = this.core.rpc('recognise')
      const call = (hearing: CallHearing) => {
        const heard = inner.call({
          ...hearing,
          message: (response) => {
            for (const event of eventsOf(response as Fields)) hearing.message(event.event)
          },
        })
        return {
          ...heard,
          write: (request: object, taken: () => void) =>
            heard.write('audio' in request ? request : recognitionOf(format, locale), taken),
        }
      }
      return { ready: inner.ready, call, close: inner.close }
    },
    voices: (format) => {
      const inner = this.core.rpc('synthesise')
      const call: Rpc['call'] = (hearing) => {
        let text = ''
        let told = 0
        const spoken = inner.call({
          ...hearing,
          message: (response) => {
            const audio = (response as { readonly audioContent: Uint8Array }).audioContent
            if (told++ === 0) for (const word of wordsOf(text, this.options)) hearing.message(word)
            hearing.message({ type: 'audio', audio })
          },
        })
        return {
          ...spoken,
          write: (request, taken) => {
            const asked = this.#asked((request as { readonly ssml: string }).ssml)
            text = asked.text
            spoken.write(synthesisOf(format, asked), taken)
            spoken.write({ input: { text } }, () => {})
          },
        }
      }
      return { ready: inner.ready, call, close: inner.close }
    },
  }

  /** Behind the SDK. */
  readonly server: DoubleServer = ({ url, headers }) => {
    const { fault } = this.options.script ?? {}
    if (fault === 'hang_on_connect') return 'hang'
    if (fault === 'refuse_429') return { status: 429 }
    if (fault === 'refuse_auth' || headers['ocp-apim-subscription-key'] !== FAKE_KEY) return { status: 401 }
    this.addresses.push(url)
    if (url.pathname === '/tts/cognitiveservices/websocket/v1')
      return (peer) => new SpeakingSocket(this, peer)
    if (/^\/speech\/recognition\/conversation\/cognitiveservices\/v1$/.test(url.pathname)) {
      return (peer) => new HearingSocket(this, peer, url.searchParams.get('language') ?? '')
    }
    this.mistakes.push(url.pathname)
    return { status: 404 }
  }

  /** What an SSML document asks for. */
  ask(ssml: string) {
    return this.#asked(ssml)
  }

  #asked(ssml: string): { voice: string; text: string } {
    this.ssml.push(ssml)
    const found =
      /^<speak version="1\.0" xmlns="http:\/\/www\.w3\.org\/2001\/10\/synthesis" xml:lang="[a-z]{2,3}-[A-Z]{2}"><voice name="([^"<&]+)">(?:<prosody rate="[\d.]+">)?([^<]*)(?:<\/prosody>)?<\/voice><\/speak>$/.exec(
        ssml,
      )
    if (!found) this.mistakes.push(`ssml: ${ssml}`)
    const [, voice = '', text = ''] = found ?? []
    return { voice, text: unescaped(text) }
  }
}

function unescaped(text: string): string {
  const marks: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }
  return text.replaceAll(/&(amp|lt|gt|quot|apos);/g, (_all, name) => marks[name]!)
}

function recognitionOf(format: AudioFormat, locale: string): object {
  return {
    recognizer: 'projects/azure/locations/azure/recognizers/_',
    streamingConfig: {
      config: {
        explicitDecodingConfig: {
          encoding: LINEAR[format.encoding],
          sampleRateHertz: format.sampleRateHz,
          audioChannelCount: 1,
        },
        model: 'azure',
        languageCodes: [locale],
      },
    },
  }
}

function synthesisOf(format: AudioFormat, { voice }: { readonly voice: string }): object {
  const audioEncoding = LINEAR[format.encoding]
  return {
    streamingConfig: {
      voice: { languageCode: 'en-US', name: voice },
      streamingAudioConfig: { audioEncoding, sampleRateHertz: format.sampleRateHz },
    },
  }
}

function wordsOf(text: string, { msPerChar = 50 }: FakeGoogleOptions) {
  return [...text.matchAll(/\S+/g)].map((found) => ({
    type: 'word' as const,
    text: found[0],
    offset: found.index * msPerChar * TICKS,
    duration: found[0].length * msPerChar * TICKS,
    boundary: 'WordBoundary',
  }))
}

/** An event of the SDK, with the frame of the service that makes it. */
interface Told {
  readonly event: object
  readonly path: string
  readonly body: object
}

function eventsOf(response: Fields): Told[] {
  const results = (response['results'] ?? []) as Fields[]
  const events = results.flatMap((result): Told[] => {
    const [best] = result['alternatives'] as Fields[]
    const text = String(best!['transcript']).trim()
    const words = ((best!['words'] ?? []) as Fields[]).map(({ word, startOffset, endOffset }) => ({
      Word: String(word).toLowerCase().replaceAll(/[.,]/g, ''),
      Offset: durationMs(startOffset) * TICKS,
      Duration: (durationMs(endOffset) - durationMs(startOffset)) * TICKS,
    }))
    const isFinal = result['isFinal'] === true
    const from = words[0]?.Offset ?? 0
    const offsets = { Offset: from, Duration: durationMs(result['resultEndOffset']) * TICKS - from }
    const known = { offset: offsets.Offset, duration: offsets.Duration }
    if (!isFinal) {
      const event = { type: 'recognizing', text, ...known }
      return [{ event, path: 'speech.hypothesis', body: { Text: text, ...offsets } }]
    }
    const NBest = [
      { Confidence: 0.9, Lexical: text, ITN: text, MaskedITN: text, Display: text, Words: words },
    ]
    const body = { RecognitionStatus: 'Success', DisplayText: text, NBest, ...offsets }
    const event = { type: 'recognized', text, ...known, json: JSON.stringify(body), language: 'en-US' }
    return [{ event, path: 'speech.phrase', body: { ...body, PrimaryLanguage: { Language: 'en-US' } } }]
  })
  if (response['speechEventType'] !== 'SPEECH_ACTIVITY_END') return events
  const offset = durationMs(response['speechEventOffset']) * TICKS
  return [
    ...events,
    { event: { type: 'speechEnd', offset }, path: 'speech.endDetected', body: { Offset: offset } },
  ]
}

interface Frame {
  readonly path: string
  readonly request: string
  readonly body: Buffer
}

/** What both kinds of connection have: frames. */
abstract class FramedSocket implements DoubleTalk {
  protected request = ''

  constructor(
    protected readonly double: FakeAzure,
    protected readonly peer: DoublePeer,
  ) {}

  protected abstract frame(frame: Frame): void
  abstract gone(): void

  text(text: string): void {
    const at = text.indexOf('\r\n\r\n')
    if (at < 0) return this.refuse('a message without headers')
    this.#heard(text.slice(0, at), Buffer.from(text.slice(at + 4)))
  }

  binary(bytes: Uint8Array): void {
    const data = Buffer.from(bytes)
    const length = data.readUInt16BE(0)
    this.#heard(data.toString('latin1', 2, 2 + length), data.subarray(2 + length))
  }

  protected tell(path: string, body: object): void {
    const head = `X-RequestId:${this.request}\r\nContent-Type:application/json; charset=utf-8\r\nPath:${path}`
    this.peer.send(`${head}\r\n\r\n${JSON.stringify(body)}`)
  }

  protected callPeer(send: (message: Fields) => void): CallPeer {
    return {
      send: (message) => send(message as Fields),
      end: () => this.tell('turn.end', {}),
      fail: (code) => (code === 14 ? this.peer.drop() : this.peer.close(code === 3 ? 1007 : 1011, 'SECRET')),
    }
  }

  protected refuse(what: string): void {
    this.double.mistakes.push(what)
    this.peer.close(1007, what)
  }

  #heard(head: string, body: Buffer): void {
    const headers = Object.fromEntries(
      head.split('\r\n').map((line) => {
        const at = line.indexOf(':')
        return [line.slice(0, at).trim().toLowerCase(), line.slice(at + 1).trim()]
      }),
    )
    const { path = '', 'x-requestid': request = '' } = headers
    if (path === 'telemetry') return
    if (!/^[0-9a-f]{32}$/i.test(request)) return this.refuse(`X-RequestId of ${path}`)
    this.frame({ path, request, body })
  }
}

class HearingSocket extends FramedSocket {
  #talk: CallTalk | undefined

  constructor(
    double: FakeAzure,
    peer: DoublePeer,
    private readonly language: string,
  ) {
    super(double, peer)
  }

  gone(): void {
    this.#talk?.gone()
  }

  protected frame({ path, request, body }: Frame): void {
    if (path === 'speech.config' || path === 'speech.context') return void JSON.parse(body.toString())
    if (path !== 'audio') return this.refuse(`path ${path}`)
    if (!this.#talk) return this.#begin(request, body)
    if (body.length === 0) return this.#talk.finished()
    // Longer frames than Google takes are fine here.
    for (let at = 0; at < body.length; at += 16_000)
      this.#talk.message({ audio: body.subarray(at, at + 16_000) })
  }

  /** The first holds the head of a WAV file, and so what the rest is. */
  #begin(request: string, wave: Buffer): void {
    this.request = request
    const encoding = WAVE_TAGS[wave.length >= 44 ? wave.readUInt16LE(20) : 0]
    if (!encoding || wave.toString('latin1', 0, 4) !== 'RIFF')
      return this.refuse('the first audio is no WAV head')
    const format = { encoding, sampleRateHz: wave.readUInt32LE(24) }
    this.tell('turn.start', { context: { serviceTag: 'tag' } })
    const send = (message: Fields) => {
      for (const { path, body } of eventsOf(message)) this.tell(path, body)
    }
    this.#talk = this.double.core.recognise(this.callPeer(send))
    this.#talk.message(recognitionOf(format, this.language) as Fields)
  }
}

class SpeakingSocket extends FramedSocket {
  #talk: CallTalk | undefined
  #format: AudioFormat | undefined

  gone(): void {
    this.#talk?.gone()
  }

  protected frame({ path, request, body }: Frame): void {
    if (path === 'speech.config') return void JSON.parse(body.toString())
    if (path === 'synthesis.context') {
      const { synthesis } = JSON.parse(body.toString())
      const [, khz, kind] = OUTPUT.exec(synthesis?.audio?.outputFormat) ?? []
      if (!khz || !kind) return this.refuse('outputFormat')
      const encoding = kind.endsWith('mulaw') ? 'mulaw' : kind.endsWith('alaw') ? 'alaw' : 'pcm16'
      this.#format = { encoding, sampleRateHz: Number(khz) * 1000 }
      return
    }
    if (path !== 'ssml' || !this.#format) return this.refuse(`path ${path}`)
    this.request = request
    const asked = this.double.ask(body.toString())
    this.tell('turn.start', { context: { serviceTag: 'tag' } })
    this.tell('response', { context: { serviceTag: 'tag' }, audio: { type: 'inline', streamId: 'S' } })
    const head = Buffer.from(`X-RequestId:${request}\r\nX-StreamId:S\r\nPath:audio\r\n`)
    const length = Buffer.alloc(2)
    length.writeUInt16BE(head.length)
    let told = 0
    const send = (message: Fields) => {
      if (told++ === 0) this.#words(asked.text)
      this.peer.send(Buffer.concat([length, head, message['audioContent'] as Uint8Array]))
    }
    this.#talk = this.double.core.synthesise(this.callPeer(send))
    this.#talk.message(synthesisOf(this.#format, asked) as Fields)
    this.#talk.message({ input: { text: asked.text } })
    this.#talk.finished()
  }

  #words(text: string): void {
    const Metadata = wordsOf(text, this.double.options).map(({ text: Text, offset, duration, boundary }) => ({
      Type: 'WordBoundary',
      Data: {
        Offset: offset,
        Duration: duration,
        text: { Text, Length: Text.length, BoundaryType: boundary },
      },
    }))
    this.tell('audio.metadata', { Metadata })
  }
}
