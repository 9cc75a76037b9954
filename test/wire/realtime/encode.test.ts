import { describe, expect, test } from 'vitest'
import type { SessionOutput } from '../../../src/session/output.ts'
import { Encoder } from '../../../src/wire/realtime/encode.ts'
import type { WireEcho } from '../../../src/wire/realtime/session-update.ts'
import { PIPELINE_SETTINGS } from '../../support/fake-session.ts'
import type { WireEvent } from './fake-socket.ts'
import { assistant, CALL, MCP_STORY, PLACE, response, SPOKEN_TURN, THE_REST } from './outputs.ts'

const SHOWN = { ...PIPELINE_SETTINGS, showTranscription: true }

function encode(outputs: readonly SessionOutput[], settings = SHOWN, echo: WireEcho = {}): WireEvent[] {
  const texts: string[] = []
  const view = { sessionId: 'sess_1', settings, echo, model: 'm', expiresAt: 1, conversationId: 'conv_1' }
  const encoder = new Encoder(view, (text) => texts.push(text))
  for (const output of outputs) encoder.output(output)
  return texts.map((text) => JSON.parse(text))
}

const types = (events: readonly WireEvent[]) => events.map((event) => event.type)

describe('the order of events', () => {
  test('a spoken turn under server VAD, with a function call at its end', () => {
    expect(types(encode(SPOKEN_TURN))).toEqual([
      'input_audio_buffer.speech_started',
      'input_audio_buffer.speech_stopped',
      'input_audio_buffer.committed',
      'conversation.item.added',
      'conversation.item.done',
      'conversation.item.input_audio_transcription.delta',
      'conversation.item.input_audio_transcription.completed',
      'response.created',
      'response.output_item.added',
      'conversation.item.added',
      'response.content_part.added',
      'response.output_audio_transcript.delta',
      'response.output_audio.delta',
      'response.output_audio_transcript.delta',
      'response.output_audio.delta',
      'response.output_audio.done',
      'response.output_audio_transcript.done',
      'response.content_part.done',
      'conversation.item.done',
      'response.output_item.done',
      'response.output_item.added',
      'conversation.item.added',
      'response.function_call_arguments.delta',
      'response.function_call_arguments.done',
      'conversation.item.done',
      'response.output_item.done',
      'response.done',
    ])
  })

  test('a written answer', () => {
    const modality = 'text'
    const item = { ...assistant('completed'), parts: [{ type: 'text' as const, text: 'Hi.' }] }
    const shared = { modality, previousItemId: null, inConversation: true, ...PLACE } as const
    const events = encode([
      { type: 'responseCreated', response: response(null, { modality }) },
      { type: 'answerStarted', item, ...shared },
      { type: 'answerText', delta: 'Hi.', modality, ...PLACE },
      { type: 'answerDone', item, text: 'Hi.', ...shared },
      {
        type: 'responseDone',
        turn: 'turn_1',
        response: response({ status: 'completed' }, { modality }),
        record: null,
      },
    ])
    expect(types(events)).toEqual([
      'response.created',
      'response.output_item.added',
      'conversation.item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'conversation.item.done',
      'response.output_item.done',
      'response.done',
    ])
    expect(events[3]?.['part']).toEqual({ type: 'text', text: '' })
    expect(events[7]?.['item'].content).toEqual([{ type: 'output_text', text: 'Hi.' }])
    expect(events[0]?.['response'].output_modalities).toEqual(['text'])
  })

  test('an answer out of band touches no conversation', () => {
    const inConversation = false
    const started = SPOKEN_TURN.filter((o) => o.type === 'answerStarted' || o.type === 'answerDone')
    const called = SPOKEN_TURN.filter((o) => o.type === 'toolCalled')
    const events = encode([
      ...[...started, ...called].map((output) => ({ ...output, inConversation }) as SessionOutput),
      {
        type: 'responseDone',
        turn: 'turn_1',
        response: response({ status: 'completed' }, { inConversation }),
        record: null,
      },
    ])
    expect(types(events).filter((type) => type.startsWith('conversation.'))).toEqual([])
    expect(events.at(-1)?.['response'].conversation_id).toBeNull()
  })
})

test('an MCP server is listed, called, asked about, and fails', () => {
  expect(types(encode(MCP_STORY))).toEqual([
    'conversation.item.added',
    'mcp_list_tools.in_progress',
    'mcp_list_tools.completed',
    'conversation.item.done',
    'response.output_item.added',
    'conversation.item.added',
    'response.mcp_call_arguments.delta',
    'response.mcp_call_arguments.done',
    'response.mcp_call.in_progress',
    'response.output_item.done',
    'response.mcp_call.completed',
    'conversation.item.done',
    'response.output_item.added',
    'conversation.item.added',
    'conversation.item.done',
    'response.output_item.done',
    'response.mcp_call.in_progress',
    'response.mcp_call.failed',
    'conversation.item.done',
    'mcp_list_tools.failed',
  ])
})

