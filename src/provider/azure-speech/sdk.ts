/**
 * Azure's SDK as calls: one recogniser or synthesiser of it for each, since it answers for certain only at the end of its
 * audio. The SDK is the operator's package: what is used of it is typed here, and tests hold the real one against it. It opens
 * a connection for each, and would open another when one breaks: a call that was cut has failed instead.
 */
import type { AudioFormat } from '../../audio/format.ts'
import { Cancelled, orAborted } from '../../cancel.ts'
import type { Clock } from '../../clock.ts'
import type { CallHearing, Rpc, RpcCall } from '../call.ts'
import { loadPackage } from '../operator-package.ts'
import type { AzureSpeechSettings } from './settings.ts'
import { faultOf, outputOf } from './wire.ts'

interface Config {
  speechRecognitionLanguage: string
  outputFormat: number
  speechSynthesisOutputFormat: number
  requestWordLevelTimestamps(): void
  setProperty(name: string, value: string): void
  close(): void
}

interface Result {
  readonly text?: string
  readonly offset: number
  readonly duration: number
  readonly json?: string
  readonly language?: string
}

interface Recogniser {
  recognizing: (sender: unknown, event: { readonly result: Result }) => void
  recognized: (sender: unknown, event: { readonly result: Result }) => void
  speechEndDetected: (sender: unknown, event: { readonly offset: number }) => void
  canceled: (
    sender: unknown,
    event: { readonly reason: number; readonly errorCode?: number; readonly errorDetails?: string },
  ) => void
  sessionStopped: () => void
  startContinuousRecognitionAsync(done: () => void, failed: (error: string) => void): void
  close(done: () => void, failed: () => void): void
}

interface Synthesis {
  readonly reason: number
  readonly errorDetails?: string
  readonly properties?: { getProperty(name: string): string | undefined }
}

interface Synthesiser {
  synthesizing: (sender: unknown, event: { readonly result: { readonly audioData: ArrayBuffer } }) => void
  wordBoundary: (
    sender: unknown,
    event: {
      readonly text: string
      readonly audioOffset: number
      readonly duration: number
      readonly boundaryType: string
    },
  ) => void
  speakSsmlAsync(ssml: string, done: (result: Synthesis) => void, failed: (error: string) => void): void
  close(done: () => void, failed: () => void): void
}

interface PushStream {
  write(audio: ArrayBuffer): void
  close(): void
}

interface Sdk {
  readonly SpeechConfig: {
    fromSubscription(key: string, region: string): Config
    fromHost(host: URL, key: string): Config
  }
  readonly AudioInputStream: { createPushStream(format: unknown): PushStream }
  readonly AudioStreamFormat: {
    getWaveFormat(hz: number, bits: number, channels: number, tag: number): unknown
  }
  readonly AudioFormatTag: { readonly PCM: number; readonly MuLaw: number; readonly ALaw: number }
  readonly AudioConfig: { fromStreamInput(stream: PushStream): unknown }
  readonly SpeechRecognizer: (new (
    config: Config,
    audio: unknown,
  ) => Recogniser) & {
    enableTelemetry(enabled: boolean): void
  }
  readonly PhraseListGrammar: {
    fromRecognizer(recogniser: Recogniser): { addPhrases(phrases: readonly string[]): void }
  }
  readonly Connection: {
    fromRecognizer(recogniser: Recogniser): { disconnected: () => void }
    fromSynthesizer(synthesiser: Synthesiser): { disconnected: () => void }
  }
  readonly SpeechSynthesizer: new (config: Config, audio: null) => Synthesiser
  readonly SpeechSynthesisOutputFormat: Readonly<Record<string, number>>
  readonly OutputFormat: { readonly Detailed: number }
  readonly CancellationReason: { readonly Error: number }
  readonly CancellationErrorCode: Readonly<Record<string, number>>
  readonly ResultReason: { readonly SynthesizingAudioCompleted: number }
}

export interface Hearing {
  readonly format: AudioFormat
  readonly locale: string
  readonly hints: readonly string[]
}

/** The package, imported once. */
export interface Azure {
  recognition(hearing: Hearing): Rpc
  voices(format: AudioFormat): Rpc
}

export function azureSdk(entry: string, settings: AzureSpeechSettings, clock: Clock): Azure {
  let sdk: Sdk | undefined
  let loading: Promise<void> | undefined
  const load = () => {
    loading ??= loadPackage(entry).then(
      (exports) => {
        sdk = exports as unknown as Sdk
        // It would tell Microsoft of each recognition.
        sdk.SpeechRecognizer.enableTelemetry(false)
      },
      (error) => {
        loading = undefined
        throw error
      },
    )
    return loading
  }
  const rpc = (call: (sdk: Sdk, hearing: CallHearing) => RpcCall): Rpc => ({
    ready: (signal) => orAborted(load(), signal),
    call: (hearing) => {
      if (!sdk) throw new Cancelled('done')
      return call(sdk, once(hearing))
    },
    close: async () => {},
  })
  const configOf = ({ SpeechConfig }: Sdk) =>
    'region' in settings.place
      ? SpeechConfig.fromSubscription(settings.apiKey, settings.place.region)
      : SpeechConfig.fromHost(settings.place.host, settings.apiKey)
  return {
    recognition: (heard) =>
      rpc((loaded, hearing) => recognise(loaded, configOf(loaded), heard, hearing, clock)),
    voices: (format) => rpc((loaded, hearing) => speak(loaded, configOf(loaded), format, hearing, clock)),
  }
}

