/** The wire with the server's own session behind it: bytes in, OpenAI's events out. */
import { expect, test } from 'vitest'
import { type RealTalk, talkToRealSession } from './real-host.ts'

/** Event types in order, with runs of the same delta written once. */
function story({ socket }: RealTalk, from = 0): string[] {
  const types = socket.types.slice(from)
  const deltas = new Set<string>()
  return types.filter((type) => {
    if (!type.endsWith('.delta')) {
      deltas.clear()
      return true
    }
    if (deltas.has(type)) return false
    deltas.add(type)
    return true
  })
}

const last = (talk: RealTalk, type: string) => talk.socket.events.findLast((event) => event.type === type)

async function gone(talk: RealTalk): Promise<void> {
  talk.connection.closed()
  await talk.clock.advance(0)
  expect(talk.host.size).toBe(0)
  expect(talk.clock.pendingTimers).toBe(0)
}

test('a spoken turn, in OpenAI’s order', async () => {
  const talk = await talkToRealSession()
  await talk.tell({
    type: 'session.update',
    session: { audio: { input: { transcription: { model: 'whisper-1' } } } },
  })
  await talk.hears('silence', 500)
  await talk.hears('speech', 1_000)
  await talk.hears('silence', 2_000)
  const told = story(talk, 2)
  const transcription = 'conversation.item.input_audio_transcription'
  expect(told.filter((type) => type.startsWith(transcription))).toEqual([
    `${transcription}.delta`,
    `${transcription}.completed`,
  ])
  expect(told.filter((type) => !type.startsWith(transcription) && !type.endsWith('.delta'))).toEqual([
    'input_audio_buffer.speech_started',
    'input_audio_buffer.speech_stopped',
    'input_audio_buffer.committed',
    'conversation.item.added',
    'conversation.item.done',
    'response.created',
    'response.output_item.added',
    'conversation.item.added',
    'response.content_part.added',
    'response.output_audio.done',
    'response.output_audio_transcript.done',
    'response.content_part.done',
    'conversation.item.done',
    'response.output_item.done',
    'response.done',
  ])
  const ids = talk.socket.events.flatMap((event) =>
    /speech_|committed|transcription/.test(event.type) ? [event['item_id']] : [],
  )
  expect(new Set(ids).size).toBe(1)
  expect(last(talk, `${transcription}.completed`)?.['transcript']).toBe('hello there')
  const { response } = last(talk, 'response.done') as unknown as { response: Record<string, unknown> }
  expect(response).toMatchObject({ status: 'completed', parley: { pipeline: 'support' } })
  const sum = talk.socket.events
    .filter((event) => event.type === 'response.output_audio_transcript.delta')
    .map((event) => event['delta'])
    .join('')
  expect(last(talk, 'response.output_audio_transcript.done')?.['transcript']).toBe(sum)
  expect(sum).toBe('Hello there. How can I help you today?')
  await gone(talk)
})

test('a caller interrupts: the answer ends as cancelled, is truncated, and the talk goes on', async () => {
  const talk = await talkToRealSession({ answer: () => 'One. Two. Three. Four. '.repeat(20), tokenMs: 60 })
  await talk.hears('speech', 600)
  await talk.hears('silence', 1_200)
  expect(talk.socket.types).toContain('response.output_audio.delta')
  expect(talk.socket.types).not.toContain('response.done')
  const from = talk.socket.sent.length
  await talk.hears('speech', 500)
  const told = story(talk, from).filter((type) => !type.endsWith('.delta'))
  expect(told).toEqual([
    'input_audio_buffer.speech_started',
    'response.output_audio.done',
    'response.output_audio_transcript.done',
    'response.content_part.done',
    'conversation.item.done',
    'response.output_item.done',
    'response.done',
  ])
  expect(last(talk, 'response.done')?.['response']).toMatchObject({
    status: 'cancelled',
    status_details: { type: 'cancelled', reason: 'turn_detected' },
    output: [{ status: 'incomplete' }],
  })
  const itemId = last(talk, 'response.output_item.done')?.['item'].id
  await talk.tell({
    type: 'conversation.item.truncate',
    item_id: itemId,
    content_index: 0,
    audio_end_ms: 400,
  })
  expect(talk.socket.last).toMatchObject({ type: 'conversation.item.truncated', audio_end_ms: 400 })
  await talk.tell({ type: 'conversation.item.retrieve', item_id: itemId })
  const [part] = talk.socket.last['item'].content
  expect(part.transcript).toBeNull()
  expect(Buffer.from(part.audio, 'base64')).toHaveLength(400 * 48)
  await talk.hears('silence', 1_200)
  expect(talk.socket.types.filter((type) => type === 'response.created')).toHaveLength(2)
  await gone(talk)
})

