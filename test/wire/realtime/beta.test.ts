/** Clients of the retired beta shape, and that nobody ever hears both shapes. */
import { describe, expect, test } from 'vitest'
import { connect, type WireEvent } from './fake-socket.ts'
import { CALL, PLACE, response, SPOKEN_TURN } from './outputs.ts'
import { talkToRealSession } from './real-host.ts'
import { sdkEvents } from './sdk-types.ts'

const SERVER = sdkEvents('beta', 'RealtimeServerEvent')
const GA_ONLY = [...sdkEvents('ga', 'RealtimeServerEvent').keys()].filter((type) => !SERVER.has(type))

/** Ours, and one that the beta sent and the SDK's types forgot. */
const BESIDE = ['parley.turn', 'transcription_session.created']

/** Each event is one of the beta's, with all that its type asks for. */
function speaksBeta(events: readonly WireEvent[]): void {
  for (const event of events) {
    if (BESIDE.includes(event.type)) continue
    expect(GA_ONLY).not.toContain(event.type)
    const type = SERVER.get(event.type)
    expect(type, event.type).toBeDefined()
    for (const member of type?.required ?? []) expect(event, event.type).toHaveProperty(member)
    expect(JSON.stringify(event), event.type).not.toMatch(
      /"(output_text|output_audio|output_modalities|audio\/pcm)"/,
    )
  }
}

test('a spoken turn and a function call, in the beta’s names and order', async () => {
  const talk = await connect({ shape: 'beta' })
  await talk.tell({
    type: 'session.update',
    session: { input_audio_transcription: { model: 'whisper-1' }, voice: 'verse' },
  })
  talk.session.say(...SPOKEN_TURN)
  await talk.clock.advance(0)
  speaksBeta(talk.socket.events)
  const types = talk.socket.types
  expect(types.slice(0, 3)).toEqual(['session.created', 'conversation.created', 'session.updated'])
  expect(types.filter((type) => type === 'conversation.item.created')).toHaveLength(3)
  // Old clients look the item up when its part begins.
  expect(types.indexOf('conversation.item.created')).toBeLessThan(
    types.indexOf('response.content_part.added'),
  )
  for (const type of [
    'response.audio.delta',
    'response.audio.done',
    'response.audio_transcript.delta',
    'response.audio_transcript.done',
    'response.function_call_arguments.done',
  ])
    expect(types).toContain(type)
  const { session } = talk.socket.events.find(({ type }) => type === 'session.updated') as WireEvent
  expect(session).toEqual({
    id: 'sess_1',
    object: 'realtime.session',
    model: 'gpt-realtime',
    modalities: ['text', 'audio'],
    instructions: 'Be brief.',
    voice: 'verse',
    input_audio_format: 'pcm16',
    output_audio_format: 'pcm16',
    input_audio_transcription: { model: 'whisper-1', language: null, prompt: null },
    input_audio_noise_reduction: null,
    turn_detection: {
      type: 'server_vad',
      threshold: 0.6,
      prefix_padding_ms: 250,
      silence_duration_ms: 450,
      idle_timeout_ms: null,
      create_response: true,
      interrupt_response: true,
    },
    tools: [],
    tool_choice: 'auto',
    temperature: 0.8,
    max_response_output_tokens: 'inf',
    speed: 1,
    tracing: null,
    prompt: null,
    include: null,
    expires_at: 1_700_003_600,
  })
  const done = talk.socket.events.find(({ type }) => type === 'response.done') as WireEvent
  expect(done['response']).toMatchObject({
    object: 'realtime.response',
    status: 'completed',
    modalities: ['text', 'audio'],
    voice: 'warm',
    output_audio_format: 'pcm16',
    temperature: 0.8,
    max_output_tokens: 'inf',
    usage: { total_tokens: expect.any(Number) },
    parley: { turnId: 'turn_1' },
  })
  expect(done['response'].audio).toBeUndefined()
  const part = talk.socket.events.find(({ type }) => type === 'response.content_part.added')
  expect(part?.['part'], 'clients add deltas to it').toEqual({ type: 'audio', transcript: '' })
})

test('a written answer', async () => {
  const talk = await connect({ shape: 'beta' })
  const item = { id: 'item_2', type: 'message', role: 'assistant', status: 'completed' } as const
  const written = { modality: 'text', inConversation: true, previousItemId: null, ...PLACE } as const
  const text = { ...item, parts: [{ type: 'text', text: 'Good morning.' }] } as const
  talk.session.say(
    { type: 'responseCreated', response: response(null, { modality: 'text' }) },
    { type: 'answerStarted', item: { ...item, parts: [] }, ...written },
    { type: 'answerText', delta: 'Good morning.', modality: 'text', ...PLACE },
    { type: 'answerDone', item: text, text: 'Good morning.', ...written },
    {
      type: 'responseDone',
      turn: 'turn_1',
      record: null,
      response: response({ status: 'completed' }, { modality: 'text', output: [text, CALL] }),
    },
  )
  await talk.clock.advance(0)
  speaksBeta(talk.socket.events)
  expect(talk.socket.types.slice(2)).toEqual([
    'response.created',
    'response.output_item.added',
    'conversation.item.created',
    'response.content_part.added',
    'response.text.delta',
    'response.text.done',
    'response.content_part.done',
    'response.output_item.done',
    'response.done',
  ])
  expect(talk.socket.last['response']).toMatchObject({
    modalities: ['text'],
    output: [{ content: [{ type: 'text', text: 'Good morning.' }] }, { type: 'function_call' }],
  })
})

