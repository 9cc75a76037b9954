import { describe, expect, test } from 'vitest'
import { ALAW_8K, MULAW_8K, PCM16_24K } from '../../../src/audio/format.ts'
import { CLIENT_EVENTS, type Parsed, parseFrame } from '../../../src/wire/realtime/parse.ts'

const CONTEXT = { outputFormat: PCM16_24K }

function parse(event: unknown): Parsed {
  return parseFrame(Buffer.from(typeof event === 'string' ? event : JSON.stringify(event)), CONTEXT)
}

function patchOf(session: unknown) {
  const parsed = parse({ type: 'session.update', session })
  if (parsed.kind !== 'update') throw new Error(`refused: ${JSON.stringify(parsed)}`)
  return parsed.update.patch
}

describe('each client event becomes one thing to do', () => {
  const ref = 'evt_1'
  const table: [string, object, object][] = [
    ['commit', { type: 'input_audio_buffer.commit' }, { type: 'commit', ref }],
    ['clear', { type: 'input_audio_buffer.clear' }, { type: 'clear', ref }],
    [
      'retrieve',
      { type: 'conversation.item.retrieve', item_id: 'i1' },
      { type: 'retrieveItem', itemId: 'i1', ref },
    ],
    [
      'delete',
      { type: 'conversation.item.delete', item_id: 'i1' },
      { type: 'deleteItem', itemId: 'i1', ref },
    ],
    [
      'truncate',
      { type: 'conversation.item.truncate', item_id: 'i1', content_index: 0, audio_end_ms: 1450 },
      { type: 'truncateItem', itemId: 'i1', contentIndex: 0, audioEndMs: 1450, ref },
    ],
    ['cancel', { type: 'response.cancel' }, { type: 'cancelResponse', responseId: null, ref }],
    [
      'cancel one',
      { type: 'response.cancel', response_id: 'r1' },
      { type: 'cancelResponse', responseId: 'r1', ref },
    ],
    ['respond', { type: 'response.create' }, { type: 'respond', request: { conversation: 'default' }, ref }],
    [
      'respond with {}',
      { type: 'response.create', response: {} },
      { type: 'respond', request: { conversation: 'default' }, ref },
    ],
    [
      'played',
      { type: 'parley.played', responseId: 'r1', playedMs: 300 },
      { type: 'played', responseId: 'r1', playedMs: 300 },
    ],
  ]
  test.each(table)('%s', (_, given, event) => {
    expect(parse({ event_id: ref, ...given })).toEqual({ kind: 'event', event })
  })

  test('an event without event_id has no ref', () => {
    expect(parse({ type: 'input_audio_buffer.commit' })).toEqual({
      kind: 'event',
      event: { type: 'commit', ref: null },
    })
  })
})

describe('audio', () => {
  test('base64 becomes the very bytes, odd counts too', () => {
    for (const size of [0, 1, 2, 3, 959, 960, 8193]) {
      const bytes = Buffer.from(Array.from({ length: size }, (_, at) => (at * 7) & 255))
      const parsed = parse({ type: 'input_audio_buffer.append', audio: bytes.toString('base64') })
      expect(parsed.kind).toBe('audio')
      if (parsed.kind === 'audio') expect(Buffer.compare(bytes, Buffer.from(parsed.bytes))).toBe(0)
    }
  })

  test.each([
    ['a stray character', 'AAA*'],
    ['white space', 'AAAA AAA='],
    ['a broken group', 'AAAAA'],
    ['padding inside', 'AA==AAAA'],
    ['padding alone', '===='],
    ['too much padding', 'A==='],
    ['a data URL', 'data:audio/wav;base64,AAAA'],
    ['words', 'hello wörld!'],
  ])('%s is refused', (_, audio) => {
    expect(parse({ event_id: 'e', type: 'input_audio_buffer.append', audio })).toMatchObject({
      kind: 'refused',
      code: 'invalid_value',
      param: 'audio',
      ref: 'e',
    })
  })

  test('no audio, or audio that is no string', () => {
    expect(parse({ type: 'input_audio_buffer.append' })).toMatchObject({ code: 'missing_required_parameter' })
    expect(parse({ type: 'input_audio_buffer.append', audio: [1] })).toMatchObject({ code: 'invalid_type' })
  })

  test('15 MiB in one event are taken, one byte more is not', () => {
    const most = 15 * 1024 * 1024
    const event = (size: number) =>
      `{"type":"input_audio_buffer.append","audio":"${Buffer.alloc(size).toString('base64')}"}`
    expect(parse(event(most)).kind).toBe('audio')
    expect(parse(event(most + 1))).toMatchObject({ kind: 'refused', code: 'invalid_value', param: 'audio' })
  })
})

