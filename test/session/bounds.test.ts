/** What one conversation may hold, in memory and at once. */
import { expect, test } from 'vitest'
import { MAX_CONVERSATION_CHARS, MAX_ITEMS } from '../../src/session/draft.ts'
import type { Item } from '../../src/session/items.ts'
import { MAX_RESPONSES } from '../../src/session/reduce-client.ts'
import { talkToRealSession } from '../wire/realtime/real-host.ts'

const picture = (chars: number) => ({
  type: 'message',
  role: 'user',
  content: [{ type: 'input_image', image_url: `data:image/png;base64,${'A'.repeat(chars)}` }],
})
const create = (item: object) => ({ type: 'conversation.item.create', event_id: 'e1', item })
const text = (id: string): object => ({
  id,
  type: 'message',
  role: 'user',
  content: [{ type: 'input_text', text: 'hi' }],
})

test('pictures beyond what it may hold are refused, until some are deleted', async () => {
  const talk = await talkToRealSession()
  const chars = 8_000_000
  for (let n = 0; (n + 1) * (chars + 22) <= MAX_CONVERSATION_CHARS; n++)
    await talk.tell(create({ ...picture(chars), id: `p${n}` }))
  expect(talk.socket.types.filter((type) => type === 'error')).toEqual([])
  await talk.tell(create(picture(chars)))
  expect(talk.socket.last['error']).toMatchObject({
    code: 'conversation_full',
    param: 'item',
    event_id: 'e1',
  })
  await talk.tell(create(text('small')))
  expect(talk.socket.last).toMatchObject({ type: 'conversation.item.done', item: { id: 'small' } })
  await talk.tell({ type: 'conversation.item.delete', item_id: 'p0' })
  await talk.tell(create(picture(chars)))
  expect(talk.socket.last.type).toBe('conversation.item.done')
  talk.connection.closed()
})

test('what is said always finds room: the oldest leave', async () => {
  const talk = await talkToRealSession()
  const chars = Math.floor(MAX_CONVERSATION_CHARS / 9) - 22
  for (let n = 0; n < 9; n++) await talk.tell(create({ ...picture(chars), id: `p${n}` }))
  await talk.hears('speech', 600)
  await talk.hears('silence', 3_000)
  expect(talk.socket.last.type).toBe('response.done')
  await talk.tell({ type: 'conversation.item.retrieve', item_id: 'p0' })
  const gone = talk.socket.last
  await talk.tell({ type: 'conversation.item.retrieve', item_id: 'p8' })
  expect([gone.type, talk.socket.last.type]).toEqual(['error', 'conversation.item.retrieved'])
  talk.connection.closed()
})

test('of more items than it may have the oldest leave', async () => {
  const talk = await talkToRealSession()
  for (let n = 0; n <= MAX_ITEMS; n++) {
    talk.connection.message(Buffer.from(JSON.stringify(create(text(`i${n}`)))), false)
    if (n % 100 === 0) await talk.clock.advance(0)
  }
  await talk.clock.advance(0)
  await talk.tell({ type: 'conversation.item.retrieve', item_id: 'i0' })
  expect(talk.socket.last['error'].code).toBe('item_retrieve_invalid_item_id')
  await talk.tell({ type: 'conversation.item.retrieve', item_id: 'i1' })
  expect(talk.socket.last.type).toBe('conversation.item.retrieved')
  talk.connection.closed()
})

test('of responses out of band only so many run at once', async () => {
  const talk = await talkToRealSession({ firstTokenMs: 1_000 })
  const out = {
    type: 'response.create',
    event_id: 'e1',
    response: { conversation: 'none', input: [] as Item[] },
  }
  for (let n = 0; n < MAX_RESPONSES; n++) await talk.tell(out)
  expect(talk.socket.types.filter((type) => type === 'response.created')).toHaveLength(MAX_RESPONSES)
  await talk.tell(out)
  expect(talk.socket.last['error']).toMatchObject({
    type: 'rate_limit_error',
    code: 'too_many_responses',
    event_id: 'e1',
  })
  await talk.clock.advance(60_000)
  expect(talk.socket.types.filter((type) => type === 'response.done')).toHaveLength(MAX_RESPONSES)
  await talk.tell(out)
  expect(talk.socket.last.type).toBe('response.created')
  talk.connection.closed()
})
