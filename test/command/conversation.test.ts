import { describe, expect, test } from 'vitest'
import { settled, VirtualClock } from '../../src/clock.ts'
import { converse } from '../../src/command/talk/conversation.ts'
import { Transcript } from '../../src/command/talk/transcript.ts'
import { MemoryContext } from './memory-context.ts'
import { answer, opened, ScriptedServer, turnOf, updated, words } from './scripted-server.ts'

const CHUNK_BYTES = 960

/** 24 kHz PCM that counts up, so that a lost or doubled byte shows. */
function recording(ms: number): Uint8Array {
  return Uint8Array.from({ length: ms * 48 }, (_, n) => (n % 251) + 1)
}

function begin(speech: Uint8Array) {
  const clock = new VirtualClock()
  const server = new ScriptedServer()
  const context = new MemoryContext({ clock })
  const transcript = new Transcript(context.terminal)
  const answers = converse(server, speech, { clock, transcript, patienceMs: 5_000 })
  answers.catch(() => {})
  return { clock, server, context, answers }
}

describe('a recording is spoken as a microphone would', () => {
  test('nothing is spoken before the session is agreed on', async () => {
    const { server, clock } = begin(recording(100))
    server.say(opened)
    await clock.advance(1_000)
    expect(server.sent.map((event) => event.type)).toEqual(['session.update'])
  })

  test('20 ms every 20 ms, every byte once, then silence', async () => {
    const speech = recording(50)
    const { server, clock } = begin(speech)
    server.say(opened, updated())
    await settled()
    expect(server.chunks).toHaveLength(1)
    await clock.advance(20)
    expect(server.chunks).toHaveLength(2)
    await clock.advance(200)
    expect(server.chunks).toHaveLength(12)
    expect(server.chunks.every((chunk) => chunk.length === CHUNK_BYTES)).toBe(true)
    const all = Buffer.concat(server.chunks)
    expect(all.subarray(0, speech.length).equals(Buffer.from(speech))).toBe(true)
    expect(all.subarray(speech.length).every((byte) => byte === 0)).toBe(true)
  })

  test('the silence ends with the answer, and no timer is left', async () => {
    const { server, clock, answers } = begin(recording(40))
    server.say(opened, updated())
    await clock.advance(100)
    server.say(...turnOf('a'), ...words('a', 'hello'), ...answer('r', 'Hi.', recording(20)))
    await answers
    const spoken = server.chunks.length
    await clock.advance(10_000)
    expect(server.chunks.length).toBe(spoken)
    expect(clock.pendingTimers).toBe(0)
  })

  test('where the pipeline has no turn detection, the caller commits and asks', async () => {
    const { server, clock, answers } = begin(recording(40))
    server.say(opened, updated(null))
    await clock.advance(500)
    expect(server.sent.slice(-2).map((event) => event.type)).toEqual([
      'input_audio_buffer.commit',
      'response.create',
    ])
    expect(server.chunks).toHaveLength(2)
    server.say({ type: 'input_audio_buffer.committed', item_id: 'a' }, ...words('a', 'hello'))
    server.say(...answer('r', 'Hi.', recording(20)))
    expect(await answers).toHaveLength(1)
  })
})

describe('what is heard and answered', () => {
  test('is written as it comes and given back', async () => {
    const { server, clock, answers, context } = begin(recording(40))
    server.say(opened, updated())
    await clock.advance(100)
    server.say(...turnOf('a'), ...words('a', 'what ', 'time is it'))
    await settled()
    expect(context.out).toBe('  you     what time is it')
    server.say(...answer('r', 'Nine.', recording(20)))
    expect(await answers).toEqual([
      { turnId: 'turn_r', status: 'completed', text: 'Nine.', audio: [recording(20)] },
    ])
    expect(context.out).toBe('  you     what time is it\n  parley  Nine.\n')
  })

  test('a final transcript that no delta announced is written whole, one that was announced is not repeated', async () => {
    const { server, clock, answers, context } = begin(recording(40))
    server.say(opened, updated())
    await clock.advance(100)
    const transcript = {
      type: 'conversation.item.input_audio_transcription.completed',
      item_id: 'a',
      transcript: 'yes',
    }
    server.say(...turnOf('a'), transcript, ...answer('r', 'Good.', recording(20)))
    await answers
    expect(context.out).toBe('  you     yes\n  parley  Good.\n')
  })

  test('an answer is waited for even if it began before the words were known', async () => {
    const { server, clock, answers, context } = begin(recording(40))
    server.say(opened, updated())
    await clock.advance(100)
    server.say(...turnOf('a'), ...answer('r', 'Good.', recording(20)))
    await settled()
    server.say(...words('a', 'yes'))
    await answers
    expect(context.out).toContain('you     yes')
  })

  test('a recording that speaks into its own answer gets both answers', async () => {
    const { server, clock, answers, context } = begin(recording(2_000))
    server.say(opened, updated())
    await clock.advance(500)
    server.say(...turnOf('a'), ...words('a', 'tell me a story'))
    server.say(...answer('r1', 'Once upon', recording(20), 'cancelled'))
    await clock.advance(2_000)
    server.say(...turnOf('b'), ...words('b', 'stop'), ...answer('r2', 'Of course.', recording(20)))
    expect((await answers).map((one) => one.status)).toEqual(['cancelled', 'completed'])
    expect(context.out).toContain('· cancelled')
  })
})

describe('what goes wrong is said in words', () => {
  test('no speech in the recording', async () => {
    const { server, clock, answers } = begin(recording(40))
    server.say(opened, updated())
    await clock.advance(6_000)
    await expect(answers).rejects.toThrow('heard no speech')
    expect(server.closed).toBe(true)
  })

  test('a server that accepts and stays silent', async () => {
    const { clock, answers } = begin(recording(40))
    await clock.advance(6_000)
    await expect(answers).rejects.toThrow('sent nothing for 5.0 s')
  })

  test('a long recording is spoken to its end although the server has nothing to say', async () => {
    const { server, clock, answers } = begin(recording(8_000))
    server.say(opened, updated())
    await clock.advance(8_100)
    server.say(...turnOf('a'), ...words('a', 'so long'), ...answer('r', 'Indeed.', recording(20)))
    expect(await answers).toHaveLength(1)
  })

  test("the server's own error", async () => {
    const { server, answers } = begin(recording(40))
    server.say(opened, { type: 'error', error: { code: 'server_full', message: 'Come back later.' } })
    await expect(answers).rejects.toThrow('Come back later. (server_full)')
  })

  test('a server that hangs up', async () => {
    const { server, clock, answers } = begin(recording(40))
    server.say(opened, updated())
    await clock.advance(20)
    server.events.close()
    await expect(answers).rejects.toThrow('ended the conversation')
  })

  test('events of any shape', async () => {
    const { server, clock, answers } = begin(recording(40))
    server.say(
      { type: 'response.done' },
      { type: 'session.updated', session: 7 },
      { type: 'nonsense', deep: [null] },
    )
    server.say(opened, updated())
    await clock.advance(100)
    server.say(...turnOf('a'), ...words('a', 'hello'), ...answer('r', 'Hi.', recording(20)))
    expect((await answers).at(-1)?.text).toBe('Hi.')
  })
})
