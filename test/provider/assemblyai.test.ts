import { MULAW_8K, PCM16_16K, PCM16_24K } from '../../src/audio/format.ts'
import { VirtualClock } from '../../src/clock.ts'
import { createAssemblyAi } from '../../src/provider/assemblyai/index.ts'
import { fakeAssemblyAi } from '../support/fake-assemblyai.ts'
import { connectInMemory } from '../support/socket-double.ts'
import { FAKE_KEY } from '../support/stt-double.ts'
import { type MakeRig, sttContract, sttNetwork } from './stt-conformance.ts'

const make: MakeRig = (script) => {
  const clock = new VirtualClock()
  const double = fakeAssemblyAi({ clock, script })
  const memory = connectInMemory(double.server)
  const settings = { name: 'assemblyai', apiKey: FAKE_KEY, connect: memory.connect }
  const provider = createAssemblyAi({ clock, note: () => {} }, settings)
  return {
    adapter: provider.stt!('universal-streaming-english')!,
    clock,
    open: () => memory.open,
    sessions: double.sessions,
  }
}

sttContract('assemblyai', make)
sttNetwork('assemblyai', make, {
  force: 'ForceEndpoint',
  keepAlive: 'KeepAlive',
  goodbye: 'Terminate',
  formats: [PCM16_16K, MULAW_8K, PCM16_24K],
})
