/** `POST /v1/router/explain`: answers in OpenAI's error shape, and trusts the asker's own key only. */
import fastify from 'fastify'
import { expect, test } from 'vitest'
import { Health } from '../../src/attempt/health.ts'
import { Snapshots } from '../../src/attempt/snapshots.ts'
import { VirtualClock } from '../../src/clock.ts'
import { loadPipeline, PipelineSet } from '../../src/config/pipeline-set.ts'
import { explainPlugin } from '../../src/gateway/explain.ts'

const TEXT = `
name: p
default: true
llm:
  routes:
    - { name: premium, when: 'key.tier == "premium"', use: [a/large] }
    - { name: any, use: [a/small] }
`

function server(tier: string | null) {
  const { loaded } = loadPipeline(TEXT, 'p.yaml')
  if (!loaded) throw new Error('not loaded')
  const { pipeline } = loaded
  const snapshots = new Snapshots(new Map(), new Health({ clock: new VirtualClock() }))
  snapshots.load(new PipelineSet(new Map([[pipeline.name, pipeline]]), pipeline, [], []))
  const app = fastify()
  app.decorateRequest('caller', null)
  app.addHook('onRequest', async (request) => {
    if (tier !== null) request.caller = { keyId: 'k', attributes: { tier } }
  })
  explainPlugin(app, { snapshots, clock: new VirtualClock() })
  return app
}

const ask = (app: ReturnType<typeof server>, payload: object) =>
  app.inject({ method: 'POST', url: '/v1/router/explain', payload })

test('tells the route of the asker’s own key', async () => {
  expect((await ask(server('premium'), {})).json()).toMatchObject({ pipeline: 'p', route: 'premium' })
  expect((await ask(server('basic'), {})).json()).toMatchObject({ route: 'any' })
})

test('a body cannot claim attributes, and metadata is no key', async () => {
  expect((await ask(server(null), { metadata: { tier: 'premium' } })).json()).toMatchObject({ route: 'any' })
  expect((await ask(server(null), { key: { tier: 'premium' } })).statusCode).toBe(400)
})

test('tells the plan of a turn, with the latest moment at which each stage may be done', async () => {
  const { plan } = (await ask(server(null), { stage: 'tts' })).json()
  expect(plan).toMatchObject({ turnMs: 1500, endpointMs: 500 })
  expect(plan.stages.map(({ stage }: { stage: string }) => stage)).toEqual(['stt', 'llm', 'tts'])
  const [stt, llm, tts] = plan.stages
  expect(llm.latestMs).toBe(1500 - tts.p50Ms)
  expect(stt.latestMs).toBe(1500 - tts.p50Ms - llm.p50Ms)
  expect(plan.spareMs).toBe(1500 - 500 - stt.p50Ms - llm.p50Ms - tts.p50Ms)
})

test('an unknown pipeline and a wrong member are told in OpenAI’s shape', async () => {
  const unknown = await ask(server(null), { pipeline: 'nope' })
  expect([unknown.statusCode, unknown.json().error.param]).toEqual([404, 'pipeline'])
  const wrong = await ask(server(null), { stage: 'vad' })
  expect([wrong.statusCode, wrong.json().error.param]).toEqual([400, 'stage'])
})
