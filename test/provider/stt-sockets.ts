/** The same doubles over real sockets with the real clock: what the memory cannot show. */
import { describe, expect, test } from 'vitest'
import { Cancelled, openScope } from '../../src/cancel.ts'
import { realClock } from '../../src/clock.ts'
import type { CloudSettings } from '../../src/provider/endpoint.ts'
import type { Provider, ProviderDeps } from '../../src/stage/provider.ts'
import { type HttpDoubleServer, listenerOf } from '../../src/testing/carrier/http.ts'
import { type DoubleServer, serveDouble } from '../../src/testing/carrier/sockets.ts'
import {
  FAKE_KEY,
  type SttDoubleOptions,
  type SttScript,
  type SttSessionRecord,
} from '../../src/testing/stt/double.ts'
import { sound } from '../support/stages.ts'

type MakeDouble = (options: SttDoubleOptions) => {
  readonly server: DoubleServer
  readonly sessions: readonly SttSessionRecord[]
  /** Of a provider that is asked over HTTP first. */
  readonly http?: HttpDoubleServer
}

export function sttOverSockets(
  name: string,
  model: string,
  makeDouble: MakeDouble,
  create: (deps: ProviderDeps, settings: CloudSettings) => Provider,
): void {
  const words = [
    { text: 'Hello', startMs: 100, endMs: 400 },
    { text: 'there.', startMs: 450, endMs: 900 },
  ]

  async function serve(script: SttScript, apiKey = FAKE_KEY) {
    const double = makeDouble({ clock: realClock, script })
    const served = await serveDouble(double.server, undefined, double.http && listenerOf(double.http))
    const deps = { clock: realClock, note: () => {} }
    const provider = create(deps, { name, apiKey, baseUrl: served.url.replace('ws:', 'http:') })
    const scope = openScope()
    const adapter = provider.stt!(model)!
    const format = adapter.caps.inputs[0]!
    const open = () => adapter.open({ format, signal: scope.signal, clock: realClock })
    return { double, served, scope, open, provider, format }
  }

  describe(`${name} over real sockets`, () => {
    test('a sentence, and both sides are gone afterwards', async () => {
      const { served, open, double, provider, format } = await serve({ words, answerMs: 5 })
      const stream = await open()
      for (let i = 0; i < 50; i++) stream.write(sound(format, 20, 'speech'))
      stream.finalize()
      for await (const event of stream) {
        if (event.type !== 'final') continue
        expect(event.text).toBe('Hello there.')
        break
      }
      await stream.close()
      await served.empty()
      expect(double.sessions[0]).toMatchObject({ mistakes: [], closed: { code: 1000 } })
      expect(served.open).toBe(0)
      await provider.close()
      await served.close()
    })

    test('a broken connection, a wrong key, an abort', async () => {
      const broken = await serve({ words, fault: 'drop_mid_stream', faultAtMs: 100 })
      const stream = await broken.open()
      stream.write(sound(broken.format, 200, 'speech'))
      await expect(stream[Symbol.asyncIterator]().next()).rejects.toMatchObject({ kind: 'transient' })
      await broken.served.close()

      const refused = await serve({}, 'another-key')
      await expect(refused.open()).rejects.toMatchObject({ kind: 'auth' })
      await refused.served.close()

      const aborted = await serve({ words, answerMs: 5 })
      const reading = (await aborted.open())[Symbol.asyncIterator]().next()
      aborted.scope.cancel('hangup')
      await expect(reading).rejects.toEqual(new Cancelled('hangup'))
      await aborted.served.close()
    })
  })
}