describe('what the events say', () => {
  const events = encode(SPOKEN_TURN)
  const find = (type: string, n = 0) => events.filter((event) => event.type === type)[n] as WireEvent

  test('ids of events are never the same', () => {
    expect(new Set(events.map((event) => event.event_id)).size).toBe(events.length)
    expect(events.every((event) => event.event_id.startsWith('event_'))).toBe(true)
  })

  test('times of speech are whole milliseconds', () => {
    expect(find('input_audio_buffer.speech_started')['audio_start_ms']).toBe(340)
    expect(find('input_audio_buffer.speech_stopped')['audio_end_ms']).toBe(1980)
  })

  test('a committed item shows a transcript that is null until it is known', () => {
    const item = find('conversation.item.added')['item']
    expect(item).toEqual({
      id: 'item_1',
      object: 'realtime.item',
      type: 'message',
      status: 'completed',
      role: 'user',
      content: [{ type: 'input_audio', transcript: null }],
    })
  })

  test('transcription reports its duration', () => {
    expect(find('conversation.item.input_audio_transcription.completed')).toMatchObject({
      item_id: 'item_1',
      content_index: 0,
      transcript: 'hello',
      usage: { type: 'duration', seconds: 1.64 },
    })
  })

  test('an item begins empty and in progress, and ends whole', () => {
    expect(find('response.output_item.added')['item']).toMatchObject({ status: 'in_progress', content: [] })
    expect(find('conversation.item.added', 1)['item']).toMatchObject({ status: 'in_progress', content: [] })
    expect(find('conversation.item.added', 1)['previous_item_id']).toBe('item_1')
    expect(find('response.output_item.done')['item']).toMatchObject({
      status: 'completed',
      content: [{ type: 'output_audio', transcript: 'Good morning.' }],
    })
  })

  test('deltas add up to what the done events say', () => {
    const deltas = events.filter((event) => event.type === 'response.output_audio_transcript.delta')
    const sum = deltas.map((event) => event['delta']).join('')
    expect(sum).toBe('Good morning.')
    expect(find('response.output_audio_transcript.done')['transcript']).toBe(sum)
    expect(find('response.content_part.done')['part']).toEqual({ type: 'audio', transcript: sum })
    const audio = events.filter((event) => event.type === 'response.output_audio.delta')
    expect(audio.map((event) => [...Buffer.from(event['delta'], 'base64')])).toEqual([
      [1, 2, 3, 4],
      [5, 6],
    ])
    for (const event of audio)
      expect(event).toMatchObject({
        response_id: 'resp_1',
        item_id: 'item_2',
        output_index: 0,
        content_index: 0,
      })
  })

  test('a function call opens without arguments and closes with them', () => {
    expect(find('response.output_item.added', 1)).toMatchObject({
      output_index: 1,
      item: {
        type: 'function_call',
        status: 'in_progress',
        name: 'weather',
        call_id: 'call_1',
        arguments: '',
      },
    })
    expect(find('response.function_call_arguments.done')).toMatchObject({
      item_id: 'item_3',
      call_id: 'call_1',
      name: 'weather',
      arguments: CALL.arguments,
    })
    expect(find('response.output_item.done', 1)['item']).toMatchObject({
      status: 'completed',
      arguments: CALL.arguments,
    })
  })

  test('a response in progress has neither usage nor details', () => {
    expect(find('response.created')['response']).toEqual({
      object: 'realtime.response',
      id: 'resp_1',
      status: 'in_progress',
      status_details: null,
      output: [],
      conversation_id: 'conv_1',
      output_modalities: ['audio'],
      max_output_tokens: 'inf',
      audio: { output: { format: { type: 'audio/pcm', rate: 24000 }, voice: 'warm' } },
      usage: null,
      metadata: null,
    })
  })

  test('a response ends with its items, its usage, its metadata and what Parley did', () => {
    const done = find('response.done')['response']
    expect(done.output.map((item: { type: string }) => item.type)).toEqual(['message', 'function_call'])
    expect(done.metadata).toEqual({ client_event_id: 'x' })
    expect(done.usage).toEqual({
      total_tokens: 17,
      input_tokens: 12,
      output_tokens: 5,
      input_token_details: {
        text_tokens: 12,
        audio_tokens: 0,
        image_tokens: 0,
        cached_tokens: 4,
        cached_tokens_details: { text_tokens: 4, audio_tokens: 0, image_tokens: 0 },
      },
      output_token_details: { text_tokens: 5, audio_tokens: 0 },
    })
    expect(Object.keys(done.parley)).toEqual(['turnId', 'pipeline', 'route', 'attempts', 'budget', 'costUsd'])
    expect(JSON.stringify(done.parley)).not.toContain('private words')
  })

  test.each([
    [{ status: 'completed' }, null],
    [
      { status: 'cancelled', reason: 'turn_detected' },
      { type: 'cancelled', reason: 'turn_detected' },
    ],
    [
      { status: 'cancelled', reason: 'client_cancelled' },
      { type: 'cancelled', reason: 'client_cancelled' },
    ],
    [
      { status: 'incomplete', reason: 'max_output_tokens' },
      { type: 'incomplete', reason: 'max_output_tokens' },
    ],
    [
      { status: 'failed', code: 'llm_failed', message: 'No model answered.' },
      { type: 'failed', error: { type: 'server_error', code: 'llm_failed', message: 'No model answered.' } },
    ],
  ] as const)('the ending %j', (ending, details) => {
    const [event] = encode([
      { type: 'responseDone', turn: 'turn_1', response: response(ending), record: null },
    ])
    expect(event?.['response']).toMatchObject({ status: ending.status, status_details: details })
    expect(event?.['response'].usage).toMatchObject({ total_tokens: 0, input_tokens: 0, output_tokens: 0 })
    expect(event?.['response']).not.toHaveProperty('parley')
  })

  test('the rest', () => {
    const rest = encode(THE_REST)
    expect(types(rest)).toEqual([
      'session.updated',
      'input_audio_buffer.cleared',
      'conversation.item.deleted',
      'conversation.item.truncated',
      'input_audio_buffer.timeout_triggered',
      'conversation.item.retrieved',
      'conversation.item.retrieved',
      'conversation.item.input_audio_transcription.failed',
      'error',
      'error',
    ])
    expect(rest[3]).toMatchObject({ item_id: 'item_2', content_index: 0, audio_end_ms: 450 })
    expect(rest[4]).toMatchObject({ item_id: 'item_1', audio_start_ms: 340, audio_end_ms: 6340 })
    expect(rest[5]?.['item'].content).toEqual([
      { type: 'output_audio', transcript: 'Good morning.', audio: 'AQID' },
    ])
    expect(rest[6]?.['item'].content).toEqual([{ type: 'input_text', text: 'hi' }])
    expect(rest[8]?.['error']).toEqual({
      type: 'invalid_request_error',
      code: 'invalid_value',
      message: 'No.',
      param: 'item',
      event_id: 'evt_9',
    })
    expect(rest[9]?.['error']).toEqual({
      type: 'server_error',
      code: 'tts_failed',
      message: 'No voice answered.',
      param: null,
      event_id: null,
    })
  })

  test('a client that switched transcription off gets none of its events', () => {
    const quiet = encode([...SPOKEN_TURN, ...THE_REST], PIPELINE_SETTINGS)
    expect(types(quiet).filter((type) => type.includes('transcription'))).toEqual([])
  })

  test('the record of a turn is an event for those who ask', () => {
    const [event] = encode(THE_REST.slice(-1), SHOWN, { parley: { turnEvents: true } })
    expect(event).toMatchObject({ type: 'parley.turn', turn: { id: 'turn_1', outcome: 'said' } })
  })

  test('text that JSON must escape arrives as it was', () => {
    const delta = 'He said "no"\n\u2028\\ and \ud83d\ude00'
    const [event] = encode([{ type: 'answerText', delta, modality: 'text', ...PLACE }])
    expect(event?.['delta']).toBe(delta)
  })
})

test('the Agents SDK’s own schemas accept each event of OpenAI’s', async () => {
  const schemas = '../../../node_modules/@openai/agents-realtime/dist/openaiRealtimeEvents.mjs'
  const { parseRealtimeEvent } = await import(/* @vite-ignore */ schemas)
  for (const event of encode([...SPOKEN_TURN, ...THE_REST, ...MCP_STORY])) {
    const read = parseRealtimeEvent({ data: JSON.stringify(event) })
    // Those of OpenAI's that this SDK has no schema for; it hands them on as they are.
    const unknown = ['input_audio_buffer.timeout_triggered', 'response.mcp_call.failed']
    expect(read.isGeneric, event.type).toBe(unknown.includes(event.type))
  }
})
