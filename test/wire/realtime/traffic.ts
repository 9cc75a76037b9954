/** What clients really send, as their libraries write it: the seed of the traffic that is mutated. */
const audio = Buffer.from(Array.from({ length: 960 }, (_, at) => (at * 37) & 255)).toString('base64')

/** Agents SDK, `openai` SDK, Mastra, LiveKit and openai-realtime-api, one conversation each, in their order. */
export const TRAFFIC: readonly object[] = [
  {
    type: 'session.update',
    session: {
      type: 'realtime',
      model: 'gpt-realtime',
      instructions: 'Speak like a pirate.',
      output_modalities: ['audio'],
      tools: [
        {
          type: 'function',
          name: 'weather',
          description: 'Tells the weather.',
          parameters: { type: 'object', properties: { in: { type: 'string' } }, required: ['in'] },
        },
      ],
      tool_choice: 'auto',
      audio: {
        input: {
          format: { type: 'audio/pcm', rate: 24000 },
          noise_reduction: null,
          transcription: { model: 'gpt-4o-mini-transcribe' },
          turn_detection: { type: 'semantic_vad' },
        },
        output: { format: { type: 'audio/pcm', rate: 24000 }, voice: 'ash', speed: 1 },
      },
    },
  },
  { type: 'session.update', session: { type: 'realtime', tracing: 'auto' } },
  { type: 'input_audio_buffer.append', audio },
  { type: 'input_audio_buffer.append', audio: '' },
  { event_id: 'evt_1', type: 'input_audio_buffer.commit' },
  { event_id: 'evt_2', type: 'input_audio_buffer.clear' },
  {
    event_id: 'evt_3',
    type: 'response.create',
    response: {
      instructions: 'Greet.',
      metadata: { client_event_id: 'response_create_1' },
      audio: { output: { voice: 'marin' } },
      tool_choice: { type: 'function', name: 'weather' },
      input: [{ type: 'item_reference', id: 'item_1' }],
      conversation: 'none',
      max_output_tokens: 'inf',
    },
  },
  { type: 'response.create', response: {} },
  { type: 'response.cancel' },
  { type: 'response.cancel', response_id: 'resp_1' },
  { type: 'conversation.item.truncate', item_id: 'item_1', content_index: 0, audio_end_ms: 1530 },
  { type: 'conversation.item.retrieve', item_id: 'item_1' },
  { event_id: 'item_delete_1', type: 'conversation.item.delete', item_id: 'item_1' },
  {
    event_id: 'item_create_1',
    type: 'conversation.item.create',
    previous_item_id: 'root',
    item: {
      id: 'item_9',
      type: 'message',
      role: 'user',
      content: [{ type: 'input_text', text: 'héllo 👋' }],
    },
  },
  {
    type: 'conversation.item.create',
    item: { type: 'function_call_output', call_id: 'call_1', output: '{"sky":"clear"}' },
  },
  {
    type: 'conversation.item.create',
    item: { type: 'function_call', call_id: 'call_1', name: 'weather', arguments: '{"in":"Oslo"}' },
  },
  {
    type: 'conversation.item.create',
    item: {
      type: 'message',
      role: 'assistant',
      status: 'incomplete',
      content: [{ type: 'output_audio', transcript: 'Ahoy, mat' }],
    },
  },
  {
    type: 'session.update',
    session: {
      modalities: ['text', 'audio'],
      voice: 'verse',
      input_audio_format: 'pcm16',
      output_audio_format: 'g711_ulaw',
      input_audio_transcription: { model: 'whisper-1', language: 'de', prompt: 'ships' },
      turn_detection: {
        type: 'server_vad',
        threshold: 0.5,
        prefix_padding_ms: 300,
        silence_duration_ms: 200,
      },
      temperature: 0.8,
      max_response_output_tokens: 4096,
      tool_choice: 'weather',
    },
  },
  {
    type: 'session.update',
    session: {
      type: 'realtime',
      providerData: {
        parley: { pipeline: 'support', metadata: { tier: 'gold' }, user: 'ann', turnEvents: true },
      },
    },
  },
  {
    type: 'session.update',
    session: { type: 'transcription', audio: { input: { transcription: { model: 'gpt-4o-transcribe' } } } },
  },
  { type: 'transcription_session.update', session: { input_audio_transcription: { model: 'whisper-1' } } },
  { type: 'output_audio_buffer.clear' },
  { type: 'parley.played', responseId: 'resp_1', playedMs: 1200 },
]
