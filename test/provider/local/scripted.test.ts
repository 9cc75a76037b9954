import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openScope } from '../../../src/cancel.ts'
import { VirtualClock } from '../../../src/clock.ts'
import type { ModelEvent, ModelMessage, ModelRequest } from '../../../src/dialect/neutral.ts'
import { createScripted, parseScript, ScriptError } from '../../../src/provider/local/scripted/index.ts'
import { OWN_SCRIPTS, ScriptLibrary } from '../../../src/provider/local/scripted/library.ts'
import {
  compilePattern,
  MatchingTooLong,
  withinMatchingLimit,
} from '../../../src/provider/local/scripted/pattern.ts'

const user = (text: string): ModelMessage => ({ role: 'user', text })

function adapter(yaml: string) {
  let calls = 0
  const script = parseScript(yaml, 'test.script.yaml')
  return createScripted({ id: 'local/scripted', script, newCallId: () => `call_${++calls}` })
}

async function events(yaml: string, request: ModelRequest): Promise<ModelEvent[]> {
  const signal = new AbortController().signal
  const all: ModelEvent[] = []
  for await (const event of adapter(yaml).stream(request, { signal, clock: new VirtualClock() }))
    all.push(event)
  return all
}

async function answer(yaml: string, ...messages: ModelMessage[]): Promise<string> {
  return textOf(await events(yaml, { messages }))
}

const textOf = (all: readonly ModelEvent[]) => all.map((e) => (e.type === 'text' ? e.text : '')).join('')

function problems(yaml: string): string {
  try {
    parseScript(yaml, 'x.yaml')
  } catch (error) {
    if (error instanceof ScriptError) return error.message
    throw error
  }
  return 'none'
}

describe('what it answers', () => {
  const yaml = `
rules:
  - hears: 'my name is (?<name>\\w+)'
    say: ['Hello {name}.', How are you?]
  - words: [who am i]
    say: You are {name|a stranger}.
  - words: [menu]
    say: Say one.
    goto: menu
  - in: menu
    words: [one]
    say: Sales.
    goto: start
fallback: 'You said: {text}.'
`
  test('several sentences come word by word, with usage and one finish', async () => {
    const all = await events(yaml, { messages: [user('My name is Ann.')] })
    expect(all.filter((e) => e.type === 'text').map((e) => e.text)).toEqual([
      'Hello',
      ' Ann.',
      ' How',
      ' are',
      ' you?',
    ])
    expect(all.slice(-2)).toEqual([
      { type: 'usage', usage: { inputTokens: 4, outputTokens: 5 } },
      { type: 'finish', reason: 'stop' },
    ])
  })
  test('a name captured earlier in the conversation is remembered', async () => {
    expect(await answer(yaml, user('Who am I?'))).toBe('You are a stranger.')
    const told = [user('my name is ann'), { role: 'assistant', text: 'Hello ann.' } as const]
    expect(await answer(yaml, ...told, user('So, who am I?'))).toBe('You are ann.')
  })
  test('a rule of a state applies only there', async () => {
    expect(await answer(yaml, user('one'))).toBe('You said: one.')
    expect(await answer(yaml, user('menu please'), user('One!'))).toBe('Sales.')
    expect(await answer(yaml, user('menu'), user('one'), user('one'))).toBe('You said: one.')
  })
  test('words match whole words only', async () => {
    expect(await answer(yaml, user('the menus are nice'))).toBe('You said: the menus are nice.')
  })
  test('without any words of the caller it greets', async () => {
    expect(await answer(`greeting: Welcome.\n${yaml}`)).toBe('Welcome.')
  })
  test('an answer longer than maxTokens is cut and says so', async () => {
    const all = await events(yaml, { messages: [user('my name is Bo')], maxTokens: 2 })
    expect(textOf(all)).toBe('Hello Bo.')
    expect(all.at(-1)).toEqual({ type: 'finish', reason: 'length' })
  })
})

