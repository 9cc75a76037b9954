/**
 * Random orders of events, sensible and not, against what must hold whatever happens. The world is a rough model of
 * the ear, the recogniser, the model and the client: it answers effects late, twice, in odd orders, or for things long gone.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Effect } from '../../src/session/effects.ts'
import { activeResponse } from '../../src/session/state.ts'
import { CRM, crm, TOOLS } from './desk.ts'
import { PHONE, Story, UNPACED } from './story.ts'

const ACTIONS = [
  'speechStarted',
  'speechConfirmed',
  'speechDropped',
  'speechPaused',
  'speechResumed',
  'speechEnded',
  'partial',
  'complete',
  'final',
  'emptyFinal',
  'sttFailed',
  'staleFinal',
  'wordsLate',
  'speaking',
  'toolCalled',
  'thought',
  'thoughtNothing',
  'spoken',
  'answerFailed',
  'reportCut',
  'playedOut',
  'truncate',
  'respond',
  'respondOutOfBand',
  'cancel',
  'commit',
  'clear',
  'item',
  'toolResult',
  'name',
  'unname',
  'listed',
  'mcpCalled',
  'approve',
  'deny',
  'toolAnswered',
  'delete',
  'timer',
  'manual',
  'automatic',
] as const
type Action = (typeof ACTIONS)[number]

class World {
  readonly story: Story
  #calls = 0

  constructor(phone: boolean, revisions: number) {
    this.story = new Story(
      {
        maxRevisions: revisions,
        tools: [{ name: 't' }],
        mcpServers: [CRM],
        ...(revisions > 1 ? { apology: 'Sorry.' } : {}),
      },
      phone ? PHONE : UNPACED,
    )
    this.act('name', 0)
    this.act('listed', 1)
  }

  act(action: Action, n: number): void {
    const { story } = this
    const response = this.#pick(n)
    const { turn } = story
    switch (action) {
      case 'speechStarted':
        return void story.speaks()
      case 'speechEnded':
        return void story.stops()
      case 'speechPaused':
        return void story.pauses()
      case 'speechConfirmed':
      case 'speechDropped':
      case 'speechResumed':
        return void story.tell({ type: action })
      case 'partial':
      case 'complete':
        return void story.tell({
          type: 'partial',
          turn,
          text: `w${n % 3}`,
          stable: '',
          complete: action === 'complete',
        })
      case 'final':
        return void story.final(`w${n % 3}`, this.#awaited(n))
      case 'emptyFinal':
        return void story.final('', this.#awaited(n))
      case 'staleFinal':
        return void story.final('old', 'turn_x0000')
      case 'sttFailed':
        return void story.tell({ type: 'sttFailed', turn: this.#awaited(n), code: 'timeout', message: '' })
      case 'wordsLate':
        return void story.tell({ type: 'wordsLate', turn: this.#awaited(n), phrase: 'One moment.' })
      case 'speaking':
        return void story.tell({ type: 'speaking', response })
      case 'toolCalled':
        return void story.tell({
          type: 'toolCalled',
          response,
          call: { callId: `call_${this.#calls++}`, name: 't', arguments: '{}' },
        })
      case 'mcpCalled': {
        // The whole of an answer: chance seldom finds its steps in this order.
        story.client({ type: 'respond', request: { conversation: 'default' } })
        const asking = activeResponse(story.state)?.id ?? response
        const name = n % 3 ? 'erase' : 'find'
        const call = { callId: `call_${this.#calls++}`, name, arguments: '{}' }
        story.tell({ type: 'toolCalled', response: asking, call })
        return void story.tell({
          type: 'thought',
          response: asking,
          finish: 'stop',
          usage: null,
          words: 'none',
        })
      }
      case 'name':
      case 'unname': {
        const approval = { never: { readOnly: true } }
        const tools = action === 'name' ? [{ name: 't' }, crm({ approval })] : [{ name: 't' }]
        return void story.client({ type: 'settings', patch: { tools } })
      }
      case 'listed': {
        const asked = story.effects.filter((e) => e.do === 'listTools')
        const itemId = asked[n % Math.max(1, asked.length)]?.itemId ?? 'item_gone'
        return void story.tell({ type: 'toolsListed', itemId, tools: n % 5 ? TOOLS : null })
      }
      case 'approve':
      case 'deny': {
        const decision = action === 'approve' ? 'approved' : 'denied'
        const requests = story.outputs.flatMap((o) => (o.type === 'approvalRequested' ? [o.item.id] : []))
        const requestId = requests[n % Math.max(1, requests.length)] ?? this.#item(n)
        const facts = { requestId, decision, explanation: null, status: 'completed' } as const
        const item = { id: '', type: 'approvalResponse', ...facts } as const
        return void story.client({ type: 'createItem', after: null, item })
      }
      case 'toolAnswered': {
        // As the runner does: each call once.
        const open = story.effects.filter((e) => e.do === 'callTool' && !this.#answered.has(e))
        const made = open[n % Math.max(1, open.length)]
        if (made?.do !== 'callTool') return
        this.#answered.add(made)
        const { callId } = made.call
        return void story.tell({
          type: 'toolAnswered',
          callId,
          output: n % 2 ? 'r' : null,
          error: n % 2 ? null : 'e',
        })
      }
      case 'thought':
      case 'thoughtNothing': {
        const words = action === 'thought' ? 'some' : 'none'
        return void story.tell({ type: 'thought', response, finish: 'stop', usage: null, words })
      }
      case 'spoken':
        return void story.tell({ type: 'spoken', response, said: 'said', audioMs: 500 })
      case 'answerFailed':
        return void story.tell({
          type: 'answerFailed',
          response,
          code: 'transient',
          message: '',
          said: '',
          audioMs: 0,
          heard: null,
        })
      case 'reportCut':
        return this.#reportCuts()
      case 'playedOut':
        return void story.tell({ type: 'playedOut', response })
      case 'truncate': {
        const itemId = this.#item(n)
        const heard = { ms: n, text: `h${n % 3}`, interrupted: true }
        return void story.tell({ type: 'truncated', itemId, contentIndex: 0, audioEndMs: n, heard })
      }
      case 'respond':
        return void story.client({ type: 'respond', request: { conversation: 'default' } })
      case 'respondOutOfBand':
        return void story.client({ type: 'respond', request: { conversation: 'none', modality: 'text' } })
      case 'cancel':
        return void story.client({ type: 'cancelResponse', responseId: n % 2 ? null : response })
      case 'commit':
        return void story.client({ type: 'commit' }, 500)
      case 'clear':
        return void story.client({ type: 'clear' })
      case 'item':
        return void story.client({
          type: 'createItem',
          after: n % 3 ? null : 'root',
          item: {
            id: '',
            type: 'message',
            role: 'user',
            status: 'completed',
            parts: [{ type: 'text', text: 'typed' }],
          },
        })
      case 'toolResult':
        return void story.client({
          type: 'createItem',
          after: null,
          item: { id: '', type: 'toolResult', callId: `call_${n % 3}`, output: 'r', status: 'completed' },
        })
      case 'delete':
        return void story.client({ type: 'deleteItem', itemId: this.#item(n) })
      case 'timer':
        return void story.tell({ type: 'timer', timer: 'falseInterruption', audioMs: 0 })
      case 'manual':
        return void story.client({ type: 'settings', patch: { turnDetection: null } })
      case 'automatic': {
        const turnDetection = new Story().state.settings.turnDetection
        return void story.client({ type: 'settings', patch: { turnDetection } })
      }
    }
  }

  /** As the runner does: every cut is reported, and at once. */
  settleCuts(): void {
    while (this.#openCuts().length > 0) this.#reportCuts()
  }

  readonly #reported = new Set<Effect>()
  readonly #answered = new Set<Effect>()

  #openCuts() {
    return this.story.effects.filter((e) => e.do === 'cut' && !this.#reported.has(e))
  }

  #reportCuts(): void {
    for (const cut of this.#openCuts()) {
      this.#reported.add(cut)
      if (cut.do !== 'cut') continue
      const heard = { ms: 100, text: 'sa', interrupted: true }
      this.story.tell({ type: 'outputCut', response: cut.response, said: 'said', audioMs: 200, heard })
    }
  }

  /** Mostly a live response, sometimes one long gone. */
  #pick(n: number): string {
    const live = [...this.story.state.responses.keys(), ...this.story.state.playing.map((p) => p.response)]
    return live[n % (live.length + 1)] ?? 'resp_gone'
  }

  #awaited(n: number): string {
    const { transcriptions } = this.story.state
    return transcriptions[n % Math.max(1, transcriptions.length)]?.turn ?? this.story.turn
  }

  #item(n: number): string {
    const { history } = this.story.state
    return history[n % Math.max(1, history.length)]?.item.id ?? 'item_gone'
  }
}

