import { ALAW_8K, MULAW_8K, PCM16_16K, PCM16_24K } from '../../src/audio/format.ts'
import { VirtualClock } from '../../src/clock.ts'
import { createDeepgram } from '../../src/provider/deepgram/index.ts'
import { fakeDeepgram } from '../support/fake-deepgram.ts'
import { connectInMemory } from '../support/socket-double.ts'
import { FAKE_KEY } from '../support/stt-double.ts'
import { type MakeRig, sttContract, sttNetwork } from './stt-conformance.ts'

const make: MakeRig = (script) => {
  const clock = new VirtualClock()
  const double = fakeDeepgram({ clock, script })
  const memory = connectInMemory(double.server)
  const settings = { name: 'deepgram', apiKey: FAKE_KEY, connect: memory.connect }
  const provider = createDeepgram({ clock, note: () => {} }, settings)
  return { adapter: provider.stt!('nova-3')!, clock, open: () => memory.open, sessions: double.sessions }
}

sttContract('deepgram', make)
sttNetwork('deepgram', make, {
  force: 'Finalize',
  keepAlive: 'KeepAlive',
  goodbye: 'CloseStream',
  formats: [PCM16_16K, MULAW_8K, PCM16_24K, ALAW_8K],
})