describe('items', () => {
  const create = (item: unknown, more: object = {}) =>
    parse({ type: 'conversation.item.create', item, ...more })
  const message = (role: string, ...content: object[]) => ({ type: 'message', role, content })

  const table: [string, object, object][] = [
    [
      'a user message, its id the client’s',
      { id: 'item_mine', ...message('user', { type: 'input_text', text: 'hi' }) },
      {
        id: 'item_mine',
        type: 'message',
        role: 'user',
        status: 'completed',
        parts: [{ type: 'text', text: 'hi' }],
      },
    ],
    [
      'a system message without id',
      message('system', { type: 'input_text', text: 'be kind' }),
      {
        id: '',
        type: 'message',
        role: 'system',
        status: 'completed',
        parts: [{ type: 'text', text: 'be kind' }],
      },
    ],
    [
      'an assistant message in GA words',
      message('assistant', { type: 'output_text', text: 'yes' }),
      {
        id: '',
        type: 'message',
        role: 'assistant',
        status: 'completed',
        parts: [{ type: 'text', text: 'yes' }],
      },
    ],
    [
      'an assistant message in beta words',
      message('assistant', { type: 'text', text: 'yes' }, { type: 'audio', transcript: 'and no' }),
      {
        id: '',
        type: 'message',
        role: 'assistant',
        status: 'completed',
        parts: [
          { type: 'text', text: 'yes' },
          { type: 'audio', transcript: 'and no' },
        ],
      },
    ],
    [
      'audio whose words are known, and a picture',
      message(
        'user',
        { type: 'input_audio', transcript: 'look', audio: 'AAAA' },
        { type: 'input_image', image_url: 'data:image/png;base64,AAAA', detail: 'low' },
      ),
      {
        id: '',
        type: 'message',
        role: 'user',
        status: 'completed',
        parts: [
          { type: 'audio', transcript: 'look' },
          { type: 'image', url: 'data:image/png;base64,AAAA', detail: 'low' },
        ],
      },
    ],
    [
      'a function call replayed from history',
      { type: 'function_call', call_id: 'c1', name: 'weather', arguments: '{"in":"Oslo"}' },
      {
        id: '',
        type: 'toolCall',
        callId: 'c1',
        name: 'weather',
        arguments: '{"in":"Oslo"}',
        status: 'completed',
      },
    ],
    [
      'a function’s output',
      { type: 'function_call_output', call_id: 'c1', output: '{"deg":3}' },
      { id: '', type: 'toolResult', callId: 'c1', output: '{"deg":3}', status: 'completed' },
    ],
  ]
  test.each(table)('%s', (_, item, neutral) => {
    expect(create(item, { previous_item_id: 'root' })).toEqual({
      kind: 'event',
      event: { type: 'createItem', item: neutral, after: 'root', ref: null },
    })
  })

  test('audio without words goes along, to be recognised', () => {
    const item = message(
      'user',
      { type: 'input_audio', audio: 'AAECAw==' },
      { type: 'input_text', text: 'And?' },
    )
    expect(create(item)).toEqual({
      kind: 'event',
      event: {
        type: 'createItem',
        item: {
          id: '',
          type: 'message',
          role: 'user',
          status: 'completed',
          parts: [
            { type: 'audio', transcript: null },
            { type: 'text', text: 'And?' },
          ],
        },
        audio: Buffer.from([0, 1, 2, 3]),
        after: null,
        ref: null,
      },
    })
  })

  test('within a response’s own input audio needs its words', () => {
    const input = [message('user', { type: 'input_audio', audio: 'AAAA' })]
    expect(parse({ type: 'response.create', response: { input } })).toMatchObject({
      kind: 'refused',
      code: 'unsupported_content_type',
      param: 'response.input[0].content[0].transcript',
    })
  })

  test.each([
    ['no item', undefined, 'missing_required_parameter', 'item'],
    ['an unknown kind', { type: 'mcp_call' }, 'invalid_value', 'item.type'],
    ['an unknown role', message('robot'), 'invalid_value', 'item.role'],
    ['no content', { type: 'message', role: 'user' }, 'missing_required_parameter', 'item.content'],
    [
      'a part of the other side',
      message('user', { type: 'output_text', text: 'x' }),
      'invalid_value',
      'item.content[0].type',
    ],
    [
      'a text part without text',
      message('user', { type: 'input_text' }),
      'missing_required_parameter',
      'item.content[0].text',
    ],
    [
      'the assistant’s audio without words',
      message('assistant', { type: 'output_audio', audio: 'AAAA' }),
      'unsupported_content_type',
      'item.content[0].transcript',
    ],
    [
      'audio with neither words nor bytes',
      message('user', { type: 'input_audio' }),
      'missing_required_parameter',
      'item.content[0].audio',
    ],
    [
      'empty audio',
      message('user', { type: 'input_audio', audio: '' }),
      'invalid_value',
      'item.content[0].audio',
    ],
    [
      'audio that is no base64',
      message('user', { type: 'input_audio', audio: '%%' }),
      'invalid_value',
      'item.content[0].audio',
    ],
    [
      'two stretches of audio',
      message('user', { type: 'input_audio', audio: 'AAAA' }, { type: 'input_audio', audio: 'AAAA' }),
      'unsupported_content_type',
      'item.content[1].audio',
    ],
    [
      'an output without a call',
      { type: 'function_call_output', output: '' },
      'missing_required_parameter',
      'item.call_id',
    ],
    [
      'an output that is an object',
      { type: 'function_call_output', call_id: 'c', output: {} },
      'invalid_type',
      'item.output',
    ],
    ['a huge id', { id: 'x'.repeat(129), ...message('user') }, 'string_above_max_length', 'item.id'],
  ])('%s is refused', (_, item, code, param) => {
    expect(create(item)).toMatchObject({ kind: 'refused', code, param })
  })
})

