/**
 * `docs/realtime.md` against the type declarations of the installed `openai` SDK and against the code: no event and no
 * member of OpenAI's without a row, no row without a test, and no row that says what is not so.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { CLIENT_EVENTS, parseFrame } from '../../../src/wire/realtime/parse.ts'
import { ROOT } from '../../architecture/sources.ts'
import { PIPELINE_SETTINGS } from '../../support/fake-session.ts'
import { connect } from './fake-socket.ts'
import { assistant, MCP_STORY, PLACE, SPOKEN_TURN, THE_REST } from './outputs.ts'
import { sdkEvents, sdkMembers } from './sdk-types.ts'

interface Row {
  readonly cells: readonly string[]
  /** What stands in backticks in the first cell. */
  readonly names: readonly string[]
  readonly tests: readonly string[]
}

const PAGE = readFileSync(join(ROOT, 'docs/realtime.md'), 'utf8')

/** The part under a heading, up to the next of its rank or above. */
function section(heading: string): string {
  const start = PAGE.indexOf(`\n${heading}\n`)
  if (start < 0) throw new Error(`the page has no ${heading}`)
  const rest = PAGE.slice(start + heading.length + 2)
  const end = rest.search(new RegExp(`\\n#{1,${heading.indexOf(' ')}} `))
  return end < 0 ? rest : rest.slice(0, end)
}

function rowsOf(text: string): Row[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('|---'))
    .map((line) =>
      line
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim()),
    )
    .filter((cells) => cells.at(-1) !== 'tests')
    .map((cells) => ({
      cells,
      names: quoted(cells[0] ?? ''),
      tests: (cells.at(-1) ?? '').split(',').map((name) => name.trim()),
    }))
}

function quoted(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] as string)
}

const fileOf = (name: string): string => {
  const found = [`test/wire/realtime/${name}.test.ts`, `test/${name}.test.ts`].find((path) =>
    existsSync(join(ROOT, path)),
  )
  if (!found) throw new Error(`there is no test ${name}`)
  return join(ROOT, found)
}

const CLIENT = rowsOf(section('## Client events'))
const SERVER = rowsOf(section('## Server events'))
/** Without the tables of turn detection and of `providerData`, which tell in words. */
const SESSION = rowsOf(section('## The session').split('\n### ')[0] ?? '')
const ITEMS = rowsOf(section('## Items'))
const RESPONSES = rowsOf(section('## Responses'))

describe.each([
  ['client', CLIENT, 'RealtimeClientEvent'],
  ['server', SERVER, 'RealtimeServerEvent'],
] as const)('%s events', (_, rows, union) => {
  test.each(['ga', 'beta'] as const)(
    'each of the SDK’s %s union has a row with each of its fields',
    (shape) => {
      const missing: string[] = []
      for (const [type, { required, optional }] of sdkEvents(shape, union)) {
        const row = rows.find(({ names }) => names.includes(type))
        if (!row) missing.push(type)
        for (const field of [...required, ...optional])
          if (field !== 'event_id' && row && !quoted(row.cells[1] ?? '').includes(field))
            missing.push(`${type}.${field}`)
      }
      expect(missing).toEqual([])
    },
  )

  test('each row is of one event, and its tests name it', () => {
    for (const { names, tests } of rows) {
      expect(names).toHaveLength(1)
      const texts = tests.map((name) => readFileSync(fileOf(name), 'utf8'))
      const [type = ''] = names
      // Tests of real traffic and of the encoder spell out every name; those of `table` are below.
      const named =
        tests.includes('table') || texts.some((text) => text.includes(type) || spelled(text, type))
      expect(named, `${type} in ${tests}`).toBe(true)
    }
  })
})

/** `${transcription}.delta` */
function spelled(text: string, type: string): boolean {
  const at = type.lastIndexOf('.')
  return text.includes(type.slice(0, at)) && text.includes(type.slice(at))
}

test('what the page says is taken is taken, and what it says is refused is refused', () => {
  const refused = CLIENT.filter(({ cells }) => cells[2]?.startsWith('refused')).flatMap(({ names }) => names)
  const calls = CLIENT.filter(({ cells }) => CALLS_ONLY.test(cells[2] ?? '')).flatMap(({ names }) => names)
  const taken = CLIENT.flatMap(({ names }) => names).filter(
    (name) => !refused.includes(name) && !calls.includes(name),
  )
  expect([...taken].sort()).toEqual([...CLIENT_EVENTS].sort())
  expect(refused.length).toBeGreaterThan(0)
  expect(calls.length).toBeGreaterThan(0)
  // Over a WebSocket, that is.
  for (const type of [...refused, ...calls])
    expect(parseFrame(Buffer.from(JSON.stringify({ type })), PIPELINE_SETTINGS)).toMatchObject({
      kind: 'refused',
      code: 'invalid_value',
      param: 'type',
    })
})

