/** The whole runner under random stories: whatever happens, what the wire gets makes sense and nothing is left over. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ALAW_8K, MULAW_8K, PCM16_24K } from '../../src/audio/format.ts'
import type { ModelEvent } from '../../src/dialect/neutral.ts'
import { ProviderError } from '../../src/errors.ts'
import type { WireCaps } from '../../src/session/session.ts'
import { FakeLlm, FakeStt, FakeTts } from '../support/stages.ts'
import { BRIDGE, Call, PACED, UNPACED } from './call.ts'

const ACTIONS = [
  'speak',
  'cough',
  'silent',
  'says',
  'wait',
  'waitLong',
  'words',
  'breakStt',
  'failLlm',
  'stallLlm',
  'respond',
  'respondText',
  'outOfBand',
  'cancel',
  'truncate',
  'commit',
  'clear',
  'text',
  'toolResult',
  'manual',
  'automatic',
  'mulaw',
  'alaw',
  'pcm',
  'lead',
  'noLead',
  'retrieve',
  'played',
  'digit',
  'hash',
  'lineLost',
  'lineBack',
  'say',
] as const
type Action = (typeof ACTIONS)[number]

const ANSWERS: (string | ModelEvent[])[] = [
  'Yes.',
  'Well, let me think about that for a moment. There are several ways to see it. Here is one of them.',
  [
    { type: 'text', text: 'Let me look. ' },
    { type: 'toolCall', call: { callId: 'c', name: 'f', arguments: '{}' } },
    { type: 'finish', reason: 'tool_calls' },
  ],
  '👍',
  '',
]
const WORDS = ['What is the time?', 'uh', '', 'And what about tomorrow?', 'stop']

async function act(call: Call, action: Action): Promise<void> {
  switch (action) {
    case 'speak':
      return call.speak(300)
    case 'cough':
      return call.speak(120)
    case 'silent':
      return call.silent(260)
    case 'says':
      return call.says(400)
    case 'wait':
      return call.wait(35)
    case 'waitLong':
      return call.wait(2500)
    case 'words':
      return void call.stt.streams.at(-1)?.says('hold on')
    case 'breakStt':
      return void call.stt.streams.at(-1)?.breaks()
    case 'failLlm':
      call.llm.next = new ProviderError({ provider: 'fake', stage: 'llm', kind: 'rate', message: 'slow' })
      return
    case 'stallLlm':
      call.llm.next = 'stall'
      return
    case 'respond':
      return call.respond()
    case 'respondText':
      return call.respond({ modality: 'text' })
    case 'outOfBand':
      return call.respond({ conversation: 'none' })
    case 'cancel':
      return void call.send({ type: 'cancelResponse', responseId: null })
    case 'truncate': {
      const started = call.all('answerStarted').at(-1)
      if (!started) return
      const at = call.listener.playedMs(started.responseId, call.clock.now())
      return void call.send({
        type: 'truncateItem',
        itemId: started.itemId,
        contentIndex: 0,
        audioEndMs: Math.floor(at),
      })
    }
    case 'commit':
      return void call.send({ type: 'commit' })
    case 'clear':
      return void call.send({ type: 'clear' })
    case 'text':
      return call.text('A typed word.')
    case 'toolResult': {
      const called = call.all('toolCalled').at(-1)
      if (!called) return
      const item = {
        id: '',
        type: 'toolResult',
        callId: called.item.callId,
        output: 'x',
        status: 'completed',
      } as const
      return void call.send({ type: 'createItem', item, after: null })
    }
    case 'manual':
      return void call.send({ type: 'settings', patch: { turnDetection: null } })
    case 'automatic':
      return void call.send({
        type: 'settings',
        patch: {
          turnDetection: {
            type: 'server_vad',
            threshold: 0.5,
            prefixPaddingMs: 300,
            silenceDurationMs: 400,
            createResponse: true,
            interruptResponse: true,
          },
        },
      })
    case 'mulaw':
      return void call.send({ type: 'settings', patch: { inputFormat: MULAW_8K, outputFormat: MULAW_8K } })
    case 'alaw':
      return void call.send({ type: 'settings', patch: { inputFormat: ALAW_8K } })
    case 'pcm':
      return void call.send({
        type: 'settings',
        patch: { inputFormat: PCM16_24K, outputFormat: PCM16_24K },
      })
    case 'lead':
      return void call.send({ type: 'settings', patch: { leadMs: 300 } })
    case 'noLead':
      return void call.send({ type: 'settings', patch: { leadMs: null } })
    case 'retrieve': {
      const added = call.all('itemAdded').at(-1)
      return added ? void call.send({ type: 'retrieveItem', itemId: added.item.id }) : undefined
    }
    case 'played': {
      const created = call.all('responseCreated').at(-1)
      if (!created) return
      const responseId = created.response.id
      const playedMs = call.listener.playedMs(responseId, call.clock.now())
      return void call.send({ type: 'played', responseId, playedMs })
    }
    case 'digit':
      return void call.send({ type: 'digit', digit: '5' })
    case 'hash':
      return void call.send({ type: 'digit', digit: '#' })
    case 'say':
      return void call.send({ type: 'say', text: 'A message for you.' })
    case 'lineLost':
      return void call.send({ type: 'lineLost' })
    case 'lineBack':
      return void call.send({ type: 'lineBack' })
    default:
      action satisfies never
  }
}

/** The documented order of every response's events, and text that adds up. */
function checkResponses(call: Call): void {
  const live = new Map<string, { started: boolean; ended: boolean; text: string; inConversation: boolean }>()
  for (const { output } of call.taken) {
    switch (output.type) {
      case 'responseCreated': {
        const { id, inConversation } = output.response
        expect(live.has(id)).toBe(false)
        const others = [...live.values()].filter((r) => r.inConversation)
        if (inConversation) expect(others).toEqual([])
        live.set(id, { started: false, ended: false, text: '', inConversation })
        break
      }
      case 'answerStarted':
      case 'answerText':
      case 'answerAudio':
      case 'answerDone':
      case 'toolCalled': {
        const response = live.get(output.responseId)
        if (!response) {
          // What a bridge that was cleared gets again comes while the answer is still played.
          expect(output.type).toBe('answerAudio')
          break
        }
        if (output.type === 'toolCalled') break
        if (output.type === 'answerStarted') {
          expect(response.started).toBe(false)
          response.started = true
          break
        }
        expect(response.started).toBe(true)
        expect(response.ended).toBe(false)
        if (output.type === 'answerText') response.text += output.delta
        if (output.type !== 'answerDone') break
        response.ended = true
        expect(output.text).toBe(response.text)
        break
      }
      case 'responseDone': {
        const response = live.get(output.response.id)
        expect(response).toBeDefined()
        expect(response!.ended).toBe(response!.started)
        live.delete(output.response.id)
        break
      }
    }
  }
  expect([...live.keys()]).toEqual([])
}

