/** `parley/testing`: the doubles of providers, what starts them, and the virtual clock, for the tests of those who build on Parley. */
export { type Clock, realClock, type Timer, VirtualClock } from '../clock.ts'
export type { GrpcDetails, GrpcDoubleServer, GrpcPeer, GrpcTalk } from './carrier/grpc.ts'
export type { HttpDoubleAnswer, HttpDoubleRequest, HttpDoubleServer } from './carrier/http.ts'
export type { DoublePeer, DoubleRequest, DoubleServer, DoubleTalk } from './carrier/sockets.ts'
export type { Double, ProviderEntry } from './double.ts'
export { type AnthropicAnswer, type AnthropicFault, fakeAnthropic } from './model/anthropic.ts'
export { type BedrockAnswer, type BedrockFault, fakeBedrock } from './model/bedrock/double.ts'
export { fakeGemini, type GeminiAnswer, type GeminiFault } from './model/gemini/double.ts'
export {
  type FakeAnswer as OpenAiAnswer,
  type FakeFault as OpenAiFault,
  type FakeOpenAiOptions,
  fakeOpenAi,
  type OpenAiDouble,
} from './model/openai.ts'
export {
  type DoubleAnswer as ResponsesAnswer,
  type DoubleFault as ResponsesFault,
  fakeResponses,
} from './model/openai-responses/double.ts'
export type { ModelDouble, ModelRequest } from './model/server.ts'
export { type Recorder, type RecorderOptions, recordProvider } from './recorded/recorder.ts'
export { type ReplayOptions, replayOf } from './recorded/replay.ts'
export { type InMemory, inMemory, type Started, startDouble } from './start.ts'
export { type FakeAssemblyAiOptions, fakeAssemblyAi } from './stt/assemblyai.ts'
export { fakeAzureRecogniser } from './stt/azure.ts'
export { fakeDeepgram } from './stt/deepgram.ts'
export type {
  HeardWord,
  ScriptStep,
  SttDouble,
  SttDoubleOptions,
  SttFaultName,
  SttScript,
  SttSessionRecord,
} from './stt/double.ts'
export { type FakeFluxOptions, fakeFlux } from './stt/flux.ts'
export { type FakeGladia, type FakeGladiaOptions, fakeGladia } from './stt/gladia.ts'
export {
  type FakeGoogleRecogniser,
  type FakeGoogleRecogniserOptions,
  fakeGoogleRecogniser,
} from './stt/google.ts'
export {
  type FakeOpenAiRealtime,
  type FakeOpenAiRealtimeOptions,
  fakeOpenAiRealtime,
} from './stt/openai-realtime.ts'
export { fakeScribe } from './stt/scribe.ts'
export { type FakeSoniox, fakeSoniox } from './stt/soniox.ts'
export { type FakeSpeechmatics, type FakeSpeechmaticsOptions, fakeSpeechmatics } from './stt/speechmatics.ts'
export {
  type FakeTranscriptions,
  type FakeTranscriptionsOptions,
  fakeTranscriptions,
  type TranscriptionFault,
  type TranscriptionScript,
} from './stt/transcriptions.ts'
export { type AsteriskPhoneOptions, asteriskPhone } from './telephony/asterisk.ts'
export { type AudioHookPhoneOptions, audiohookPhone } from './telephony/audiohook.ts'
export { type AudioSocketPhoneOptions, audioSocketPhone } from './telephony/audiosocket.ts'
export { type BandwidthPhoneOptions, bandwidthPhone } from './telephony/bandwidth.ts'
export { dialWebSocket } from './telephony/dial.ts'
export { dialTcp } from './telephony/dial-tcp.ts'
export type { CallFacts, PhoneDialect } from './telephony/dialect.ts'
export { type ExotelPhoneOptions, exotelPhone } from './telephony/exotel.ts'
export { type InfobipPhoneOptions, infobipPhone } from './telephony/infobip.ts'
export { type JambonzPhoneOptions, jambonzPhone } from './telephony/jambonz.ts'
export { type Dial, dialInMemory, type Line, type LineClose, type LineEars } from './telephony/line.ts'
export { Phone, type PhoneOptions, type PhoneRecord } from './telephony/phone.ts'
export type { Gap, HeardSpan, Playback } from './telephony/playback.ts'
export { type PlivoPhoneOptions, plivoPhone } from './telephony/plivo.ts'
export type { PhoneAct, PhoneScript } from './telephony/script.ts'
export { type SignalWirePhoneOptions, signalWirePhone } from './telephony/signalwire.ts'
export { type TelnyxPhoneOptions, telnyxPhone } from './telephony/telnyx.ts'
export { type TwilioPhoneOptions, twilioPhone } from './telephony/twilio.ts'
export { type VonagePhoneOptions, vonagePhone } from './telephony/vonage.ts'
export type { FakeAzureVoices } from './tts/azure.ts'
export type { FakeCartesia, FakeCartesiaOptions } from './tts/cartesia.ts'
export type { FakeSpeak, FakeSpeakOptions } from './tts/deepgram.ts'
export type { FaultPlan, SentenceFault, SoundOptions, TtsFault } from './tts/double.ts'
export type { FakeElevenLabs } from './tts/elevenlabs.ts'
export type { FakeGoogleVoices } from './tts/google.ts'
export type { FakeHume, FakeHumeOptions } from './tts/hume.ts'
export type { FakeInworld, FakeInworldOptions } from './tts/inworld.ts'
export {
  fakeAzureVoices,
  fakeCartesia,
  fakeElevenLabs,
  fakeGoogleVoices,
  fakeHume,
  fakeInworld,
  fakeRime,
  fakeSonioxVoices,
  fakeSpeak,
  fakeSpeech,
} from './tts/makers.ts'
export type { FakeSpeech, FakeSpeechOptions } from './tts/openai.ts'
export type { FakeRime, FakeRimeOptions } from './tts/rime.ts'
export type { FakeSonioxVoices } from './tts/soniox.ts'