describe('response.create', () => {
  const request = (response: object) => {
    const parsed = parse({ type: 'response.create', response })
    if (parsed.kind !== 'event' || parsed.event.type !== 'respond') throw new Error(JSON.stringify(parsed))
    return parsed.event.request
  }

  test('every override, in GA words', () => {
    const response = {
      conversation: 'none',
      instructions: 'In one word.',
      output_modalities: ['text'],
      audio: { output: { voice: 'cedar', format: { type: 'audio/pcm', rate: 24000 } } },
      tools: [{ type: 'function', name: 'a', description: 'b', parameters: { type: 'object' } }],
      tool_choice: { type: 'function', name: 'a' },
      max_output_tokens: 60,
      metadata: { client_event_id: 'x' },
      input: [
        { type: 'item_reference', id: 'item_1' },
        { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'hi' }] },
      ],
    }
    expect(request(response)).toEqual({
      conversation: 'none',
      instructions: 'In one word.',
      modality: 'text',
      voice: 'cedar',
      tools: [{ name: 'a', description: 'b', parameters: { type: 'object' } }],
      toolChoice: { name: 'a' },
      maxOutputTokens: 60,
      metadata: { client_event_id: 'x' },
      input: [
        'item_1',
        { id: '', type: 'message', role: 'user', status: 'completed', parts: [{ type: 'text', text: 'hi' }] },
      ],
    })
  })

  test('beta members are aliases; both modalities together are audio', () => {
    expect(
      request({
        modalities: ['text', 'audio'],
        voice: 'echo',
        max_response_output_tokens: 'inf',
        output_audio_format: 'pcm16',
      }),
    ).toEqual({ conversation: 'default', modality: 'audio', voice: 'echo', maxOutputTokens: 'inf' })
  })

  test('what nothing acts on is ignored, whatever it is', () => {
    const ignored = {
      prompt: { id: 'p' },
      reasoning: { effort: 'low' },
      parallel_tool_calls: false,
      nobody: 1,
    }
    expect(request(ignored)).toEqual({ conversation: 'default' })
  })

  test('an empty input is an empty context, not an absent one', () => {
    expect(request({ input: [] })).toEqual({ conversation: 'default', input: [] })
  })

  test.each([
    [{ conversation: 'mine' }, 'invalid_value', 'response.conversation'],
    [{ output_modalities: [] }, 'invalid_type', 'response.output_modalities'],
    [{ output_modalities: ['video'] }, 'invalid_value', 'response.output_modalities[0]'],
    [{ max_output_tokens: 0 }, 'integer_below_min_value', 'response.max_output_tokens'],
    [{ max_output_tokens: 4097 }, 'integer_above_max_value', 'response.max_output_tokens'],
    [{ max_output_tokens: 'lots' }, 'invalid_type', 'response.max_output_tokens'],
    [{ tool_choice: 'maybe' }, 'invalid_value', 'response.tool_choice'],
    [{ metadata: { a: 1 } }, 'invalid_type', 'response.metadata.a'],
    [{ metadata: { a: 'x'.repeat(513) } }, 'string_above_max_length', 'response.metadata.a'],
    [
      { metadata: Object.fromEntries(Array.from({ length: 17 }, (_, at) => [`k${at}`, ''])) },
      'object_above_max_properties',
      'response.metadata',
    ],
    [
      { audio: { output: { format: { type: 'audio/pcmu' } } } },
      'invalid_value',
      'response.audio.output.format',
    ],
    [{ input: [{ type: 'item_reference' }] }, 'missing_required_parameter', 'response.input[0].id'],
  ])('%j is refused', (response, code, param) => {
    expect(parse({ type: 'response.create', response })).toMatchObject({ kind: 'refused', code, param })
  })
})

