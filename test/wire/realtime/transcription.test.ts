/** Sessions of words only, with the server's own session behind the wire. */
import { describe, expect, test } from 'vitest'
import { TRANSCRIPTION_EVENTS } from '../../../src/wire/realtime/parse.ts'
import type { Start } from '../../../src/wire/realtime/start.ts'
import { connect } from './fake-socket.ts'
import { type RealTalk, talkToRealSession } from './real-host.ts'

const WORDS: Start = { kind: 'transcription', update: null, pins: null }
const words = (pipeline = '') => talkToRealSession({}, { start: WORDS, pipeline })

async function gone(talk: RealTalk): Promise<void> {
  talk.connection.closed()
  await talk.clock.advance(0)
  expect(talk.host.size).toBe(0)
  expect(talk.clock.pendingTimers).toBe(0)
}

test('its session object has neither model nor output, and says what it listens by', async () => {
  const talk = await words()
  const { session } = talk.socket.last as unknown as { session: Record<string, unknown> }
  expect(talk.socket.types).toEqual(['session.created'])
  expect(session).toEqual({
    type: 'transcription',
    object: 'realtime.transcription_session',
    id: expect.stringMatching(/^sess_/),
    expires_at: 1_700_003_600,
    audio: {
      input: {
        format: { type: 'audio/pcm', rate: 24000 },
        transcription: { model: 'support', language: null, prompt: null },
        noise_reduction: null,
        turn_detection: {
          type: 'server_vad',
          threshold: 0.5,
          prefix_padding_ms: 300,
          silence_duration_ms: 500,
        },
      },
    },
    include: null,
  })
  await gone(talk)
})

test('speech becomes words, and nothing answers', async () => {
  // Neither greets nor fills a silence.
  const filler = '{ rung: filler, afterMs: 100, say: [One moment.] }'
  const apology = '{ rung: apology, say: Sorry. }'
  const talk = await words(
    `greeting: Hello, how can I help?\nbudget: { turnMs: 600, ladder: [${filler}, ${apology}] }`,
  )
  await talk.hears('silence', 500)
  for (let turn = 0; turn < 2; turn++) {
    const from = talk.socket.events.length
    await talk.hears('speech', 1_000)
    await talk.hears('silence', 2_000)
    expect(talk.socket.types.slice(from)).toEqual([
      'input_audio_buffer.speech_started',
      'input_audio_buffer.speech_stopped',
      'input_audio_buffer.committed',
      'conversation.item.added',
      'conversation.item.done',
      'conversation.item.input_audio_transcription.delta',
      'conversation.item.input_audio_transcription.completed',
    ])
    expect(talk.socket.last).toMatchObject({
      transcript: 'hello there',
      usage: { type: 'duration', seconds: expect.any(Number) },
    })
  }
  expect(talk.llm.requests).toEqual([])
  const page = await talk.turns.list(null, { limit: 10 })
  expect(page?.records.map(({ outcome, text }) => [outcome, text.user])).toEqual([
    ['transcribed', 'hello there'],
    ['transcribed', 'hello there'],
  ])
  await gone(talk)
})

test('by hand: commits under turn detection and without', async () => {
  const talk = await words()
  for (const turn_detection of [{ type: 'server_vad', create_response: true }, null]) {
    await talk.tell({
      type: 'session.update',
      session: { type: 'transcription', audio: { input: { turn_detection, transcription: null } } },
    })
    expect(talk.socket.last['session'].audio.input.turn_detection?.create_response).toBeUndefined()
    await talk.hears('speech', 400)
    await talk.tell({ type: 'input_audio_buffer.commit' })
    await talk.clock.advance(500)
    expect(talk.socket.last.type).toBe('conversation.item.input_audio_transcription.completed')
  }
  expect(talk.llm.requests).toEqual([])
  await gone(talk)
})

test('what would answer is refused, naming what there is', async () => {
  const talk = await words()
  for (const event of [
    { type: 'response.create' },
    { type: 'response.cancel' },
    { type: 'conversation.item.create', item: { type: 'message', role: 'user', content: [] } },
    { type: 'conversation.item.truncate', item_id: 'x', content_index: 0, audio_end_ms: 1 },
  ]) {
    await talk.tell({ ...event, event_id: 'e1' })
    expect(talk.socket.last['error']).toMatchObject({
      code: 'invalid_value',
      param: 'type',
      event_id: 'e1',
    })
    for (const known of TRANSCRIPTION_EVENTS)
      expect(talk.socket.last['error'].message).toContain(`'${known}'`)
  }
  await gone(talk)
})

test('an utterance can be fetched, and deleted', async () => {
  const talk = await words()
  await talk.hears('speech', 400)
  await talk.tell({ type: 'input_audio_buffer.commit' })
  await talk.clock.advance(500)
  const { item_id } = talk.socket.last
  await talk.tell({ type: 'conversation.item.retrieve', item_id })
  expect(talk.socket.last['item'].content[0]).toMatchObject({
    type: 'input_audio',
    transcript: 'hello there',
    audio: expect.any(String),
  })
  await talk.tell({ type: 'conversation.item.delete', item_id })
  expect(talk.socket.last).toMatchObject({ type: 'conversation.item.deleted', item_id })
  await gone(talk)
})

describe('session.update says which kind', () => {
  const become = (type: string, audio?: object) => ({
    type: 'session.update',
    event_id: 'e1',
    session: { type, ...(audio ? { audio } : {}) },
  })

  test('before anything was said: the session is exchanged for one of that kind, and back', async () => {
    const talk = await talkToRealSession()
    const before = talk.socket.last['session'].id
    await talk.tell(become('transcription', { input: { transcription: { language: 'de' } } }))
    expect(talk.socket.last).toMatchObject({
      type: 'session.updated',
      session: { type: 'transcription', audio: { input: { transcription: { language: 'de' } } } },
    })
    expect(talk.socket.last['session'].id).not.toBe(before)
    expect(talk.host.size).toBe(1)
    await talk.hears('speech', 600)
    await talk.hears('silence', 2_000)
    expect(talk.socket.last.type).toBe('conversation.item.input_audio_transcription.completed')
    expect(talk.llm.requests).toEqual([])
    await talk.tell(become('realtime'))
    expect(talk.socket.last['error']).toMatchObject({
      code: 'invalid_value',
      param: 'session.type',
      event_id: 'e1',
    })
    await gone(talk)

    const other = await words()
    await other.tell(become('realtime'))
    expect(other.socket.last['session']).toMatchObject({ type: 'realtime', model: 'support' })
    await gone(other)
  })

  test('after: refused, and nothing is changed', async () => {
    const talk = await talkToRealSession()
    await talk.hears('silence', 100)
    await talk.tell(become('transcription'))
    expect(talk.socket.last['error']).toMatchObject({ code: 'invalid_value', param: 'session.type' })
    await talk.tell({ type: 'session.update', session: {} })
    expect(talk.socket.last['session'].type).toBe('realtime')
    await gone(talk)
  })

  test('its recogniser’s name may be a pipeline’s, whose stt routes are then taken', async () => {
    const talk = await connect()
    await talk.tell(become('transcription', { input: { transcription: { model: 'router/support' } } }))
    expect(talk.session.origin.pipeline).toBe('support')
    expect(talk.session.settings).toMatchObject({ kind: 'transcription', showTranscription: true })
    await talk.tell(become('transcription', { input: { transcription: { model: 'whisper-1' } } }))
    expect(talk.session.origin.pipeline, 'any other name leaves it').toBe('support')
    expect(talk.socket.last['session'].audio.input.transcription.model).toBe('whisper-1')
    talk.connection.closed()
  })
})