describe('tools', () => {
  const yaml = `
rules:
  - hears: 'weather in (?<city>\\w+)'
    say: Let me look.
    call: { tool: get_weather, with: { city: '{city}', days: 2, also: ['{city}'] } }
  - result: get_weather
    say: In {city} it is {result.sky.0} and {result.degrees}.
  - hears: weather
    say: I cannot look outside.
fallback: '{text}'
`
  const tools = [{ name: 'get_weather' }]
  const asked = user('weather in Rome?')
  const call = { callId: 'c9', name: 'get_weather', arguments: '{"city":"Rome"}' }

  test('a call takes its arguments from the captures', async () => {
    const all = await events(yaml, { messages: [asked], tools })
    expect(all.find((e) => e.type === 'toolCall')).toEqual({
      type: 'toolCall',
      call: {
        callId: 'call_1',
        name: 'get_weather',
        arguments: '{"city":"Rome","days":2,"also":["Rome"]}',
      },
    })
    expect(all.at(-1)).toEqual({ type: 'finish', reason: 'tool_calls' })
  })
  test('the result is read, with what was captured when the caller asked', async () => {
    const all = await events(yaml, {
      messages: [
        asked,
        { role: 'assistant', text: '', toolCalls: [call] },
        { role: 'tool', callId: 'c9', text: '{"sky":["clear"],"degrees":21}' },
      ],
      tools,
    })
    expect(textOf(all)).toBe('In Rome it is clear and 21.')
  })
  test('without the tool the rule is passed over', async () => {
    expect(textOf(await events(yaml, { messages: [asked] }))).toBe('I cannot look outside.')
    expect(textOf(await events(yaml, { messages: [asked], tools, toolChoice: 'none' }))).toBe(
      'I cannot look outside.',
    )
  })
  test('a demanded call is made even without a rule', async () => {
    const all = await events(yaml, { messages: [user('hm')], tools, toolChoice: 'required' })
    expect(all.filter((e) => e.type === 'toolCall').map((e) => e.call.arguments)).toEqual(['{}'])
  })
})

describe('time', () => {
  const yaml = `
firstTokenMs: 100
wordMs: 10
rules: []
fallback: [One two., { text: Three., afterMs: 500 }]
`
  test('delays are kept on the clock, to the millisecond', async () => {
    const clock = new VirtualClock()
    const came: [number, string][] = []
    const signal = new AbortController().signal
    const reading = (async () => {
      for await (const e of adapter(yaml).stream({ messages: [user('x')] }, { signal, clock })) {
        if (e.type === 'text') came.push([clock.now(), e.text])
      }
    })()
    await clock.advance(1000)
    await reading
    expect(came).toEqual([
      [100, 'One'],
      [110, ' two.'],
      [620, ' Three.'],
    ])
  })
  test('an abort in the middle of a delay ends it with the reason and leaves no timer', async () => {
    const clock = new VirtualClock()
    const scope = openScope()
    const reading = (async () => {
      for await (const _ of adapter(yaml).stream({ messages: [] }, { signal: scope.signal, clock }));
    })()
    const ended = expect(reading).rejects.toMatchObject({ name: 'Cancelled', reason: 'barge-in' })
    await clock.advance(105)
    scope.cancel('barge-in')
    await ended
    expect(clock.pendingTimers).toBe(0)
  })
})

describe('mistakes in the file', () => {
  test.each([
    ['rules: []', 'x.yaml:1:1: fallback: '],
    ['rules: [\nfallback: x', 'x.yaml:2:'],
    ['rules:\n  - say: Hi\nfallback: x', 'x.yaml:2:5: rules.0: a rule needs one of'],
    ['rules:\n  - words: [hi]\n    sai: Hi\nfallback: x', 'x.yaml:3:10: unknown member `sai`'],
    ["rules:\n  - hears: '(oops'\n    say: Hi\nfallback: x", 'x.yaml:2:12: invalid regular expression'],
    ["rules:\n  - hears: ['ok', '(a+)+b']\n    say: Hi\nfallback: x", 'x.yaml:2:19: the repeated group'],
    ['rules: []\nfallback: Hi {nme}', 'x.yaml:2:11: nothing captures `{nme}`'],
    [
      'rules:\n  - words: a\n    in: menue\n    say: b\nfallback: x',
      'x.yaml:3:9: no rule goes to the state `menue`',
    ],
    ['rules: []\nfallback: {text}', 'x.yaml:2:11: fallback: expected text'],
    ['rules: []\nfallback: [*b]', 'x.yaml:1:1: Unresolved alias'],
  ])('%j is refused at its place', (yaml, start) => {
    expect(problems(yaml)).toContain(start)
  })
  test('every problem is told at once', () => {
    expect(
      problems("rules:\n  - { hears: '(', say: a }\n  - { hears: ')', say: a }\nfallback: x").split('\n'),
    ).toHaveLength(2)
  })
})

