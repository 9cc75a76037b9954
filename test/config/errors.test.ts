import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import {
  ERRORS,
  type ErrorCode,
  openaiError,
  ProviderError,
  type ProviderErrorKind,
} from '../../src/errors.ts'
import { SessionRefused } from '../../src/session/session.ts'

test('docs/errors.md and the table of codes say the same, code by code', () => {
  const page = readFileSync('docs/errors.md', 'utf8')
  const told = page
    .split(/^### /m)
    .slice(1)
    .map((part) => {
      const [code, , facts, , words] = part.split('\n')
      return [code, `${facts} ${words}`]
    })
  const known = Object.entries(ERRORS).map(([code, { status, type, retryable, meaning, remedy }]) => [
    code,
    `${status} · \`${type}\` · ${retryable ? 'again' : 'not again'} ${meaning} ${remedy}`,
  ])
  expect(told).toEqual(known)
})

test('every code that a source file answers with is in the table', () => {
  const unknown = readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((file) => /^(access|gateway|session|trace|wire)\b.*\.ts$/.test(file))
    .flatMap((file) =>
      [
        ...readFileSync(`src/${file}`, 'utf8').matchAll(
          /(?:\bcode: |\brefusal\(\s*|new Refusal\(\s*)'([a-z_]+)'/g,
        ),
      ]
        .map((match) => match[1]!)
        .filter((code) => !Object.hasOwn(ERRORS, code))
        .map((code) => `${file}: ${code}`),
    )
  expect(unknown).toEqual([])
})

test('the reasons a session is refused for are codes', () => {
  const refused: ErrorCode = new SessionRefused('draining', 'The server is shutting down.').code
  expect(ERRORS[refused].status).toBe(503)
})

test('the body is the shape that OpenAI clients read', () => {
  expect(openaiError('invalid_value', 'limit must be a number', 'limit')).toEqual({
    error: {
      message: 'limit must be a number',
      type: 'invalid_request_error',
      param: 'limit',
      code: 'invalid_value',
    },
  })
})

test('every way a provider can fail is a code, and both agree on whether trying again helps', () => {
  const kinds = ['auth', 'quota', 'rate', 'bad_request', 'transient', 'timeout', 'expired'] as const
  const all: Exclude<ProviderErrorKind, 'cancelled' | (typeof kinds)[number]>[] = []
  expect(all).toEqual([])
  for (const kind of kinds) {
    const error = new ProviderError({ provider: 'p', stage: 'llm', kind, message: 'm' })
    expect(ERRORS[kind].retryable, kind).toBe(error.retryable)
  }
})
