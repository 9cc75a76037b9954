import { describe, expect, test } from 'vitest'
import { kinds, outputsOf, PHONE, Story, typesOf } from './story.ts'

describe('a spoken turn', () => {
  test('goes from speech to a played answer in the documented order', () => {
    const story = new Story()
    story.says('Hello there')
    story.answers('Hi! How can I help?')
    expect(story.types).toEqual([
      'speechStarted',
      'speechStopped',
      'committed',
      'itemAdded',
      'itemDone',
      'transcriptDelta',
      'transcript',
      'responseCreated',
      'answerStarted',
      'answerDone',
      'responseDone',
    ])
    expect(story.request.messages).toEqual([
      { role: 'system', text: 'Be brief.' },
      { role: 'user', text: 'Hello there' },
    ])
    expect(story.state.playing).toHaveLength(1)
    expect(kinds(story.tell({ type: 'playedOut', response: story.thinking }))).toEqual(['closeTurn'])
  })

  test('noise is committed with empty words and not answered', () => {
    const story = new Story()
    const effects = story.says('  ')
    expect(typesOf(effects)).toEqual(['transcript'])
    expect(story.count('think')).toBe(0)
    expect(story.state.turn).toBeNull()
  })

  test('a final that comes twice, or for a turn long gone, changes nothing', () => {
    const story = new Story()
    story.says('Hello')
    const before = story.state
    expect(story.final('Hello again')).toEqual([])
    expect(story.final('What?', 'turn_gone')).toEqual([])
    expect(story.state).toBe(before)
  })

  test('without createResponse the words are an item and nothing more', () => {
    const story = new Story()
    const turnDetection = { ...story.state.settings.turnDetection!, createResponse: false }
    story.client({ type: 'settings', patch: { turnDetection } })
    story.says('Take a note')
    expect(story.count('think')).toBe(0)
    story.client({ type: 'respond', request: { conversation: 'default' } })
    expect(story.request.messages.at(-1)).toEqual({ role: 'user', text: 'Take a note' })
  })

  test('recognition that fails ends the turn and not the session', () => {
    const story = new Story()
    story.speaks()
    story.stops()
    const effects = story.tell({ type: 'sttFailed', turn: story.turn, code: 'transient', message: 'gone' })
    expect(typesOf(effects)).toEqual(['transcriptFailed'])
    expect(effects).toContainEqual({ do: 'closeTurn', turn: story.turn, outcome: 'failed' })
    story.says('Once more')
    expect(story.count('think')).toBe(1)
  })
})

describe('speculation', () => {
  function guessed(text: string): Story {
    const story = new Story()
    story.speaks()
    story.pauses()
    story.tell({ type: 'partial', turn: story.turn, text, stable: text, complete: true })
    return story
  }

  test('the model starts inside the silence window, unknown to the wire', () => {
    const story = guessed('What time is it')
    expect(story.lastThink).toMatchObject({ hold: 'until-release', revision: 1 })
    expect(story.types).toEqual(['speechStarted'])
  })

  test('the same final words release it', () => {
    const story = guessed('What time is it')
    story.stops()
    const effects = story.final('What time is it')
    expect(kinds(effects)).toEqual(['userSaid', 'release'])
    expect(typesOf(effects)).toEqual(['transcriptDelta', 'transcript', 'responseCreated'])
    expect(story.count('think')).toBe(1)
  })

  test('other final words drop it and think again', () => {
    const story = guessed('What time is it')
    story.stops()
    const effects = story.final('What time is it in Rome')
    expect(kinds(effects)).toEqual(['userSaid', 'drop', 'think'])
    expect(story.lastThink.hold).toBe('no')
  })

  test('a caller who resumes drops it, and no more than three guesses are made', () => {
    const story = guessed('I would like')
    for (let i = 0; i < 5; i++) {
      story.tell({ type: 'speechResumed' })
      story.pauses()
      const text = `I would like ${i}`
      story.tell({ type: 'partial', turn: story.turn, text, stable: text, complete: true })
    }
    expect(story.count('think')).toBe(3)
    expect(story.count('drop')).toBe(3)
  })

  test('an item that the client adds meanwhile invalidates it', () => {
    const story = guessed('And now')
    story.client({
      type: 'createItem',
      after: null,
      item: {
        id: '',
        type: 'message',
        role: 'system',
        status: 'completed',
        parts: [{ type: 'text', text: 'Rush.' }],
      },
    })
    expect(story.effects.filter((e) => e.do === 'drop')).toHaveLength(1)
  })

  test('a guess that fails is thought again at the commit', () => {
    const story = guessed('Hello')
    story.tell({
      type: 'answerFailed',
      response: story.thinking,
      code: 'transient',
      message: '',
      said: '',
      audioMs: 0,
      heard: null,
    })
    story.stops()
    story.final('Hello')
    expect(story.count('think')).toBe(2)
    expect(story.lastThink.hold).toBe('no')
  })
})