describe('session.update', () => {
  test('every member that the session knows', () => {
    expect(
      patchOf({
        type: 'realtime',
        model: 'gpt-realtime-2.1',
        output_modalities: ['text'],
        instructions: '',
        tools: [],
        tool_choice: 'none',
        max_output_tokens: 200,
        audio: {
          input: { format: { type: 'audio/pcmu' }, transcription: { model: 'whisper-1', language: 'de' } },
          output: { format: { type: 'audio/pcma' }, voice: { id: 'v1' }, speed: 1.25 },
        },
      }),
    ).toEqual({
      modality: 'text',
      instructions: '',
      tools: [],
      toolChoice: 'none',
      maxOutputTokens: 200,
      inputFormat: MULAW_8K,
      showTranscription: true,
      outputFormat: ALAW_8K,
      voice: 'v1',
      speed: 1.25,
    })
  })

  test('the flat members of the beta API are aliases', () => {
    expect(
      patchOf({
        modalities: ['text', 'audio'],
        voice: 'sage',
        input_audio_format: 'g711_ulaw',
        output_audio_format: 'g711_alaw',
        input_audio_transcription: null,
        temperature: 0.8,
        max_response_output_tokens: 'inf',
        speed: 0.9,
      }),
    ).toEqual({
      modality: 'audio',
      voice: 'sage',
      inputFormat: MULAW_8K,
      outputFormat: ALAW_8K,
      showTranscription: false,
      temperature: 0.8,
      maxOutputTokens: 'inf',
      speed: 0.9,
    })
  })

  test('unknown members are ignored, at any depth', () => {
    expect(
      patchOf({ bogus: 1, audio: { bogus: {}, input: { bogus: [] } }, tools: [{ name: 'a', meta: {} }] }),
    ).toEqual({ tools: [{ name: 'a' }] })
  })

  test.each([
    [undefined, 'missing_required_parameter', 'session'],
    [null, 'invalid_type', 'session'],
    [[], 'invalid_type', 'session'],
    [{ type: 'translation' }, 'invalid_value', 'session.type'],
    [{ instructions: 5 }, 'invalid_type', 'session.instructions'],
    [{ instructions: 'x'.repeat(1_048_577) }, 'string_above_max_length', 'session.instructions'],
    [{ audio: [] }, 'invalid_type', 'session.audio'],
    [
      { audio: { input: { format: { type: 'audio/aac' } } } },
      'invalid_value',
      'session.audio.input.format.type',
    ],
    [
      { audio: { input: { format: { type: 'audio/pcm', rate: 16000 } } } },
      'integer_below_min_value',
      'session.audio.input.format.rate',
    ],
    [
      { audio: { input: { turn_detection: { type: '' } } } },
      'invalid_value',
      'session.audio.input.turn_detection.type',
    ],
    [
      { audio: { input: { turn_detection: { type: 'server_vad', threshold: 2 } } } },
      'decimal_above_max_value',
      'session.audio.input.turn_detection.threshold',
    ],
    [
      { audio: { input: { turn_detection: { type: 'server_vad', idle_timeout_ms: 100 } } } },
      'integer_below_min_value',
      'session.audio.input.turn_detection.idle_timeout_ms',
    ],
    [
      { audio: { input: { turn_detection: { type: 'semantic_vad', eagerness: 'very' } } } },
      'invalid_value',
      'session.audio.input.turn_detection.eagerness',
    ],
    [{ audio: { output: { speed: 0.1 } } }, 'decimal_below_min_value', 'session.audio.output.speed'],
    [{ audio: { output: { voice: 7 } } }, 'invalid_type', 'session.audio.output.voice'],
    [
      { audio: { input: { noise_reduction: { type: 'loud' } } } },
      'invalid_value',
      'session.audio.input.noise_reduction.type',
    ],
    [{ tools: [{ type: 'web_search' }] }, 'invalid_value', 'session.tools[0].type'],
    [
      { tools: [{ type: 'function', function: { name: 'a' } }] },
      'missing_required_parameter',
      'session.tools[0].name',
    ],
    [{ tools: [{ type: 'function', name: 'not a name' }] }, 'invalid_value', 'session.tools[0].name'],
    [
      { tools: Array.from({ length: 129 }, () => ({ name: 'a' })) },
      'array_above_max_length',
      'session.tools',
    ],
    [{ tracing: 'loud' }, 'invalid_value', 'session.tracing'],
    [{ truncation: 3 }, 'invalid_type', 'session.truncation'],
    [{ include: ['everything'] }, 'invalid_value', 'session.include[0]'],
    [
      { providerData: { parley: { turnEvents: 'yes' } } },
      'invalid_type',
      'session.providerData.parley.turnEvents',
    ],
    [
      { providerData: { parley: { pacing: { leadMs: -1 } } } },
      'integer_below_min_value',
      'session.providerData.parley.pacing.leadMs',
    ],
    [
      { providerData: { metadata: { a: 'x'.repeat(20_000) } } },
      'invalid_value',
      'session.providerData.parley.metadata',
    ],
  ])('%j is refused', (session, code, param) => {
    expect(parse({ type: 'session.update', session, event_id: 'e' })).toMatchObject({
      kind: 'refused',
      code,
      param,
      ref: 'e',
    })
  })
})

