import { PCM16_24K } from '../../src/audio/format.ts'
import { VirtualClock } from '../../src/clock.ts'
import { FakeTts } from '../support/stages.ts'
import { ttsConformance } from './tts-conformance.ts'

ttsConformance('the voice tests use', () => ({
  adapter: new FakeTts({ wordTimes: true, firstAudioMs: 20 }),
  clock: new VirtualClock(),
  format: PCM16_24K,
  soundMs: (text) => text.length * 50,
  mistakes: () => [],
  open: () => 0,
  close: async () => {},
}))