const script = fc.array(fc.tuple(fc.constantFrom(...ACTIONS), fc.nat(20)), { minLength: 5, maxLength: 120 })

function play(
  phone: boolean,
  revisions: number,
  steps: [Action, number][],
  check: (story: Story) => void,
): Story {
  const world = new World(phone, revisions)
  for (const [action, n] of steps) {
    world.act(action, n)
    world.settleCuts()
    check(world.story)
  }
  return world.story
}

const RUNS = { numRuns: 1_500 }

test('never two answers at once in the conversation', () => {
  fc.assert(
    fc.property(fc.boolean(), fc.nat(3), script, (phone, revisions, steps) => {
      play(phone, revisions, steps, ({ state }) => {
        const running = [...state.responses.values()].filter(
          (r) => r.inConversation && r.phase !== 'speculating',
        )
        expect(running.length).toBeLessThanOrEqual(1)
        const guesses = [...state.responses.values()].filter((r) => r.phase === 'speculating')
        expect(guesses.length).toBeLessThanOrEqual(1)
        // A guess and a committed answer never run side by side.
        if (guesses.length > 0) expect(activeResponse(state)).toBeUndefined()
      })
    }),
    RUNS,
  )
})

test('every thought ends in a finished response, is superseded, or is still live', () => {
  fc.assert(
    fc.property(fc.boolean(), fc.nat(3), script, (phone, revisions, steps) => {
      const story = play(phone, revisions, steps, () => {})
      const done = new Set(story.outputs.flatMap((o) => (o.type === 'responseDone' ? [o.response.id] : [])))
      const failed = new Set(story.events.flatMap((e) => (e.type === 'answerFailed' ? [e.response] : [])))
      const dropped = new Set(story.effects.flatMap((e) => (e.do === 'drop' ? [e.response] : [])))
      for (const effect of story.effects) {
        if (effect.do !== 'think') continue
        const { response } = effect
        const live = story.state.responses.has(response)
        expect(done.has(response) || dropped.has(response) || failed.has(response) || live).toBe(true)
      }
    }),
    RUNS,
  )
})

