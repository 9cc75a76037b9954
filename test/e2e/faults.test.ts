/** Clients that vanish in every state and model threads that die: over real sockets, others talking meanwhile. */
import type { Worker } from 'node:worker_threads'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Embedded } from '../../src/app.ts'
import { realClock } from '../../src/clock.ts'
import { createFlite } from '../../src/provider/local/flite/index.ts'
import { createMoonshine } from '../../src/provider/local/moonshine/index.ts'
import { createSileroVad } from '../../src/provider/local/vad/index.ts'
import { spawnWorker } from '../../src/spawn.ts'
import { FakeLlm } from '../support/stages.ts'
import { type RunningApp, startApp } from './app.ts'
import { Caller } from './caller.ts'
import { closeEmbedded, embedded, human, quiet } from './embedded.ts'
import { blurt } from './microphone.ts'

/** More than an hour of speech, so that it is still being said whenever the test gets to it. */
const ENDLESS = 'And then there was one more thing to be said about it. '.repeat(1_500)

afterAll(closeEmbedded)

describe('a client that vanishes', () => {
  let server: RunningApp
  let bystander: Caller
  const llm = new FakeLlm({
    answer: ({ messages }) => {
      const said = messages.at(-1)?.text ?? ''
      if (/call/.test(said))
        return [
          { type: 'toolCall', call: { callId: 'call_1', name: 'look', arguments: '{}' } },
          { type: 'finish', reason: 'tool_calls' },
        ]
      return /endless/.test(said) ? ENDLESS : `You said: ${said}`
    },
  })
  beforeAll(async () => {
    server = await startApp({ llm })
    bystander = await Caller.ready(server)
  })
  afterAll(async () => {
    bystander.hangUp()
    await server.close()
  })

  /** The server knows of nobody but the bystander, who is still answered. */
  async function isForgotten(caller: Caller): Promise<void> {
    caller.vanish()
    await expect.poll(() => server.app.host.size).toBe(1)
    await bystander.completesATurn()
    expect(bystander.events.of('error')).toEqual([])
  }

  test('before it has said anything', async () => {
    await isForgotten(await Caller.ready(server))
  })

  test('in the middle of a word', async () => {
    const caller = await Caller.ready(server)
    blurt((await human('amiable')).subarray(0, 48 * 1_500), caller.append)
    await caller.events.next('input_audio_buffer.speech_started')
    await isForgotten(caller)
  })

  test('while its words are recognised', async () => {
    const caller = await Caller.ready(server)
    caller.say(await human('amiable'))
    await caller.events.next('input_audio_buffer.committed')
    await isForgotten(caller)
  })

  test('while the model thinks', async () => {
    const caller = await Caller.ready(server)
    const { aborted } = llm
    llm.next = 'stall'
    caller.write('Think about it.')
    await caller.events.next('response.created')
    await isForgotten(caller)
    expect(llm.aborted).toBe(aborted + 1)
  })

  test('while it is answered', async () => {
    const caller = await Caller.ready(server)
    caller.write('Say something endless.')
    await caller.events.next('response.output_audio.delta')
    await isForgotten(caller)
  })

  test('while its tool is asked', async () => {
    const caller = await Caller.ready(server)
    caller.write('Please call it.')
    await caller.events.next('response.function_call_arguments.done')
    await isForgotten(caller)
  })

  test('while it interrupts', async () => {
    const caller = await Caller.ready(server)
    caller.write('Say something endless.')
    await caller.events.next('response.output_audio.delta')
    blurt(await human('seven-of-clubs'), caller.append)
    await caller.events.next('input_audio_buffer.speech_started')
    await isForgotten(caller)
  })

  test('with half a frame on its way', async () => {
    const caller = await Caller.ready(server)
    // biome-ignore lint/suspicious/noExplicitAny: `ws` does not show its socket.
    const raw = (caller.socket as any)._socket as import('node:net').Socket
    raw.write(Buffer.from([0x81, 0xfe, 0x40, 0x00, 1, 2, 3, 4, 5, 6, 7, 8]))
    await isForgotten(caller)
  })
})

