/** The doubles of voices, made as all others are: by a function with options that may be left out. */
import { FakeAzureVoices } from './azure.ts'
import { FakeCartesia, type FakeCartesiaOptions } from './cartesia.ts'
import { FakeSpeak, type FakeSpeakOptions } from './deepgram.ts'
import type { SoundOptions } from './double.ts'
import { FakeElevenLabs } from './elevenlabs.ts'
import { FakeGoogleVoices } from './google.ts'
import { FakeHume, type FakeHumeOptions } from './hume.ts'
import { FakeInworld, type FakeInworldOptions } from './inworld.ts'
import { FakeSpeech, type FakeSpeechOptions } from './openai.ts'
import { FakeRime, type FakeRimeOptions } from './rime.ts'
import { FakeSonioxVoices } from './soniox.ts'

export const fakeAzureVoices = (options: SoundOptions = {}) => new FakeAzureVoices(options)
export const fakeCartesia = (options: FakeCartesiaOptions = {}) => new FakeCartesia(options)
/** Deepgram's voices, Aura and Flux. */
export const fakeSpeak = (options: FakeSpeakOptions = {}) => new FakeSpeak(options)
export const fakeElevenLabs = (options: SoundOptions = {}) => new FakeElevenLabs(options)
export const fakeGoogleVoices = (options: SoundOptions = {}) => new FakeGoogleVoices(options)
export const fakeHume = (options: FakeHumeOptions = {}) => new FakeHume(options)
export const fakeInworld = (options: FakeInworldOptions = {}) => new FakeInworld(options)
/** OpenAI's `/v1/audio/speech`. */
export const fakeSpeech = (options: FakeSpeechOptions = {}) => new FakeSpeech(options)
export const fakeRime = (options: FakeRimeOptions = {}) => new FakeRime(options)
export const fakeSonioxVoices = (options: SoundOptions = {}) => new FakeSonioxVoices(options)