test('each response opens and closes once on the wire, its pieces in between and in order', () => {
  fc.assert(
    fc.property(fc.boolean(), fc.nat(3), script, (phone, revisions, steps) => {
      const story = play(phone, revisions, steps, () => {})
      const stage = new Map<string, string>()
      for (const output of story.outputs) {
        if (output.type === 'responseCreated') {
          expect(stage.has(output.response.id)).toBe(false)
          stage.set(output.response.id, 'created')
        } else if (output.type === 'answerStarted') {
          expect(stage.get(output.responseId)).toBe('created')
          stage.set(output.responseId, 'started')
        } else if (output.type === 'answerDone') {
          expect(stage.get(output.responseId)).toBe('started')
          stage.set(output.responseId, 'answered')
        } else if (output.type === 'toolCalled') {
          expect(['created', 'answered', 'called']).toContain(stage.get(output.responseId))
          stage.set(output.responseId, 'called')
        } else if (output.type === 'responseDone') {
          expect(['created', 'answered', 'called']).toContain(stage.get(output.response.id))
          stage.set(output.response.id, 'done')
        }
      }
      for (const [id, at] of stage) if (at !== 'done') expect(story.state.responses.has(id)).toBe(true)
    }),
    RUNS,
  )
})

test('speech starts and stops in turn; items are added once, after an item that exists', () => {
  fc.assert(
    fc.property(fc.boolean(), fc.nat(3), script, (phone, revisions, steps) => {
      const story = play(phone, revisions, steps, () => {})
      const known = new Set<string>()
      for (const output of story.outputs) {
        if (output.type === 'itemAdded' || (output.type === 'answerStarted' && output.inConversation)) {
          expect(known.has(output.item.id)).toBe(false)
          if (output.previousItemId !== null) expect(known.has(output.previousItemId)).toBe(true)
          known.add(output.item.id)
        }
        if (output.type === 'toolCalled' && output.inConversation) known.add(output.item.id)
        if (output.type === 'serverCalled' && output.inConversation) known.add(output.item.id)
        if (output.type === 'approvalRequested' && output.inConversation) known.add(output.item.id)
        if (output.type === 'speechStopped') expect(known.has(output.itemId)).toBe(false)
      }
    }),
    RUNS,
  )
})

