/** Audio that a client writes into an item instead of the buffer: recognised beside what the caller says. */
import { expect, test } from 'vitest'
import { PCM16_24K } from '../../src/audio/format.ts'
import { ProviderError } from '../../src/errors.ts'
import { MAX_TRANSCRIPTIONS } from '../../src/session/reduce-client.ts'
import { sound } from '../support/stages.ts'
import { type RealTalk, talkToRealSession } from '../wire/realtime/real-host.ts'

const spoken = (ms: number) => Buffer.from(sound(PCM16_24K, ms, 'speech')).toString('base64')

const create = (ms: number, ...more: object[]) => ({
  type: 'conversation.item.create',
  event_id: 'e1',
  item: { type: 'message', role: 'user', content: [{ type: 'input_audio', audio: spoken(ms) }, ...more] },
})

const SHOW = { type: 'session.update', session: { input_audio_transcription: { model: 'm' } } }
const TRANSCRIPTION = 'conversation.item.input_audio_transcription'

async function gone(talk: RealTalk): Promise<void> {
  talk.connection.closed()
  await talk.clock.advance(0)
  expect(talk.host.size).toBe(0)
  expect(talk.clock.pendingTimers).toBe(0)
}

test('an answer asked for at once waits for the words, and has them', async () => {
  const talk = await talkToRealSession()
  await talk.tell(SHOW)
  const from = talk.socket.events.length
  await talk.tell(create(1_500))
  await talk.tell({ type: 'response.create', response: { output_modalities: ['text'] } })
  await talk.clock.advance(2_000)
  expect(talk.socket.types.slice(from, from + 5)).toEqual([
    'conversation.item.added',
    'conversation.item.done',
    'response.created',
    `${TRANSCRIPTION}.delta`,
    `${TRANSCRIPTION}.completed`,
  ])
  const done = talk.socket.events[from + 1]
  expect(done?.['item'].content).toEqual([{ type: 'input_audio', transcript: null }])
  expect(talk.socket.events[from + 4]).toMatchObject({
    item_id: done?.['item'].id,
    transcript: 'hello there',
    usage: { type: 'duration', seconds: 1.5 },
  })
  expect(talk.llm.requests.at(-1)?.messages.at(-1)).toEqual({ role: 'user', text: 'hello there' })
  expect(talk.stt.streams.map(({ heardMs }) => heardMs)).toEqual([[1500]])

  await talk.tell({ type: 'conversation.item.retrieve', item_id: done?.['item'].id })
  expect(talk.socket.last['item'].content[0]).toEqual({
    type: 'input_audio',
    transcript: 'hello there',
    audio: spoken(1_500),
  })
  const [record] = (await talk.turns.list(null, { limit: 1 }))?.records ?? []
  expect(record?.attempts.map(({ stage, status }) => `${stage} ${status}`)).toEqual(['stt ok', 'llm ok'])
  expect(record?.text.user).toBe('hello there')
  await gone(talk)
})

test('what stands beside it stays, and the caller may speak meanwhile', async () => {
  const talk = await talkToRealSession()
  await talk.hears('speech', 400)
  await talk.tell(create(1_000, { type: 'input_text', text: 'What is that?' }))
  await talk.hears('speech', 400)
  await talk.hears('silence', 2_000)
  const prompt = talk.llm.requests.at(-1)?.messages.filter(({ role }) => role === 'user')
  expect(prompt).toEqual([{ role: 'user', text: 'hello there What is that? hello there' }])
  await gone(talk)
})

test('only so many wait at once', async () => {
  const talk = await talkToRealSession()
  for (let n = 0; n < MAX_TRANSCRIPTIONS; n++) await talk.tell(create(200))
  await talk.tell(create(200))
  expect(talk.socket.last['error']).toMatchObject({
    type: 'rate_limit_error',
    code: 'too_many_transcriptions',
    event_id: 'e1',
  })
  await talk.clock.advance(1_000)
  await talk.tell(create(200))
  expect(talk.socket.last.type).toBe('conversation.item.done')
  await gone(talk)
})

test('a recogniser that fails is tried again, and then the client is told', async () => {
  const talk = await talkToRealSession()
  await talk.tell(SHOW)
  const broken = new ProviderError({ provider: 'fake', stage: 'stt', kind: 'transient', message: 'away' })
  talk.stt.failOpen = broken
  await talk.tell(create(500))
  await talk.clock.advance(1_000)
  expect(talk.socket.last).toMatchObject({ type: `${TRANSCRIPTION}.completed`, transcript: 'hello there' })

  talk.stt.open = () => Promise.reject(broken)
  await talk.tell(create(500))
  await talk.clock.advance(20_000)
  expect(talk.socket.last).toMatchObject({ type: `${TRANSCRIPTION}.failed`, error: { code: 'transient' } })
  await gone(talk)
})

test('a caller who hangs up meanwhile leaves nothing behind', async () => {
  const talk = await talkToRealSession()
  await talk.tell(create(5_000))
  await gone(talk)
})
