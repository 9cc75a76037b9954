/** What Parley says and hears beyond OpenAI's API: `parley.played`, `parley.turn`, `session.providerData.parley`. */
import { expect, test } from 'vitest'
import { type RealTalk, talkToRealSession } from './real-host.ts'

const LONG = 'One two three four. Five six seven eight. Nine ten eleven twelve. Thirteen fourteen fifteen.'

const ask = (parley: object) => ({ type: 'session.update', session: { providerData: { parley } } })

/** A turn whose answer has arrived whole at the client, and is playing there. */
async function answered(parley: object): Promise<{ talk: RealTalk; responseId: string }> {
  const talk = await talkToRealSession({ answer: () => LONG })
  await talk.tell(ask(parley))
  await talk.hears('silence', 300)
  await talk.hears('speech', 600)
  await talk.hears('silence', 1_000)
  const done = talk.socket.events.find(({ type }) => type === 'response.done')
  return { talk, responseId: done?.['response'].id }
}

test('parley.played: an interrupted answer counts as heard as far as the client says it played', async () => {
  const { talk, responseId } = await answered({ turnEvents: true })
  await talk.tell({ type: 'parley.played', responseId, playedMs: 400 })
  await talk.tell({ type: 'parley.played', response_id: responseId, played_ms: 700 })
  await talk.hears('speech', 600)
  await talk.hears('silence', 1_000)
  const first = talk.socket.events.find(({ type }) => type === 'parley.turn')
  expect(first?.['turn']).toMatchObject({ heard: { ms: 700, interrupted: true } })
  // The model knows no more of it than that.
  const messages = talk.llm.requests.at(-1)?.messages ?? []
  const remembered = messages.find(({ role }) => role === 'assistant')?.text ?? ''
  expect(remembered).toMatch(/\[interrupted\]$/)
  expect(LONG.startsWith(remembered.replace(' [interrupted]', ''))).toBe(true)
  expect(remembered.length).toBeLessThan(LONG.length / 2)
  talk.connection.closed()
})

test('parley.played of an answer that is none, or more than was sent, changes nothing', async () => {
  const { talk, responseId } = await answered({ turnEvents: true })
  await talk.tell({ type: 'parley.played', responseId: 'resp_none', playedMs: 10 })
  await talk.tell({ type: 'parley.played', responseId, playedMs: 86_400_000 })
  await talk.clock.advance(60_000)
  const turns = talk.socket.events.filter(({ type }) => type === 'parley.turn')
  expect(turns.at(-1)?.['turn'].heard).toMatchObject({ text: LONG, interrupted: false })
  await talk.tell({ type: 'parley.played', responseId })
  expect(talk.socket.last['error']).toMatchObject({ code: 'missing_required_parameter', param: 'playedMs' })
  talk.connection.closed()
})

test('parley.turn: the record of each finished turn, for those who ask, and as GET /v1/turns has it', async () => {
  const { talk, responseId } = await answered({ turnEvents: true })
  await talk.clock.advance(60_000)
  const told = talk.socket.events.filter(({ type }) => type === 'parley.turn').at(-1)
  const { turn } = told as unknown as { turn: { id: string } }
  expect(turn).toMatchObject({
    outcome: 'said',
    responseIds: [responseId],
    pipeline: 'support',
    text: { user: 'hello there', said: LONG },
    heard: { text: LONG, interrupted: false },
  })
  expect(await talk.turns.get(turn.id, null)).toEqual(turn)
  await talk.tell(ask({ turnEvents: false }))
  const before = talk.socket.types.filter((type) => type === 'parley.turn').length
  await talk.hears('speech', 600)
  await talk.hears('silence', 1_000)
  await talk.clock.advance(60_000)
  expect(talk.socket.types.filter((type) => type === 'parley.turn')).toHaveLength(before)
  talk.connection.closed()

  const silent = await answered({})
  expect(silent.talk.socket.types).not.toContain('parley.turn')
  silent.talk.connection.closed()
})