describe('what is no event', () => {
  test.each([
    ['no JSON', 'hello', 'invalid_json', null],
    ['nothing', '', 'invalid_json', null],
    ['half an event', '{"type":"session.up', 'invalid_json', null],
    ['an array', '[]', 'invalid_event', null],
    ['null', 'null', 'invalid_event', null],
    ['no type', '{}', 'missing_required_parameter', 'type'],
    ['a type that is no string', '{"type":7}', 'invalid_type', 'type'],
    ['an unknown type', '{"type":"nope"}', 'invalid_value', 'type'],
    ['a member of Object', '{"type":"constructor"}', 'invalid_value', 'type'],
    ['WebRTC only', '{"type":"output_audio_buffer.clear"}', 'invalid_value', 'type'],
    ['beta only', '{"type":"transcription_session.update"}', 'invalid_value', 'type'],
  ])('%s', (_, frame, code, param) => {
    expect(parse(frame)).toMatchObject({ kind: 'refused', code, param })
  })

  test('the answer to an unknown type lists the known ones', () => {
    const parsed = parse({ type: 'nope' })
    if (parsed.kind !== 'refused') throw new Error('accepted')
    expect(parsed.message).toMatch(/^Invalid value: 'nope'\. Supported values are: 'session\.update', /)
    for (const type of CLIENT_EVENTS) expect(parsed.message).toContain(`'${type}'`)
  })

  test('JSON nested a million deep is refused and the stack holds', () => {
    expect(parse('['.repeat(1_000_000))).toMatchObject({ kind: 'refused', code: 'invalid_event' })
    const deep = `${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`
    expect(parse(`{"type":"session.update","session":{"tracing":${deep}}}`)).toMatchObject({
      code: 'invalid_value',
      param: 'session.tracing',
    })
  })

  test('session.update above 2 MiB is refused: it would be echoed whole', () => {
    const session = { tools: [{ name: 'a', description: 'x'.repeat(1_000_000) }], pad: 'x'.repeat(1_200_000) }
    expect(parse({ type: 'session.update', session })).toMatchObject({ code: 'invalid_event' })
  })
})