test('what the page says is sent is all that is sent, in GA’s shape and in the beta’s', async () => {
  const sent = { ga: new Set<string>(), beta: new Set<string>() }
  for (const shape of ['ga', 'beta'] as const) {
    for (const kind of ['realtime', 'transcription'] as const) {
      const talk = await connect({ shape, responsesPerMinute: 100 })
      await talk.tell({
        type:
          shape === 'beta' && kind === 'transcription' ? 'transcription_session.update' : 'session.update',
        session: {
          type: kind,
          input_audio_transcription: { model: 'm' },
          providerData: { parley: { turnEvents: true } },
        },
      })
      const written = { modality: 'text', inConversation: true, previousItemId: null, ...PLACE } as const
      talk.session.say(
        ...SPOKEN_TURN,
        ...THE_REST,
        ...MCP_STORY,
        { type: 'answerText', delta: 'Hi.', modality: 'text', ...PLACE },
        { type: 'answerDone', item: assistant('completed'), text: 'Hi.', ...written },
      )
      await talk.clock.advance(0)
      for (const type of talk.socket.types) sent[shape].add(type)
      expect(talk.notes).toEqual([])
      talk.connection.closed()
    }
  }
  const rows = new Map(SERVER.map(({ names, cells }) => [names[0] as string, cells[2] ?? '']))
  const ga = [...rows.keys()].filter(
    (type) =>
      !rows.get(type)?.startsWith('not sent') &&
      !CALLS_ONLY.test(rows.get(type) ?? '') &&
      !BETA_ONLY.test(type),
  )
  expect([...sent.ga].sort()).toEqual(ga.sort())
  for (const type of sent.beta) {
    const says = rows.get(type)
    const there = says !== undefined && (!says.startsWith('not sent') || says.includes('in the beta shape'))
    // `transcription_session.created` opens a connection of that kind: beta.test.ts.
    expect(there, type).toBe(true)
  }
})

/** What only a call has, where the server owns the playback: e2e/webrtc. */
const CALLS_ONLY = /^\[WebRTC\]\(#webrtc\) only/

const BETA_ONLY = /^response\.(text|audio|audio_transcript)\.|^transcription_session\./

describe('members', () => {
  const missing = (rows: readonly Row[], members: readonly string[], prefix = '') => {
    const names = rows.flatMap((row) => [...row.names, ...quoted(row.cells[1] ?? '')])
    return members.map((member) => prefix + member).filter((member) => !names.includes(member))
  }

  test('each of the session’s has a row', () => {
    const members = [
      ...sdkMembers('ga', 'RealtimeSessionCreateRequest').filter((member) => member !== 'audio'),
      ...sdkMembers('ga', 'RealtimeTranscriptionSessionCreateRequest').filter((member) => member !== 'audio'),
      ...sdkMembers('ga', 'RealtimeAudioConfigInput').map((member) => `audio.input.${member}`),
      ...sdkMembers('ga', 'RealtimeAudioConfigOutput').map((member) => `audio.output.${member}`),
      ...sdkMembers('ga', 'AudioTranscription').map((member) => `audio.input.transcription.${member}`),
    ]
    expect(missing(SESSION, members)).toEqual([])
    const detection = SESSION.find(({ names }) => names[0] === 'audio.input.turn_detection')?.cells[1]
    for (const kind of ['ServerVad', 'SemanticVad'])
      for (const member of sdkMembers('ga', `RealtimeAudioInputTurnDetection.${kind}`))
        expect(detection, member).toContain(`\`${member}`)
  })

  test('each of a response’s, of its request and of its usage has a row', () => {
    expect(missing(RESPONSES, sdkMembers('ga', 'RealtimeResponseCreateParams'))).toEqual([])
    expect(missing(RESPONSES, sdkMembers('ga', 'RealtimeResponseCreateParamsWithReferencesParam'))).toEqual(
      [],
    )
    expect(missing(RESPONSES, sdkMembers('ga', 'RealtimeResponse'))).toEqual([])
  })

  test('each of an item’s is told', () => {
    const told = section('## Items')
    for (const kind of [
      'UserMessage',
      'SystemMessage',
      'AssistantMessage',
      'FunctionCall',
      'FunctionCallOutput',
    ])
      for (const member of sdkMembers('ga', `RealtimeConversationItem${kind}`))
        expect(told, `${kind}.${member}`).toContain(`\`${member === 'type' ? 'message' : member}\``)
    for (const member of sdkMembers('ga', 'RealtimeConversationItemUserMessage.Content'))
      expect(told, member).toContain(`\`${member === 'type' ? 'input_text' : member}\``)
    expect(quoted(SERVER.find(({ names }) => names[0] === 'error')?.cells[2] ?? '')).toEqual(
      expect.arrayContaining([...sdkMembers('ga', 'RealtimeError')]),
    )
  })

  test('each row has a test, which names the member', () => {
    for (const { names, tests, cells } of [...SESSION, ...ITEMS, ...RESPONSES]) {
      const texts = tests.map((name) => readFileSync(fileOf(name), 'utf8'))
      for (const name of names) {
        const last = name.split('.').at(-1)?.replace('*', '') ?? ''
        expect(
          texts.some((text) => text.includes(last)),
          `${name} in ${tests}: ${cells[0]}`,
        ).toBe(true)
      }
    }
  })
})