describe('patterns that would never end', () => {
  test.each(['(a+)+', '(a|b)*c', '((a)+)*', '(a*){30}', '(x[+]y+)+', '(?:\\(a+)+', '(a|a){25}'])(
    '%s is refused',
    (source) => {
      expect(() => compilePattern(source)).toThrow(/repeat/)
    },
  )
  test.each([
    '(a|b) c',
    '(?:very )*good',
    'from (.+) to (.+)',
    '(\\d{1,2}){3}',
    '[(+]+',
    '\\(a+\\)+',
    '(?<n>\\w+)?',
  ])('%s is fine', (source) => {
    expect(compilePattern(source)).toBeInstanceOf(RegExp)
  })
  test('what slips through is stopped', () => {
    expect(() => withinMatchingLimit(() => /^(a+)+$/.test(`${'a'.repeat(60)}b`))).toThrow(MatchingTooLong)
  })
})

describe('the default script', () => {
  const yaml = readFileSync(new URL('../../../pipelines/default.script.yaml', import.meta.url), 'utf8')
  test.each([
    ['Hello there.', 'Hello! How can I help you today?'],
    ['My name is Ada.', 'Nice to meet you, Ada. What would you like to talk about?'],
    ['Purple elephants', 'You said: Purple elephants.'],
    ['', 'You said: nothing that I could hear.'],
    ['Bye', 'Goodbye. It was good to hear you.'],
  ])('%j', async (said, expected) => {
    expect(await answer(yaml, user(said))).toBe(expected)
  })
  test('the story is long enough to be interrupted', async () => {
    expect((await answer(yaml, user('Tell me a story, please'))).length).toBeGreaterThan(600)
  })
  test('the weather tool is called where there is one', async () => {
    const all = await events(yaml, {
      messages: [user("What's the weather like in New York?")],
      tools: [{ name: 'get_weather' }],
    })
    expect(all.find((e) => e.type === 'toolCall')).toMatchObject({
      call: { arguments: '{"city":"New York"}' },
    })
  })
})

describe('a folder of scripts', () => {
  test('every script that comes with Parley is right', () => {
    const notes: string[] = []
    const library = new ScriptLibrary(OWN_SCRIPTS, (note) => notes.push(note))
    expect(library.names()).toEqual(expect.arrayContaining(['default', 'phone-menu']))
    expect(library.names().every((name) => library.get(name) !== undefined)).toBe(true)
    expect(notes).toEqual([])
  })
  test('a folder that is not there holds none, and a name cannot lead out of it', () => {
    expect(new ScriptLibrary(`${OWN_SCRIPTS}nowhere`, () => {}).names()).toEqual([])
    expect(new ScriptLibrary(`${OWN_SCRIPTS}nowhere`, () => {}).get('default')).toBeUndefined()
    expect(new ScriptLibrary(`${OWN_SCRIPTS}x`, () => {}).get('../default')).toBeUndefined()
  })
  test('a changed file is read again; one that became wrong is told, and the script before goes on', () => {
    const folder = mkdtempSync(join(tmpdir(), 'parley-scripts-'))
    const file = join(folder, 'a.script.yaml')
    const notes: string[] = []
    const library = new ScriptLibrary(folder, (note) => notes.push(note))
    try {
      writeFileSync(file, 'rules: []\nfallback: One.')
      expect(library.get('a')?.fallback[0]?.text).toBe('One.')
      writeFileSync(file, 'rules: []\nfallback: Another.')
      expect(library.get('a')?.fallback[0]?.text).toBe('Another.')
      writeFileSync(file, 'rules: []\nfall: x')
      expect(library.get('a')?.fallback[0]?.text).toBe('Another.')
      library.get('a')
      expect(notes).toHaveLength(1)
      expect(notes[0]).toContain(`${file}:2:`)
      rmSync(file)
      expect(library.get('a')).toBeUndefined()
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
  test('the phone menu asks until it hears a number', async () => {
    const yaml = readFileSync(`${OWN_SCRIPTS}phone-menu.script.yaml`, 'utf8')
    expect(await answer(yaml)).toBe('Welcome to the bicycle shop. Say order, opening hours, or repair.')
    const asked = [user('I want to know about my order'), user('well')]
    expect(await answer(yaml, ...asked)).toContain('in digits')
    expect(await answer(yaml, ...asked, user('it is 4 7 1 1'))).toContain('order 4 7 1 1.')
  })
})