test('a manual turn: commit starts no response, response.create does', async () => {
  const talk = await talkToRealSession()
  await talk.tell({ type: 'session.update', session: { audio: { input: { turn_detection: null } } } })
  await talk.tell({ type: 'input_audio_buffer.commit', event_id: 'early' })
  expect(talk.socket.last['error']).toMatchObject({
    code: 'input_audio_buffer_commit_empty',
    event_id: 'early',
  })
  const from = talk.socket.sent.length
  await talk.hears('speech', 600)
  await talk.tell({ type: 'input_audio_buffer.commit' })
  await talk.clock.advance(1_000)
  expect(story(talk, from)).toEqual([
    'input_audio_buffer.committed',
    'conversation.item.added',
    'conversation.item.done',
  ])
  await talk.tell({ type: 'response.create', response: { metadata: { client_event_id: 'mine' } } })
  await talk.clock.advance(1_000)
  expect(last(talk, 'response.created')?.['response'].metadata).toEqual({ client_event_id: 'mine' })
  expect(last(talk, 'response.done')?.['response']).toMatchObject({
    status: 'completed',
    metadata: { client_event_id: 'mine' },
  })
  await gone(talk)
})

test('a written turn with a function call, its output, and the answer to it', async () => {
  const call = { callId: 'call_1', name: 'weather', arguments: '{"in":"Oslo"}' }
  const talk = await talkToRealSession({
    answer: ({ messages }) =>
      messages.at(-1)?.role === 'tool'
        ? 'It rains.'
        : [
            { type: 'toolCall', call },
            { type: 'finish', reason: 'tool_calls' },
          ],
  })
  const tools = [{ type: 'function', name: 'weather', parameters: { type: 'object' } }]
  await talk.tell({ type: 'session.update', session: { output_modalities: ['text'], tools } })
  const content = [{ type: 'input_text', text: 'Weather?' }]
  await talk.tell({ type: 'conversation.item.create', item: { type: 'message', role: 'user', content } })
  await talk.tell({ type: 'response.create' })
  await talk.clock.advance(500)
  expect(story(talk, 2)).toEqual([
    'conversation.item.added',
    'conversation.item.done',
    'response.created',
    'response.output_item.added',
    'conversation.item.added',
    'response.function_call_arguments.delta',
    'response.function_call_arguments.done',
    'conversation.item.done',
    'response.output_item.done',
    'response.done',
  ])
  const from = talk.socket.sent.length
  const item = { type: 'function_call_output', call_id: 'call_1', output: 'rain' }
  await talk.tell({ type: 'conversation.item.create', item })
  await talk.tell({ type: 'response.create' })
  await talk.clock.advance(500)
  expect(story(talk, from)).toEqual([
    'conversation.item.added',
    'conversation.item.done',
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
  expect(last(talk, 'response.output_text.done')?.['text']).toBe('It rains.')
  await gone(talk)
})

test('a burst of cancel, truncate and create is handled in its order', async () => {
  const talk = await talkToRealSession({ answer: () => 'One. Two. Three. '.repeat(20), tokenMs: 60 })
  await talk.hears('speech', 600)
  await talk.hears('silence', 1_500)
  const itemId = last(talk, 'response.output_item.added')?.['item'].id
  const frames = [
    { type: 'response.create', event_id: 'too early' },
    { type: 'response.cancel' },
    { type: 'conversation.item.truncate', item_id: itemId, content_index: 0, audio_end_ms: 100 },
    { type: 'response.create', response: { instructions: 'Say sorry.' } },
    { type: 'response.cancel', response_id: 'resp_nowhere', event_id: 'no such' },
  ]
  for (const frame of frames) talk.connection.message(Buffer.from(JSON.stringify(frame)), false)
  await talk.clock.advance(500)
  const errors = talk.socket.events.filter((event) => event.type === 'error').map((event) => event['error'])
  expect(errors.map(({ code, event_id }) => [code, event_id])).toEqual([
    ['conversation_already_has_active_response', 'too early'],
    ['response_cancel_not_active', 'no such'],
  ])
  const done = talk.socket.events.find((event) => event.type === 'response.done')
  expect(done?.['response'].status_details).toEqual({ type: 'cancelled', reason: 'client_cancelled' })
  expect(talk.socket.types).toContain('conversation.item.truncated')
  expect(talk.socket.types.filter((type) => type === 'response.created')).toHaveLength(2)
  await gone(talk)
})

test('G.711 in and out', async () => {
  const talk = await talkToRealSession()
  const format = { type: 'audio/pcmu' }
  await talk.tell({ type: 'session.update', session: { audio: { input: { format }, output: { format } } } })
  expect(talk.socket.last['session'].audio).toMatchObject({ input: { format }, output: { format } })
  const content = [{ type: 'input_text', text: 'Hi' }]
  await talk.tell({ type: 'conversation.item.create', item: { type: 'message', role: 'user', content } })
  await talk.tell({ type: 'response.create' })
  await talk.clock.advance(1_000)
  const bytes = talk.socket.events
    .filter((event) => event.type === 'response.output_audio.delta')
    .reduce((sum, event) => sum + Buffer.from(event['delta'], 'base64').length, 0)
  // 50 ms a character, 8 bytes a millisecond: the words with what padding the last frame has.
  expect(bytes).toBeGreaterThanOrEqual('Hello there.How can I help you today?'.length * 50 * 8)
  expect(last(talk, 'response.done')?.['response'].audio.output.format).toEqual(format)
  await gone(talk)
})
