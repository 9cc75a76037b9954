/** Figures over HTTP, and what callers thought of it: each key speaks of its own conversations. */
import fastify from 'fastify'
import { expect, test } from 'vitest'
import { ExperimentBook } from '../../src/experiment/book.ts'
import { experimentsPlugin } from '../../src/trace/experiments-plugin.ts'
import { memoryTurnStore } from '../../src/trace/turn-store.ts'
import { recordOf } from './record-of.ts'

function server(keyId: string | null) {
  const experiments = new ExperimentBook()
  experiments.load([{ name: 'greeting', variants: ['control', 'candidate'], guardrails: [] }])
  experiments.exposed('sess_1', [{ experiment: 'greeting', variant: 'candidate' }])
  const facts = {
    firstAudioMs: 700,
    costUsd: null,
    interrupted: 'no',
    outcome: 'said',
    degraded: 'no',
  } as const
  experiments.turn('sess_1', facts)
  experiments.closed('sess_1')
  const turns = memoryTurnStore(10)
  turns.put(recordOf({ id: 'turn_1', sessionId: 'sess_1', keyId: 'k' }))
  turns.put(recordOf({ id: 'turn_2', sessionId: 'sess_2', keyId: 'k' }))
  const app = fastify()
  app.decorateRequest('caller', null)
  app.addHook('onRequest', async (request) => {
    if (keyId !== null) request.caller = { keyId, attributes: {} }
  })
  experimentsPlugin(app, { experiments, turns })
  const post = (payload: object) => app.inject({ method: 'POST', url: '/v1/feedback', payload })
  const figures = async () => (await app.inject({ url: '/v1/experiments/greeting' })).json()
  return { app, post, figures }
}

test('figures by variant, and all experiments', async () => {
  const { app, figures } = server('k')
  const one = await figures()
  expect(one).toMatchObject({ name: 'greeting', running: 'yes' })
  expect(one.variants[0]).toMatchObject({ variant: 'candidate', conversations: 1, stopped: null })
  expect(one.variants[0].metrics[0]).toMatchObject({ metric: 'firstAudioMs', mean: 700, interval: null })
  expect((await app.inject({ url: '/v1/experiments' })).json().data).toHaveLength(1)
  const unknown = await app.inject({ url: '/v1/experiments/nope' })
  expect([unknown.statusCode, unknown.json().error.code]).toEqual([404, 'not_found'])
})

test('feedback on a turn or a session is counted, and replaces', async () => {
  const { post, figures } = server('k')
  expect((await post({ turn_id: 'turn_1', score: -1 })).json()).toMatchObject({
    session_id: 'sess_1',
    counted: true,
  })
  expect((await post({ turn_id: 'turn_1', score: 1 })).statusCode).toBe(200)
  expect((await post({ session_id: 'sess_1', score: 0 })).json()).toMatchObject({ counted: true })
  const feedback = (await figures()).variants[0].metrics.find(
    (m: { metric: string }) => m.metric === 'feedback',
  )
  expect(feedback).toMatchObject({ conversations: 1, mean: 0.5 })
  // Of a conversation that was in no experiment.
  expect((await post({ turn_id: 'turn_2', score: 1 })).json()).toMatchObject({ counted: false })
})

test.each([
  [{ score: 1 }, 400, 'turn_id'],
  [{ turn_id: 'turn_1', session_id: 'sess_1', score: 1 }, 400, 'turn_id'],
  [{ turn_id: 'turn_1', score: 7 }, 400, 'score'],
  [{ turn_id: 'turn_1', score: 1, comment: 'my name is' }, 400, ''],
  [{ turn_id: 'turn_9', score: 1 }, 404, null],
])('%j is refused', async (payload, status, param) => {
  const answer = await server('k').post(payload)
  expect([answer.statusCode, answer.json().error.param ?? null]).toEqual([status, param])
})

test('another key’s conversation is none', async () => {
  expect((await server('other').post({ turn_id: 'turn_1', score: 1 })).statusCode).toBe(404)
  expect((await server(null).post({ session_id: 'sess_1', score: 1 })).statusCode).toBe(404)
})