describe('interruption', () => {
  function speaking(caps = undefined as typeof PHONE | undefined): Story {
    const story = new Story({}, caps)
    story.says('Tell me a story')
    story.tell({ type: 'speaking', response: story.thinking })
    return story
  }

  test('speech is held back until it is surely meant, then the answer is cut at the heard words', () => {
    const story = speaking()
    const response = story.thinking
    expect(typesOf(story.speaks())).toEqual([])
    const confirmed = story.tell({ type: 'speechConfirmed' })
    expect(typesOf(confirmed)).toEqual(['speechStarted'])
    expect(kinds(confirmed)).toEqual(['clearTimer', 'cut'])
    const heard = { ms: 600, text: 'Once upon a', interrupted: true }
    const cut = story.tell({ type: 'outputCut', response, said: 'Once upon a time', audioMs: 900, heard })
    expect(typesOf(cut)).toEqual(['answerDone', 'responseDone'])
    expect(outputsOf(cut).at(-1)).toMatchObject({
      response: { ending: { status: 'cancelled', reason: 'turn_detected' } },
    })
    story.stops()
    story.final('Stop')
    expect(story.request.messages).toEqual([
      { role: 'system', text: 'Be brief.' },
      { role: 'user', text: 'Tell me a story' },
      { role: 'assistant', text: 'Once upon a [interrupted]' },
      { role: 'user', text: 'Stop' },
    ])
  })

  test('an answer already sent in full is still cut while it plays', () => {
    const story = new Story()
    story.says('Hi')
    story.answers('A long answer, all of it sent.')
    story.speaks()
    expect(kinds(story.tell({ type: 'speechConfirmed' }))).toEqual(['clearTimer', 'cut'])
    const heard = { ms: 200, text: 'A long', interrupted: true }
    story.tell({
      type: 'outputCut',
      response: story.thinking,
      said: 'A long answer, all of it sent.',
      audioMs: 1000,
      heard,
    })
    story.stops()
    story.final('Wait')
    expect(story.request.messages.at(-2)).toEqual({ role: 'assistant', text: 'A long [interrupted]' })
  })

  test('a cough shorter than speech leaves the answer alone and no trace on the wire', () => {
    const story = speaking()
    story.speaks()
    expect(kinds(story.tell({ type: 'speechDropped' }))).toEqual(['discard', 'clearTimer'])
    story.speaks()
    expect(kinds(story.stops())).toEqual(['discard', 'clearTimer'])
    expect(story.count('cut')).toBe(0)
    expect(story.types.filter((t) => t === 'speechStarted')).toHaveLength(1)
  })

  test('a caller who goes on before anything was heard is answered for both utterances', () => {
    const story = new Story()
    story.says('I need a taxi')
    story.speaks()
    const confirmed = story.tell({ type: 'speechConfirmed' })
    expect(typesOf(confirmed)).toEqual(['speechStarted', 'responseDone'])
    story.stops()
    story.final('to the airport')
    expect(story.request.messages.at(-1)).toEqual({ role: 'user', text: 'I need a taxi to the airport' })
  })

  test('noise that stopped an answer before its first word does not cost the caller the answer', () => {
    const story = new Story()
    story.says('I need a taxi')
    story.speaks()
    story.tell({ type: 'speechConfirmed' })
    story.stops()
    story.final('')
    expect(story.count('think')).toBe(2)
    expect(story.request.messages.at(-1)).toEqual({ role: 'user', text: 'I need a taxi' })
  })

  test('where the server owns the output it pauses, and goes on after a noise', () => {
    const story = speaking(PHONE)
    story.speaks()
    expect(kinds(story.tell({ type: 'speechConfirmed' }))).toEqual(['pause'])
    expect(story.types).not.toContain('cut')
    story.stops()
    expect(kinds(story.final(''))).toEqual(['discard', 'forget', 'clearTimer', 'resume'])
    expect(story.count('cut')).toBe(0)
  })

  test('where the server owns the output, words cut it', () => {
    const story = speaking(PHONE)
    story.speaks()
    story.tell({ type: 'speechConfirmed' })
    const effects = story.tell({
      type: 'partial',
      turn: story.turn,
      text: 'wait',
      stable: '',
      complete: false,
    })
    expect(kinds(effects)).toEqual(['clearTimer', 'cut'])
  })

  test('where no words come after a pause, the timer resumes', () => {
    const story = speaking(PHONE)
    story.speaks()
    story.tell({ type: 'speechConfirmed' })
    expect(kinds(story.stops())).toContain('setTimer')
    expect(kinds(story.tell({ type: 'timer', timer: 'falseInterruption', audioMs: 0 }))).toContain('resume')
  })

  test('ignored words do not interrupt, others do, late but in full', () => {
    const story = new Story({ interruption: { minSpeechMs: 200, minWords: 0, ignore: ['uh-huh', 'okay'] } })
    story.says('Tell me a story')
    story.tell({ type: 'speaking', response: story.thinking })
    story.speaks()
    story.tell({ type: 'speechConfirmed' })
    story.stops()
    expect(typesOf(story.final('Uh-huh, okay.'))).toEqual([])
    story.speaks()
    story.tell({ type: 'speechConfirmed' })
    story.stops()
    expect(typesOf(story.final('Okay, but stop.')).slice(0, 5)).toEqual([
      'speechStarted',
      'speechStopped',
      'committed',
      'itemAdded',
      'itemDone',
    ])
    expect(story.count('cut')).toBe(1)
  })

  test('with interruptResponse off the answer goes on and the words wait in the history', () => {
    const story = speaking()
    const turnDetection = { ...story.state.settings.turnDetection!, interruptResponse: false }
    story.client({ type: 'settings', patch: { turnDetection } })
    story.speaks()
    story.tell({ type: 'speechConfirmed' })
    story.stops()
    story.final('By the way')
    expect(story.count('cut')).toBe(0)
    expect(story.count('think')).toBe(1)
  })

  test('a late truncate amends what was heard, and an answer not begun is thought again', () => {
    const story = speaking()
    const response = story.thinking
    story.speaks()
    story.tell({ type: 'speechConfirmed' })
    const heard = { ms: 600, text: 'Once upon a time', interrupted: true }
    story.tell({ type: 'outputCut', response, said: 'Once upon a time there was', audioMs: 900, heard })
    story.stops()
    story.final('Stop')
    const itemId = story.outputs.find((o) => o.type === 'answerStarted')!.itemId
    const amended = { ms: 200, text: 'Once', interrupted: true }
    story.tell({ type: 'truncated', itemId, contentIndex: 0, audioEndMs: 200, heard: amended })
    expect(story.request.messages.at(-2)).toEqual({ role: 'assistant', text: 'Once [interrupted]' })
    expect(story.count('think')).toBe(3)
    expect(story.lastThink.response).toBe(story.effects.filter((e) => e.do === 'think')[1]!.response)
  })
})