describe('random stories', () => {
  for (const [name, caps] of Object.entries({ UNPACED, PACED, BRIDGE } as Record<string, WireCaps>)) {
    test(`${name}: every response begins and ends once, turns are recorded, nothing is left`, async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.constantFrom(...ACTIONS), { minLength: 10, maxLength: 50, size: 'max' }),
          fc.array(fc.nat(4), { minLength: 1, maxLength: 8 }),
          fc.constantFrom('fast', 15, 60) as fc.Arbitrary<'fast' | number>,
          async (actions, dice, reader) => {
            let asked = 0
            const call = await Call.open({
              caps,
              reader,
              stt: new FakeStt({ words: dice.map((d) => WORDS[d]!), finalMs: 40 }),
              llm: new FakeLlm({
                answer: ({ messages }) => {
                  const said = ANSWERS[dice[asked++ % dice.length]!]!
                  if (typeof said === 'string') return said
                  return said.map((event) =>
                    event.type === 'toolCall'
                      ? { ...event, call: { ...event.call, callId: `c${messages.length}_${asked}` } }
                      : event,
                  )
                },
                firstTokenMs: 60,
                tokenMs: 15,
              }),
              tts: new FakeTts({ firstAudioMs: 40, msPerChar: 40 }),
            })
            for (const action of actions) await act(call, action)
            // A line that does not come back ends the call; whatever else was begun comes to its end by itself.
            await act(call, 'lineBack')
            await call.silent(700)
            await call.wait(60_000)
            checkResponses(call)
            // And the next turn is answered.
            await act(call, 'automatic')
            await act(call, 'noLead')
            call.llm.next = undefined
            const before = call.count('committed')
            await call.silent(100)
            await call.says(700)
            await call.wait(30_000)
            expect(call.count('committed')).toBe(before + 1)
            checkResponses(call)
            const records = await call.records()
            for (const { heard, text, outcome } of records) {
              if (outcome === 'open' || !heard) continue
              const plain = (t: string) => t.replace(/\s+/g, ' ').trim()
              expect(plain(text.said ?? '')).toContain(plain(heard.text).slice(0, 12))
            }
            await call.hangUp()
            expect(call.outputsEnded || reader !== 'fast').toBe(true)
            expect(call.listeners).toBe(0)
            expect(call.pacers.size).toBe(0)
            if (reader === 'fast') expect(call.clock.pendingTimers).toBe(0)
            expect((await call.records()).filter(({ outcome }) => outcome === 'open')).toEqual([])
          },
        ),
        { numRuns: 40, seed: 11 },
      )
    })
  }
})
