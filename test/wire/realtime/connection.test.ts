import { describe, expect, test } from 'vitest'
import { settled } from '../../../src/clock.ts'
import { connect, type Talk, type WireEvent } from './fake-socket.ts'
import { response, SPOKEN_TURN, sound } from './outputs.ts'

const AUDIO = sound(new Uint8Array(960))

describe('the session object', () => {
  const updated = (talk: Talk): WireEvent => {
    expect(talk.socket.last.type, JSON.stringify(talk.socket.last)).toBe('session.updated')
    return talk.socket.last['session']
  }

  test('is the first event, whole, in OpenAI’s key order, before the client says anything', async () => {
    const { socket } = await connect()
    expect(socket.types).toEqual(['session.created'])
    const { session } = socket.last as unknown as { session: object }
    expect(session).toEqual({
      type: 'realtime',
      object: 'realtime.session',
      id: 'sess_1',
      model: 'gpt-realtime',
      output_modalities: ['audio'],
      instructions: 'Be brief.',
      tools: [],
      tool_choice: 'auto',
      max_output_tokens: 'inf',
      tracing: null,
      truncation: 'auto',
      prompt: null,
      expires_at: 1_700_003_600,
      audio: {
        input: {
          format: { type: 'audio/pcm', rate: 24000 },
          transcription: null,
          noise_reduction: null,
          turn_detection: {
            type: 'server_vad',
            threshold: 0.6,
            prefix_padding_ms: 250,
            silence_duration_ms: 450,
            idle_timeout_ms: null,
            create_response: true,
            interrupt_response: true,
          },
        },
        output: { format: { type: 'audio/pcm', rate: 24000 }, voice: 'warm', speed: 1 },
      },
      include: null,
    })
    expect(Object.keys(session)).toEqual(
      'type object id model output_modalities instructions tools tool_choice max_output_tokens tracing truncation prompt expires_at audio include'.split(
        ' ',
      ),
    )
  })

  test('echoes what the Agents SDK sends when it opens', async () => {
    const talk = await connect()
    await talk.tell({
      type: 'session.update',
      session: {
        type: 'realtime',
        model: 'gpt-realtime',
        instructions: 'Speak like a pirate.',
        output_modalities: ['audio'],
        tools: [{ type: 'function', name: 'weather', description: 'Looks.', parameters: { type: 'object' } }],
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
    })
    await talk.tell({ type: 'session.update', session: { type: 'realtime', tracing: 'auto' } })
    const session = updated(talk)
    expect(session).toMatchObject({
      instructions: 'Speak like a pirate.',
      tracing: 'auto',
      tools: [{ type: 'function', name: 'weather', description: 'Looks.', parameters: { type: 'object' } }],
    })
    expect(session['audio'].input).toMatchObject({
      transcription: { model: 'gpt-4o-mini-transcribe', language: null, prompt: null },
      turn_detection: {
        type: 'semantic_vad',
        eagerness: 'auto',
        create_response: true,
        interrupt_response: true,
      },
    })
    expect(session['audio'].output.voice).toBe('ash')
    expect(talk.session.settings.turnDetection).toMatchObject({
      type: 'semantic_vad',
      silenceDurationMs: 450,
    })
    expect(talk.session.settings.showTranscription).toBe(true)
  })

  test.each(['high', 'medium', 'auto', 'low'])('semantic_vad with eagerness %s', async (eagerness) => {
    const talk = await connect()
    const turn_detection = { type: 'semantic_vad', eagerness }
    await talk.tell({ type: 'session.update', session: { audio: { input: { turn_detection } } } })
    const silence = { silenceDurationMs: 450 }
    expect(talk.session.settings.turnDetection).toMatchObject({ type: 'semantic_vad', eagerness, ...silence })
    expect(updated(talk)['audio'].input.turn_detection.eagerness).toBe(eagerness)
  })

  test('members left out of a new turn_detection take the pipeline’s values, not the former ones', async () => {
    const talk = await connect()
    const update = (turn_detection: unknown) =>
      talk.tell({ type: 'session.update', session: { audio: { input: { turn_detection } } } })
    await update({ type: 'server_vad', threshold: 0.9, silence_duration_ms: 800, create_response: false })
    await update({ type: 'server_vad', prefix_padding_ms: 100, idle_timeout_ms: 6000 })
    expect(updated(talk)['audio'].input.turn_detection).toEqual({
      type: 'server_vad',
      threshold: 0.6,
      prefix_padding_ms: 100,
      silence_duration_ms: 450,
      idle_timeout_ms: 6000,
      create_response: true,
      interrupt_response: true,
    })
    await update(null)
    expect(updated(talk)['audio'].input.turn_detection).toBeNull()
    expect(talk.session.settings.turnDetection).toBeNull()
  })

  test('echoes members that nothing acts on yet', async () => {
    const talk = await connect()
    const session = {
      tracing: { workflow_name: 'w', metadata: { a: [1] } },
      truncation: { type: 'retention_ratio', retention_ratio: 0.8 },
      prompt: { id: 'pmpt_1', version: '2' },
      include: ['item.input_audio_transcription.logprobs'],
      parallel_tool_calls: false,
      reasoning: { effort: 'low' },
    }
    await talk.tell({
      type: 'session.update',
      session: {
        ...session,
        audio: {
          input: {
            noise_reduction: { type: 'near_field', strength: 0.4 },
            transcription: { model: 'm', delay: 'low', keywords: ['Parley'], languages: ['de', 'en'] },
          },
        },
      },
    })
    expect(updated(talk)).toMatchObject(session)
    expect(updated(talk)['audio'].input.noise_reduction).toEqual({ type: 'near_field', strength: 0.4 })
    expect(updated(talk)['audio'].input.transcription).toEqual({
      model: 'm',
      language: null,
      prompt: null,
      delay: 'low',
      keywords: ['Parley'],
      languages: ['de', 'en'],
    })
    expect(talk.session.settings.language, 'the likeliest').toBe('de')
  })

  test('transcription: null stops the events and is echoed', async () => {
    const talk = await connect()
    const update = (transcription: unknown) =>
      talk.tell({ type: 'session.update', session: { audio: { input: { transcription } } } })
    await update({ model: 'whisper-1', language: 'de' })
    expect(talk.session.settings).toMatchObject({ showTranscription: true, language: 'de' })
    await update(null)
    expect(updated(talk)['audio'].input.transcription).toBeNull()
    expect(talk.session.settings.showTranscription).toBe(false)
  })

  test('Parley’s own wishes', async () => {
    const talk = await connect()
    const parley = { turnEvents: true, transcriptDeltas: 'early', pacing: { leadMs: 800 } }
    await talk.tell({ type: 'session.update', session: { providerData: { parley } } })
    expect(talk.session.settings).toMatchObject({ leadMs: 800, transcriptDeltas: 'early' })
    expect(updated(talk)['providerData']).toEqual({ parley })
    await talk.tell({ type: 'session.update', session: { providerData: { parley: { turnEvents: false } } } })
    expect(updated(talk)['providerData']).toEqual({ parley: { ...parley, turnEvents: false } })
  })
})

describe('a refused update', () => {
  test('changes nothing, not even its good members, and the next one builds on what stood before', async () => {
    const talk = await connect()
    await talk.tell({
      type: 'session.update',
      event_id: 'evt_1',
      session: { instructions: 'New.', tracing: 'auto', audio: { output: { speed: 9 } } },
    })
    expect(talk.socket.last['error']).toEqual({
      type: 'invalid_request_error',
      code: 'decimal_above_max_value',
      message:
        "Invalid 'session.audio.output.speed': decimal above maximum value. Expected a value <= 1.5, but got 9 instead.",
      param: 'session.audio.output.speed',
      event_id: 'evt_1',
    })
    expect(talk.session.events).toEqual([])
    await talk.tell({ type: 'session.update', session: {} })
    expect(talk.socket.last['session']).toMatchObject({ instructions: 'Be brief.', tracing: null })
  })

  test('by the session leaves no echo behind and answers with the client’s id', async () => {
    const talk = await connect()
    talk.session.onSettings = 'refuse'
    await talk.tell({ type: 'session.update', event_id: 'mine', session: { tracing: 'auto' } })
    expect(talk.socket.last['error']).toMatchObject({ code: 'not_allowed', event_id: 'mine' })
    await talk.tell({ type: 'session.update', session: { tracing: 'auto' } })
    expect(talk.socket.last['error'].event_id).toBeNull()
    talk.session.onSettings = 'apply'
    await talk.tell({ type: 'session.update', session: {} })
    expect(talk.socket.last['session'].tracing).toBeNull()
  })

  test('between two good ones is the one that is missed', async () => {
    const talk = await connect()
    const { session } = talk
    session.onSettings = 'hold'
    for (const id of ['a', 'b', 'c'])
      await talk.tell({ type: 'session.update', event_id: id, session: { tracing: { group_id: id } } })
    const refs = session.events.map((event) => (event.type === 'settings' ? event.ref : null))
    const refused = { type: 'refused', code: 'x', message: 'x', param: null, ref: refs[1] ?? null } as const
    session.say({ type: 'settingsApplied' }, refused, { type: 'settingsApplied' })
    await talk.clock.advance(0)
    const [first, second, third] = talk.socket.events.slice(1)
    expect(first?.['session'].tracing).toEqual({ group_id: 'a' })
    expect(second?.['error'].event_id).toBe('b')
    expect(third?.['session'].tracing).toEqual({ group_id: 'c' })
  })

  test('the voice stays once the caller has heard it', async () => {
    const talk = await connect()
    const voice = (name: string) =>
      talk.tell({ type: 'session.update', event_id: 'v', session: { audio: { output: { voice: name } } } })
    await voice('ash')
    talk.session.say(AUDIO)
    await talk.clock.advance(0)
    await voice('ash')
    expect(talk.socket.last.type).toBe('session.updated')
    await voice('coral')
    expect(talk.socket.last['error']).toMatchObject({ code: 'cannot_update_voice', event_id: 'v' })
  })
})

describe('another pipeline', () => {
  const parley = { pipeline: 'support', metadata: { tier: 'gold' }, user: 'ann' }

  test('can be had until something was said; what was agreed goes along', async () => {
    const talk = await connect()
    await talk.tell({ type: 'session.update', session: { instructions: 'Mine.', tracing: 'auto' } })
    const before = talk.session
    await talk.tell({ type: 'session.update', session: { providerData: { parley } } })
    expect(before.closed).toBe('client')
    expect(talk.session).not.toBe(before)
    expect(talk.session.origin).toMatchObject(parley)
    expect(talk.session.settings.instructions).toBe('Mine.')
    expect(talk.socket.types).toEqual(['session.created', 'session.updated', 'session.updated'])
    expect(talk.socket.last['session']).toMatchObject({
      id: 'sess_2',
      instructions: 'Mine.',
      tracing: 'auto',
      providerData: { parley },
    })
    talk.session.say(...SPOKEN_TURN)
    await talk.clock.advance(0)
    expect(talk.socket.last.type).toBe('response.done')
    await talk.tell({ type: 'session.update', session: { providerData: { parley } } })
    expect(talk.socket.last.type).toBe('session.updated')
    expect(talk.host.opened).toHaveLength(2)
  })

  test('answers to updates that were on their way are not lost', async () => {
    const talk = await connect()
    talk.session.onSettings = 'hold'
    await talk.tell({ type: 'session.update', session: { tracing: 'auto' } })
    await talk.tell({ type: 'session.update', session: { providerData: { parley } } })
    expect(talk.socket.types).toEqual(['session.created', 'session.updated', 'session.updated'])
    expect(talk.socket.last['session'].tracing).toBe('auto')
  })

  test('what the former session still had to say is not heard', async () => {
    const talk = await connect()
    talk.session.say({ type: 'cleared' }, { type: 'cleared' })
    await talk.tell({ type: 'session.update', session: { providerData: { parley } } })
    expect(talk.socket.types).toEqual(['session.created', 'session.updated'])
  })

  test.each([
    ['after the first audio', { type: 'input_audio_buffer.append', audio: 'AAAA' }],
    ['after the first item', { type: 'response.create' }],
  ])('cannot be had %s', async (_, first) => {
    const talk = await connect()
    await talk.tell(first)
    await talk.tell({ type: 'session.update', session: { instructions: 'x', providerData: { parley } } })
    expect(talk.socket.last['error']).toMatchObject({
      code: 'invalid_value',
      param: 'session.providerData.parley',
    })
    expect(talk.host.opened).toHaveLength(1)
    expect(talk.session.settings.instructions).toBe('Be brief.')
  })

  test('must exist, and the server must have room', async () => {
    const talk = await connect()
    const providerData = { parley: { pipeline: 'nowhere' } }
    await talk.tell({ type: 'session.update', session: { providerData } })
    expect(talk.socket.last['error'].param).toBe('session.providerData.parley.pipeline')
    talk.host.refuse = 'server_full'
    await talk.tell({ type: 'session.update', session: { providerData: { parley } } })
    expect(talk.socket.last['error'].code).toBe('server_full')
    expect(talk.session.closed).toBeUndefined()
  })
})

describe('frames in', () => {
  test('audio reaches the session as bytes, events in order', async () => {
    const talk = await connect()
    await talk.tell({ type: 'input_audio_buffer.append', audio: 'AQIDBA==' })
    await talk.tell({ type: 'response.cancel', event_id: '1' })
    await talk.tell({
      type: 'conversation.item.truncate',
      item_id: 'i',
      content_index: 0,
      audio_end_ms: 5,
      event_id: '2',
    })
    await talk.tell({ type: 'response.create', event_id: '3' })
    expect([...(talk.session.lastAudio ?? [])]).toEqual([1, 2, 3, 4])
    expect(talk.session.events.map((event) => ('ref' in event ? event.ref : null))).toEqual(['1', '2', '3'])
  })

  test('a binary frame is answered and the session goes on', async () => {
    const talk = await connect()
    talk.connection.message(Buffer.from([1, 2, 3]), true)
    expect(talk.socket.last['error']).toEqual({
      type: 'invalid_request_error',
      code: 'invalid_event',
      message: 'Expected a text WebSocket message; binary frames are not supported.',
      param: null,
      event_id: null,
    })
    await talk.tell({ type: 'input_audio_buffer.commit' })
    expect(talk.session.events).toHaveLength(1)
  })

  test('a fault of ours is an error event and a note without the client’s words', async () => {
    const talk = await connect()
    talk.session.send = () => {
      throw new TypeError('boom')
    }
    await talk.tell({ type: 'input_audio_buffer.commit' })
    expect(talk.socket.last['error']).toMatchObject({ type: 'server_error', code: 'internal_error' })
    expect(talk.notes).toEqual(['realtime event failed'])
    expect(talk.session.closed).toBeUndefined()
  })
})

describe('a slow reader', () => {
  /** 960 bytes of audio are 1,280 characters of base64. */
  const FRAMES_TO_HIGH_WATER = Math.ceil(65_536 / 1_430)

  test('stops the taking of outputs, and its reading starts it again', async () => {
    const talk = await connect()
    talk.socket.network = 'shut'
    talk.session.say(...Array.from({ length: 500 }, () => AUDIO))
    await talk.clock.advance(0)
    const waiting = talk.session.outputs.size
    expect(talk.socket.bufferedAmount).toBeLessThan(64 * 1024 + 2000)
    expect(talk.socket.sent.length).toBeLessThan(FRAMES_TO_HIGH_WATER + 5)
    expect(waiting).toBeGreaterThan(400)
    talk.socket.drain(10)
    await talk.clock.advance(0)
    expect(talk.session.outputs.size).toBeLessThan(waiting)
    talk.socket.network = 'open'
    talk.socket.drain()
    await talk.clock.advance(0)
    expect(talk.session.outputs.size).toBe(0)
    expect(talk.socket.sent).toHaveLength(501)
  })

  test('that never reads gets an error and a close, and its session ends', async () => {
    const talk = await connect()
    talk.socket.network = 'shut'
    talk.session.say(...Array.from({ length: 500 }, () => AUDIO))
    await talk.clock.advance(19_000)
    expect(talk.socket.closedWith).toBeUndefined()
    await talk.clock.advance(10_000)
    expect(talk.socket.last['error'].code).toBe('slow_reader')
    expect(talk.socket.closedWith).toEqual({ code: 1008, reason: 'invalid_request_error.slow_reader' })
    expect(talk.session.closed).toBe('limit')
    await talk.clock.advance(5_000)
    expect(talk.socket.terminated).toBe(true)
    talk.connection.closed()
    expect(talk.clock.pendingTimers).toBe(0)
  })

  test('that reads a little now and then is left in peace', async () => {
    const talk = await connect()
    talk.socket.network = 'shut'
    talk.session.say(...Array.from({ length: 500 }, () => AUDIO))
    for (let minute = 0; minute < 20; minute++) {
      await talk.clock.advance(15_000)
      talk.connection.signOfLife()
      talk.socket.drain(3)
    }
    expect(talk.socket.closedWith).toBeUndefined()
  })

  test('that floods us with nonsense is closed, at a bounded cost', async () => {
    const talk = await connect()
    talk.socket.network = 'shut'
    for (let n = 0; n < 5_000; n++) talk.connection.message(Buffer.from(`{"type":"nope ${n}"}`), false)
    await settled()
    expect(talk.socket.closedWith?.code).toBe(1008)
    expect(talk.socket.bufferedAmount).toBeLessThan(70_000)
  })

  test('gets what was held back in its order', async () => {
    const talk = await connect()
    talk.socket.network = 'shut'
    talk.session.say(...Array.from({ length: 100 }, () => AUDIO))
    await talk.clock.advance(0)
    for (let n = 0; n < 20; n++) talk.connection.message(Buffer.from(`{"event_id":"${n}"}`), false)
    talk.socket.network = 'open'
    talk.socket.drain()
    await talk.clock.advance(0)
    const refs = talk.socket.events.filter((event) => event.type === 'error').map((e) => e['error'].event_id)
    expect(refs).toEqual(Array.from({ length: 20 }, (_, n) => String(n)))
    expect(talk.socket.sent).toHaveLength(121)
  })
})

describe('the end', () => {
  test('a minute of silence from the far side means it vanished', async () => {
    const talk = await connect()
    await talk.clock.advance(61_000)
    expect(talk.socket.pings).toBe(3)
    expect(talk.session.closed).toBeUndefined()
    await talk.clock.advance(20_000)
    expect(talk.socket.terminated).toBe(true)
    expect(talk.session.closed).toBe('client')
    expect(talk.clock.pendingTimers).toBe(0)
  })

  test('pongs keep an idle session open', async () => {
    const talk = await connect()
    for (let n = 0; n < 30; n++) {
      await talk.clock.advance(20_000)
      talk.connection.signOfLife()
    }
    expect(talk.socket.terminated).toBe(false)
    expect(talk.socket.pings).toBe(30)
  })

  test('a session ends at its limit with an error that says so', async () => {
    const talk = await connect({ sessionMinutes: 1 })
    await talk.clock.advance(60_000)
    expect(talk.socket.last['error'].code).toBe('session_expired')
    expect(talk.socket.closedWith).toEqual({
      code: 1001,
      reason: 'Your session hit the maximum duration of 1 minutes.',
    })
    expect(talk.session.closed).toBe('expired')
  })

  test('a session that the server ends closes the socket behind it, after all it had said', async () => {
    const talk = await connect()
    talk.session.say(...SPOKEN_TURN)
    void talk.session.close('drain')
    await talk.clock.advance(0)
    expect(talk.socket.types.slice(-2)).toEqual(['response.done', 'error'])
    expect(talk.socket.last['error'].code).toBe('session_closed')
    expect(talk.socket.closedWith?.code).toBe(1001)
  })

  test('a session that fails says so', async () => {
    const talk = await connect()
    talk.session.outputs.fail(new Error('worker gone'))
    await talk.clock.advance(0)
    expect(talk.socket.last['error'].code).toBe('internal_error')
    expect(talk.socket.closedWith?.code).toBe(1011)
    expect(talk.notes).toEqual(['realtime session failed'])
  })

  test('a client that vanishes in mid-answer leaves nothing behind, and late frames do nothing', async () => {
    const talk = await connect()
    talk.socket.network = 'shut'
    talk.session.say(...Array.from({ length: 500 }, () => AUDIO))
    await talk.clock.advance(0)
    const sent = talk.socket.sent.length
    talk.connection.closed()
    await talk.tell({ type: 'input_audio_buffer.commit' })
    talk.socket.drain()
    await talk.clock.advance(120_000)
    expect(talk.session.closed).toBe('client')
    expect(talk.session.events).toEqual([])
    expect(talk.socket.sent).toHaveLength(sent)
    expect(talk.clock.pendingTimers).toBe(0)
  })
})

describe('a client that floods', () => {
  const LIMITS = { inputBytesPerSecond: 10_000, inputBytesPerSecondPerKey: null }
  const audio = { type: 'input_audio_buffer.append', audio: Buffer.alloc(7_500).toString('base64') }

  test('is told, then closed with 1008; events too small to weigh anything weigh a kilobyte', async () => {
    for (const event of [audio, { type: 'nope' }]) {
      const talk = await connect({ limits: LIMITS })
      const warnings = () =>
        talk.socket.events.filter(({ error }) => error?.code === 'input_too_fast').map(({ error }) => error)
      for (let n = 0; n < 1_000 && warnings().length === 0; n++) await talk.tell(event)
      expect(warnings()).toEqual([
        expect.objectContaining({ type: 'rate_limit_error', code: 'input_too_fast', event_id: null }),
      ])
      expect(talk.socket.closedWith).toBeUndefined()
      await talk.tell({ type: 'session.update', session: { instructions: 'Go on.' } })
      expect(talk.session.settings.instructions).toBe('Go on.')
      for (let n = 0; n < 1_000 && !talk.socket.closedWith; n++) await talk.tell(event)
      expect(talk.socket.closedWith).toEqual({ code: 1008, reason: 'rate_limit_error.input_too_fast' })
      expect(warnings()).toHaveLength(2)
      expect(talk.socket.last.type).toBe('error')
      expect(talk.session.closed).toBe('limit')
      await talk.clock.advance(10_000)
      expect(talk.socket.terminated).toBe(true)
      expect(talk.clock.pendingTimers).toBe(0)
    }
  })

  test('in real time never is', async () => {
    const talk = await connect({ limits: LIMITS })
    for (let second = 0; second < 300; second++) {
      await talk.tell({ ...audio, audio: Buffer.alloc(7_200).toString('base64') })
      await talk.clock.advance(1_000)
    }
    expect(talk.socket.types.filter((type) => type === 'error')).toEqual([])
    talk.connection.closed()
  })

  test('with pings is closed, too', async () => {
    const talk = await connect({ limits: LIMITS })
    for (let n = 0; n < 1_000; n++) talk.connection.signOfLife()
    expect(talk.socket.closedWith?.code).toBe(1008)
  })
})

test('a session whose queue overflowed ends as a slow reader’s, not as the server’s own', async () => {
  const talk = await connect()
  await talk.session.close('limit')
  await talk.clock.advance(0)
  expect(talk.socket.last['error'].code).toBe('slow_reader')
  expect(talk.socket.closedWith).toEqual({ code: 1008, reason: 'invalid_request_error.slow_reader' })
})

describe('responses a minute', () => {
  const limits = (talk: Talk) => talk.socket.events.filter(({ type }) => type === 'rate_limits.updated')

  test('are told after each, as OpenAI’s wire does; nothing is told where there is no limit', async () => {
    const talk = await connect({ responsesPerMinute: 3 })
    talk.session.say(...SPOKEN_TURN)
    await talk.clock.advance(0)
    expect(talk.socket.types.slice(-2)).toEqual(['response.done', 'rate_limits.updated'])
    expect(limits(talk)[0]?.['rate_limits']).toEqual([
      { name: 'requests', limit: 3, remaining: 2, reset_seconds: 20 },
    ])
    const free = await connect()
    free.session.say(...SPOKEN_TURN)
    await free.clock.advance(0)
    expect(limits(free)).toEqual([])
  })

  test('beyond them what is asked for is refused, and what speech began is stopped', async () => {
    const talk = await connect({ responsesPerMinute: 1 })
    talk.session.say(...SPOKEN_TURN)
    await talk.clock.advance(0)
    await talk.tell({ type: 'response.create', event_id: 'e1' })
    const refused = { type: 'rate_limit_error', code: 'rate_limit_exceeded' }
    expect(talk.socket.last['error']).toMatchObject({ ...refused, event_id: 'e1' })
    expect(talk.session.events.map(({ type }) => type)).not.toContain('respond')

    talk.session.say({ type: 'responseCreated', response: response(null, { id: 'resp_2' }) })
    await talk.clock.advance(0)
    expect(talk.socket.last['error']).toMatchObject({ ...refused, event_id: null })
    const cancel = talk.session.events.at(-1) as { readonly type: string; readonly ref: string }
    expect(cancel).toMatchObject({ type: 'cancelResponse', responseId: 'resp_2' })
    const before = talk.socket.events.length
    const param = null
    talk.session.say({
      type: 'refused',
      code: 'response_cancel_not_active',
      message: 'x',
      param,
      ref: cancel.ref,
    })
    await talk.clock.advance(0)
    expect(talk.socket.events, 'it had ended by itself').toHaveLength(before)
    await talk.clock.advance(60_000)
    await talk.tell({ type: 'response.create', event_id: 'e2' })
    expect(talk.session.events.at(-1)?.type).toBe('respond')
  })
})