describe('a model thread that dies', () => {
  let server: RunningApp
  let models: { close(): Promise<void> }[]
  /** The newest thread of each model. */
  const threads: Record<'vad' | 'stt' | 'tts', Worker | undefined> = {
    vad: undefined,
    stt: undefined,
    tts: undefined,
  }
  const notes: string[] = []

  beforeAll(async () => {
    const here = new URL('../provider/local/here.ts', import.meta.url).href
    const tts = new URL('../../src/provider/local/flite/here.ts', import.meta.url).href
    const deps = { clock: realClock, note: (message: string) => void notes.push(message) }
    const spawn =
      (name: keyof typeof threads, from: string, file: `./${string}`) => (workerData: unknown) => {
        const worker = spawnWorker(from, file, { workerData })
        threads[name] = worker
        return worker
      }
    const [vad, stt, voice] = await Promise.all([
      createSileroVad({ ...deps, spawn: spawn('vad', here, './vad-mortal-worker') }),
      createMoonshine(deps, { model: 'tiny', spawn: spawn('stt', here, './moonshine-mortal-worker') }),
      createFlite({ ...deps, threads: 1, spawn: spawn('tts', tts, './worker') }),
    ])
    models = [vad, stt, voice]
    const scripted = await embedded()
    const mortal: Embedded = { ...scripted, vad, stt: () => stt, tts: () => voice }
    server = await startApp({ embedded: mortal })
  })
  afterAll(async () => {
    await server.close()
    await Promise.all(models.map((model) => model.close()))
  })

  test('the detector of voices, in mid-word: the turn is heard and answered', async () => {
    const caller = await Caller.ready(server)
    const words = await human('amiable')
    blurt(words.subarray(0, 48 * 1_500), caller.append)
    await caller.events.next('input_audio_buffer.speech_started')
    threads.vad?.postMessage('die')
    blurt(Buffer.concat([words.subarray(48 * 1_500), quiet(1_500)]), caller.append)
    const heard = await caller.events.next('conversation.item.input_audio_transcription.completed')
    expect(heard['transcript']).toMatch(/amiable himself/i)
    await caller.events.next('response.done')
    await caller.completesATurn()
    expect(notes.join('\n')).toMatch(/silero-vad crashed/)
    caller.hangUp()
  })

  test('the recogniser, in mid-word: the words are recognised by the next thread', async () => {
    const caller = await Caller.ready(server)
    const words = await human('amiable')
    blurt(words.subarray(0, 48 * 1_500), caller.append)
    await caller.events.next('input_audio_buffer.speech_started')
    threads.stt?.postMessage('die')
    blurt(Buffer.concat([words.subarray(48 * 1_500), quiet(1_500)]), caller.append)
    const heard = await caller.events.next('conversation.item.input_audio_transcription.completed')
    expect(heard['transcript']).toMatch(/made amiable himself/i)
    expect((await caller.events.next('response.done'))['response'].status).toBe('completed')
    await caller.completesATurn()
    expect(notes.join('\n')).toMatch(/moonshine-tiny crashed/)
    caller.hangUp()
  })

  test('the voice, in mid-answer: that answer ends, the next is spoken', async () => {
    const caller = await Caller.ready(server)
    caller.write('Tell me a story.')
    await caller.events.next('response.output_audio.delta')
    await threads.tts?.terminate()
    const done = await caller.events.next('response.done')
    expect(['failed', 'completed']).toContain(done['response'].status)
    const from = caller.events.here
    caller.write('My name is Ada.')
    const next = await caller.events.next('response.done', from)
    expect(next['response']).toMatchObject({ status: 'completed' })
    expect(caller.events.audio(next['response'].id).length).toBeGreaterThan(48_000)
    caller.hangUp()
  })
})