describe('responses by request', () => {
  const text = (words: string) =>
    ({
      id: '',
      type: 'message',
      role: 'user',
      status: 'completed',
      parts: [{ type: 'text', text: words }],
    }) as const

  test('a text turn', () => {
    const story = new Story({ modality: 'text' })
    story.client({ type: 'createItem', item: text('Hi'), after: null })
    story.client({ type: 'respond', request: { conversation: 'default', metadata: { a: 'b' } } })
    story.answers('Hello')
    expect(outputsOf(story.effects).at(-1)).toMatchObject({
      type: 'responseDone',
      response: { ending: { status: 'completed' }, metadata: { a: 'b' } },
    })
    expect(story.state.turn).toBeNull()
  })

  test('a second one is refused while the first runs', () => {
    const story = new Story()
    story.client({ type: 'respond', request: { conversation: 'default' } })
    const effects = story.client({ type: 'respond', request: { conversation: 'default' } })
    expect(outputsOf(effects)).toMatchObject([
      { code: 'conversation_already_has_active_response', ref: 'evt' },
    ])
  })

  test('one out of band runs beside it and leaves the conversation alone', () => {
    const story = new Story()
    story.client({ type: 'respond', request: { conversation: 'default' } })
    story.client({
      type: 'respond',
      request: { conversation: 'none', modality: 'text', input: [text('Classify')] },
    })
    expect(story.request.messages.at(-1)).toEqual({ role: 'user', text: 'Classify' })
    const items = story.state.history.length
    story.answers('spam')
    expect(story.state.history).toHaveLength(items)
  })

  test('a manual turn waits for its words', () => {
    const story = new Story({ turnDetection: null })
    expect(outputsOf(story.client({ type: 'commit' }, 40))).toMatchObject([
      { code: 'input_audio_buffer_commit_empty' },
    ])
    story.client({ type: 'commit' }, 900)
    story.client({ type: 'respond', request: { conversation: 'default' } })
    expect(story.count('think')).toBe(0)
    story.final('What is new')
    expect(story.request.messages.at(-1)).toEqual({ role: 'user', text: 'What is new' })
  })

  test('a tool round: the call is announced once, its result taken once, the turn goes on', () => {
    const story = new Story({ tools: [{ name: 'weather' }] })
    story.says('Weather in Rome')
    const response = story.thinking
    const call = { callId: 'call_1', name: 'weather', arguments: '{}' }
    story.tell({ type: 'toolCalled', response, call })
    story.tell({ type: 'thought', response, finish: 'tool_calls', usage: null, words: 'none' })
    expect(story.types.slice(-2)).toEqual(['toolCalled', 'responseDone'])
    const result = {
      id: '',
      type: 'toolResult',
      callId: 'call_1',
      output: 'Sunny',
      status: 'completed',
    } as const
    story.client({ type: 'createItem', item: result, after: null })
    const again = story.client({ type: 'createItem', item: result, after: null })
    expect(outputsOf(again)).toMatchObject([{ type: 'refused', code: 'invalid_tool_call_id' }])
    story.client({ type: 'respond', request: { conversation: 'default' } })
    expect(story.lastThink.turn).toBe(story.turn)
    expect(story.request.messages.slice(-2)).toEqual([
      { role: 'assistant', text: '', toolCalls: [call] },
      { role: 'tool', callId: 'call_1', text: 'Sunny' },
    ])
  })

  test('the signature that a model wants back with its call comes back with it', () => {
    const story = new Story({ tools: [{ name: 'weather' }] })
    story.says('Weather in Rome')
    const call = { callId: 'c', name: 'weather', arguments: '{}', thoughtSignature: 'sig' }
    story.tell({ type: 'toolCalled', response: story.thinking, call })
    story.tell({
      type: 'thought',
      response: story.thinking,
      finish: 'tool_calls',
      usage: null,
      words: 'none',
    })
    story.says('Never mind')
    expect(story.request.messages.find(({ role }) => role === 'assistant')).toMatchObject({
      toolCalls: [call],
    })
  })

  test('a caller who speaks while a tool runs is answered, the missing result stood in for', () => {
    const story = new Story({ tools: [{ name: 'weather' }] })
    story.says('Weather in Rome')
    const response = story.thinking
    story.tell({ type: 'toolCalled', response, call: { callId: 'c', name: 'weather', arguments: '{}' } })
    story.tell({ type: 'thought', response, finish: 'tool_calls', usage: null, words: 'none' })
    story.says('Never mind')
    expect(story.request.messages.slice(-2)).toEqual([
      { role: 'tool', callId: 'c', text: 'No result yet.' },
      { role: 'user', text: 'Never mind' },
    ])
  })

  test('cancel stops the active one; with none it is refused as OpenAI does', () => {
    const story = new Story()
    const refused = story.client({ type: 'cancelResponse', responseId: null })
    expect(outputsOf(refused)).toMatchObject([{ message: 'Cancellation failed: no active response found' }])
    story.client({ type: 'respond', request: { conversation: 'default' } })
    const effects = story.client({ type: 'cancelResponse', responseId: null })
    expect(outputsOf(effects)).toMatchObject([{ response: { ending: { reason: 'client_cancelled' } } }])
  })
})

test('hang-up ends everything and nothing happens after it', () => {
  const story = new Story()
  story.says('Hello')
  story.answers('Hi')
  story.speaks()
  story.tell({ type: 'hangup' })
  expect(story.state).toMatchObject({ closed: true, playing: [], input: { kind: 'idle' } })
  expect(story.tell({ type: 'speechConfirmed' })).toEqual([])
})

test('words that are lost while later ones are still awaited bring no apology: the later ones are answered', () => {
  const story = new Story({ apology: 'Sorry.' })
  story.speaks()
  story.stops()
  const first = story.turn
  story.speaks()
  story.stops()
  const second = story.turn
  story.tell({ type: 'sttFailed', turn: first, code: 'timeout', message: '' })
  expect(story.count('recite')).toBe(0)
  story.final('and in Rome?', second)
  expect(story.count('think')).toBe(1)
  story.tell({
    type: 'answerFailed',
    response: story.thinking,
    code: 'timeout',
    message: '',
    said: '',
    audioMs: 0,
    heard: null,
  })
  story.speaks()
  story.stops()
  story.tell({ type: 'sttFailed', turn: story.turn, code: 'timeout', message: '' })
  expect(story.count('recite')).toBe(1)
})