/** Nothing comes after the end. */
function once(hearing: CallHearing): CallHearing {
  let over = false
  const end = (tell: () => void) => {
    if (over) return
    over = true
    tell()
  }
  return {
    message: (response) => {
      if (!over) hearing.message(response)
    },
    ended: () => end(() => hearing.ended()),
    failed: (fault) => end(() => hearing.failed(fault)),
  }
}

function recognise(
  sdk: Sdk,
  config: Config,
  { format, locale, hints }: Hearing,
  hearing: CallHearing,
  clock: Clock,
): RpcCall {
  const { encoding, sampleRateHz } = format
  const tag = {
    pcm16: sdk.AudioFormatTag.PCM,
    mulaw: sdk.AudioFormatTag.MuLaw,
    alaw: sdk.AudioFormatTag.ALaw,
  }
  const bits = encoding === 'pcm16' ? 16 : 8
  config.speechRecognitionLanguage = locale
  config.outputFormat = sdk.OutputFormat.Detailed
  config.requestWordLevelTimestamps()
  const wave = sdk.AudioStreamFormat.getWaveFormat(sampleRateHz, bits, 1, tag[encoding])
  const push = sdk.AudioInputStream.createPushStream(wave)
  const recogniser = new sdk.SpeechRecognizer(config, sdk.AudioConfig.fromStreamInput(push))
  if (hints.length > 0) sdk.PhraseListGrammar.fromRecognizer(recogniser).addPhrases(hints)
  let closed = false
  const close = () => {
    if (closed) return
    closed = true
    recogniser.close(
      () => {},
      () => {},
    )
  }
  const tell =
    (type: 'recognizing' | 'recognized') =>
    (_sender: unknown, { result }: { readonly result: Result }) => {
      const { text = '', offset, duration, json, language } = result
      hearing.message({ type, text, offset, duration, json, language })
    }
  recogniser.recognizing = tell('recognizing')
  recogniser.recognized = tell('recognized')
  recogniser.speechEndDetected = (_sender, { offset }) => hearing.message({ type: 'speechEnd', offset })
  recogniser.canceled = (_sender, { reason, errorCode, errorDetails }) => {
    // The other reason is the end of the audio.
    if (reason === sdk.CancellationReason.Error) hearing.failed(faultOf(errorCode, errorDetails))
    else hearing.ended()
    close()
  }
  recogniser.sessionStopped = () => {
    hearing.ended()
    close()
  }
  sdk.Connection.fromRecognizer(recogniser).disconnected = () => lost(hearing, close, clock)
  recogniser.startContinuousRecognitionAsync(
    () => {},
    (error) => {
      hearing.failed(faultOf(undefined, error))
      close()
    },
  )
  return {
    write: (request, taken) => {
      const { audio } = request as { readonly audio?: Uint8Array }
      if (audio && !closed) push.write(new Uint8Array(audio).buffer)
      // It waits in the SDK, which tells nothing of it.
      taken()
    },
    end: () => push.close(),
    cancel: close,
  }
}

/** The SDK says afterwards why, if it does. */
function lost(hearing: CallHearing, close: () => void, clock: Clock): void {
  clock.setTimer(0, () => {
    hearing.failed({ kind: 'transient', message: 'the connection was lost' })
    close()
  })
}

function speak(sdk: Sdk, config: Config, format: AudioFormat, hearing: CallHearing, clock: Clock): RpcCall {
  config.speechSynthesisOutputFormat = sdk.SpeechSynthesisOutputFormat[outputOf(format)]!
  config.setProperty('SpeechServiceResponse_RequestWordBoundary', 'true')
  const synthesiser = new sdk.SpeechSynthesizer(config, null)
  let closed = false
  const close = () => {
    if (closed) return
    closed = true
    synthesiser.close(
      () => {},
      () => {},
    )
  }
  synthesiser.synthesizing = (_sender, { result }) => {
    hearing.message({ type: 'audio', audio: new Uint8Array(result.audioData) })
  }
  synthesiser.wordBoundary = (_sender, { text, audioOffset, duration, boundaryType }) => {
    hearing.message({ type: 'word', text, offset: audioOffset, duration, boundary: boundaryType })
  }
  // Of a connection that closes cleanly the SDK would say nothing.
  sdk.Connection.fromSynthesizer(synthesiser).disconnected = () => lost(hearing, close, clock)
  let ssml = ''
  return {
    write: (request, taken) => {
      ssml = (request as { readonly ssml: string }).ssml
      taken()
    },
    end: () =>
      synthesiser.speakSsmlAsync(
        ssml,
        ({ reason, errorDetails, properties }) => {
          const code = sdk.CancellationErrorCode[properties?.getProperty('CancellationErrorCode') ?? '']
          if (reason === sdk.ResultReason.SynthesizingAudioCompleted) hearing.ended()
          else hearing.failed(faultOf(code, errorDetails))
          close()
        },
        (error) => {
          hearing.failed(faultOf(undefined, error))
          close()
        },
      ),
    cancel: close,
  }
}