test('each tool result is committed once and belongs to a call', () => {
  fc.assert(
    fc.property(fc.boolean(), fc.nat(3), script, (phone, revisions, steps) => {
      const story = play(phone, revisions, steps, () => {})
      const results = story.outputs.flatMap((o) =>
        o.type === 'itemAdded' && o.item.type === 'toolResult' ? [o.item.callId] : [],
      )
      const calls = story.outputs.flatMap((o) => (o.type === 'toolCalled' ? [o.item.callId] : []))
      for (const id of results) expect(calls).toContain(id)
      const deletions = story.outputs.some((o) => o.type === 'itemDeleted')
      if (!deletions) expect(new Set(results).size).toBe(results.length)
    }),
    RUNS,
  )
})

test('nothing that must be approved is called without it, nothing twice, and nothing that was denied', () => {
  fc.assert(
    fc.property(fc.boolean(), fc.nat(3), script, (phone, revisions, steps) => {
      const story = play(phone, revisions, steps, () => {})
      const approved = new Set<string>()
      const asked = new Map<string, string>()
      const called = new Set<string>()
      for (const effect of story.effects) {
        if (effect.do === 'callTool') {
          const { callId, name } = effect.call
          expect(called.has(callId)).toBe(false)
          called.add(callId)
          if (name === 'erase') expect(approved).toContain(callId)
        }
        if (effect.do !== 'emit') continue
        const { output } = effect
        if (output.type === 'approvalRequested') asked.set(output.item.id, output.item.callId)
        if (output.type !== 'itemAdded' || output.item.type !== 'approvalResponse') continue
        const callId = asked.get(output.item.requestId)
        expect(callId).toBeDefined()
        expect(called.has(callId!)).toBe(false)
        if (output.item.decision === 'approved') approved.add(callId!)
      }
      const outcomes = story.outputs.flatMap((o) => (o.type === 'serverAnswered' ? [o.item.id] : []))
      expect(new Set(outcomes).size).toBe(outcomes.length)
    }),
    RUNS,
  )
})

test('hang-up from any state leaves no timer, no open turn and no life', () => {
  fc.assert(
    fc.property(
      fc.boolean(),
      fc.nat(3),
      script,
      fc.constantFrom(...ACTIONS),
      (phone, revisions, steps, after) => {
        const world = new World(phone, revisions)
        for (const [action, n] of steps) {
          world.act(action, n)
          world.settleCuts()
        }
        const { story } = world
        story.tell({ type: 'hangup' })
        let timers = 0
        const open = new Set<string>()
        for (const effect of story.effects) {
          if (effect.do === 'setTimer') timers = 1
          if (effect.do === 'clearTimer') timers = 0
          if (effect.do === 'openTurn') open.add(effect.turn)
          if (effect.do === 'closeTurn') open.delete(effect.turn)
        }
        expect(timers).toBe(0)
        expect([...open]).toEqual([])
        expect(story.state.responses.size).toBe(0)
        const before = story.effects.length
        world.act(after, 1)
        expect(story.effects.length).toBe(before)
      },
    ),
    RUNS,
  )
})

test('the prompt is always one a provider accepts: every call followed by its result', () => {
  fc.assert(
    fc.property(fc.boolean(), fc.nat(3), script, (phone, revisions, steps) => {
      const story = play(phone, revisions, steps, () => {})
      for (const effect of story.effects) {
        if (effect.do !== 'think') continue
        const { messages } = effect.request
        messages.forEach((message, i) => {
          if (message.role !== 'assistant' || !message.toolCalls) return
          message.toolCalls.forEach((call, k) => {
            expect(messages[i + 1 + k]).toMatchObject({ role: 'tool', callId: call.callId })
          })
        })
      }
    }),
    RUNS,
  )
})
