import { expect, test } from 'vitest'
import { Stretches } from '../../src/provider/stretches.ts'

test('answers belong to the audio between two questions, in order', () => {
  const stretches = new Stretches()
  stretches.ask(500)
  stretches.ask(900)
  expect(stretches.current).toEqual({ fromMs: 0, toMs: 500 })
  expect(stretches.end()).toEqual({ fromMs: 0, toMs: 500, answers: true })
  expect(stretches.end()).toEqual({ fromMs: 500, toMs: 900, answers: true })
  expect(stretches.isAsked).toBe(false)
  expect(stretches.current).toEqual({ fromMs: 900, toMs: 901 })
})

test('an answer that nobody asked for reaches to its last word', () => {
  const stretches = new Stretches()
  expect(stretches.end(700)).toEqual({ fromMs: 0, toMs: 700, answers: false })
  expect(stretches.current.fromMs).toBe(700)
  expect(stretches.end()).toMatchObject({ fromMs: 700, answers: false })
})

test('a refused question: its audio goes to the one before it, or nothing is waited for', () => {
  const stretches = new Stretches()
  stretches.ask(500)
  stretches.ask(600)
  expect(stretches.withdraw()).toBeUndefined()
  expect(stretches.end()).toEqual({ fromMs: 0, toMs: 600, answers: true })
  stretches.ask(700)
  expect(stretches.withdraw()).toBe(700)
  expect(stretches.withdraw()).toBeUndefined()
  expect(stretches.skip()).toBeUndefined()
  expect(stretches.current.fromMs).toBe(600)
})