describe('what a beta client sends', () => {
  test('is taken as its GA counterpart', async () => {
    const talk = await connect({ shape: 'beta' })
    await talk.tell({
      type: 'session.update',
      session: {
        modalities: ['text'],
        input_audio_format: 'g711_ulaw',
        output_audio_format: 'g711_alaw',
        turn_detection: null,
        max_response_output_tokens: 100,
        temperature: 0.7,
        tools: [{ type: 'function', name: 'weather', parameters: {} }],
        tool_choice: 'weather',
      },
    })
    expect(talk.socket.last['session']).toMatchObject({
      modalities: ['text'],
      input_audio_format: 'g711_ulaw',
      output_audio_format: 'g711_alaw',
      turn_detection: null,
      max_response_output_tokens: 100,
      temperature: 0.7,
      tool_choice: { type: 'function', name: 'weather' },
    })
    await talk.tell({
      type: 'response.create',
      response: { modalities: ['text', 'audio'], tool_choice: 'weather' },
    })
    expect(talk.session.events.at(-1)).toMatchObject({
      type: 'respond',
      request: { modality: 'audio', toolChoice: { name: 'weather' } },
    })
    await talk.tell({
      type: 'conversation.item.create',
      item: { type: 'message', role: 'assistant', content: [{ type: 'text', text: 'Hi.' }] },
    })
    expect(talk.session.events.at(-1)).toMatchObject({ item: { parts: [{ type: 'text', text: 'Hi.' }] } })
  })

  test.each([
    [{ input_audio_format: 'opus' }, 'invalid_value', 'session.input_audio_format'],
    [{ turn_detection: { type: 'nope' } }, 'invalid_value', 'session.turn_detection.type'],
    [{ speed: 9 }, 'decimal_above_max_value', 'session.speed'],
    [{ max_response_output_tokens: 0 }, 'integer_below_min_value', 'session.max_response_output_tokens'],
  ])('%j is refused by the beta’s path', async (session, code, param) => {
    const talk = await connect({ shape: 'beta' })
    await talk.tell({ type: 'session.update', event_id: 'e1', session })
    expect(talk.socket.last['error']).toMatchObject({ code, param, event_id: 'e1' })
    expect(talk.socket.last['error'].message).not.toContain('audio.')
    speaksBeta(talk.socket.events)
  })

  test.each(['x', null, [], 7])('a session of %j is refused, not thrown', async (session) => {
    const talk = await connect({ shape: 'beta' })
    for (const type of ['session.update', 'transcription_session.update']) {
      await talk.tell({ type, session })
      expect(talk.socket.last).toMatchObject({ type: 'error', error: { param: 'session' } })
    }
    expect(talk.notes).toEqual([])
  })
})

test('a transcription session has its own events', async () => {
  const start = { kind: 'transcription', update: null, pins: null } as const
  const talk = await talkToRealSession({}, { start, shape: 'beta' })
  expect(talk.socket.types).toEqual(['transcription_session.created'])
  await talk.tell({
    type: 'transcription_session.update',
    session: {
      input_audio_transcription: { model: 'whisper-1', language: 'de' },
      input_audio_format: 'pcm16',
    },
  })
  expect(talk.socket.last).toMatchObject({
    type: 'transcription_session.updated',
    session: {
      object: 'realtime.transcription_session',
      input_audio_format: 'pcm16',
      input_audio_transcription: { model: 'whisper-1', language: 'de' },
      modalities: ['text'],
    },
  })
  await talk.hears('speech', 600)
  await talk.hears('silence', 2_000)
  expect(talk.socket.types.slice(2)).toEqual([
    'input_audio_buffer.speech_started',
    'input_audio_buffer.speech_stopped',
    'input_audio_buffer.committed',
    'conversation.item.created',
    'conversation.item.input_audio_transcription.delta',
    'conversation.item.input_audio_transcription.completed',
  ])
  speaksBeta(talk.socket.events)
  talk.connection.closed()
})

test('a GA client hears no beta name, whatever it mixes in', async () => {
  const talk = await connect()
  await talk.tell({ type: 'session.update', session: { voice: 'verse', modalities: ['text', 'audio'] } })
  talk.session.say(...SPOKEN_TURN)
  await talk.clock.advance(0)
  const ga = sdkEvents('ga', 'RealtimeServerEvent')
  for (const { type } of talk.socket.events) {
    expect(type).not.toMatch(/^response\.(text|audio|audio_transcript)\.|^conversation\.(item\.)?created$/)
    if (!BESIDE.includes(type)) expect(ga.has(type), type).toBe(true)
  }
})
