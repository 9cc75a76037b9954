/** What the model may do with its own call: within the pipeline's word, and never with a number it made up. */
import { describe, expect, test } from 'vitest'
import { openScope } from '../../../src/cancel.ts'
import { VirtualClock } from '../../../src/clock.ts'
import type { CallPolicy } from '../../../src/config/pipeline.ts'
import { loadPipeline } from '../../../src/config/pipeline-set.ts'
import { formatProblem } from '../../../src/config/problem.ts'
import { joinedTools, type ServerTools } from '../../../src/stage/tools.ts'
import { CallControlError } from '../../../src/wire/telephony/bridge.ts'
import { type CallActs, callTools } from '../../../src/wire/telephony/call/tools.ts'

const ALL: CallPolicy = {
  hangUp: true,
  transfer: { sales: '+15551234567', desk: 'sip:desk@pbx.example.com' },
  sendDigits: true,
}

class Line implements CallActs {
  readonly did: string[] = []
  fails: Error | undefined
  hangUp(): void {
    this.did.push('hung up')
  }
  async transfer(to: string): Promise<void> {
    if (this.fails) throw this.fails
    this.did.push(`to ${to}`)
  }
  async sendDigits(digits: string): Promise<void> {
    if (this.fails) throw this.fails
    this.did.push(`keys ${digits}`)
  }
}

const options = { clock: new VirtualClock(), signal: openScope().signal }
const asks = (tools: ServerTools, name: string, args: unknown = {}) =>
  tools.run({ callId: 'c', name, arguments: JSON.stringify(args) }, options)
const names = (tools: ServerTools) => tools.definitions.map(({ name }) => name)

test('the model is offered what the pipeline allows and the bridge can, and sees no number', () => {
  const line = new Line()
  expect(names(callTools(ALL, line))).toEqual(['hang_up', 'transfer_call', 'send_digits'])
  expect(JSON.stringify(callTools(ALL, line).definitions)).not.toMatch(/555|pbx/)
  expect(names(callTools(null, line))).toEqual([])
  expect(names(callTools({ hangUp: false, transfer: {}, sendDigits: false }, line))).toEqual([])
  expect(names(callTools(ALL, { hangUp: () => {} }))).toEqual(['hang_up'])
})

test('it hangs up: the line is told, and the answer goes on', async () => {
  const line = new Line()
  expect(await asks(callTools(ALL, line), 'hang_up')).toMatch(/ends now/)
  expect(line.did).toEqual(['hung up'])
})

test('it transfers by name', async () => {
  const line = new Line()
  expect(await asks(callTools(ALL, line), 'transfer_call', { destination: 'desk' })).toMatch(/transferred/)
  expect(line.did).toEqual(['to sip:desk@pbx.example.com'])
})

test.each([
  [{ destination: '+19005550000' }],
  [{ destination: 'constructor' }],
  [{ destination: '__proto__' }],
  [{ destination: '' }],
  [{ to: '+19005550000' }],
  [{ destination: 'sales', to: '+19005550000' }],
  [{}],
])('a destination that the pipeline does not name is refused: %j', async (args) => {
  const line = new Line()
  await expect(asks(callTools(ALL, line), 'transfer_call', args)).rejects.toMatchObject({ kind: 'arguments' })
  expect(line.did).toEqual([])
})

test('a tool that is not allowed is not run, though the model asks for it', async () => {
  const line = new Line()
  const tools = callTools({ ...ALL, hangUp: false, transfer: {}, sendDigits: false }, line)
  for (const name of ['hang_up', 'transfer_call', 'send_digits'])
    await expect(asks(tools, name, { destination: 'sales', digits: '1' })).rejects.toMatchObject({
      kind: 'unknown',
    })
  expect(line.did).toEqual([])
})

test('a transfer that failed is told without the bridge’s words, and may be tried again; a second one after it may not', async () => {
  const line = new Line()
  const tools = callTools(ALL, line)
  line.fails = new CallControlError('auth', 'Twilio did not do it (status 401)')
  const error = await asks(tools, 'transfer_call', { destination: 'sales' }).catch((e: Error) => e)
  expect(error).toMatchObject({ name: 'ToolError', message: expect.not.stringContaining('Twilio') })
  line.fails = undefined
  await asks(tools, 'transfer_call', { destination: 'sales' })
  await expect(asks(tools, 'transfer_call', { destination: 'desk' })).rejects.toThrow('already')
  expect(line.did).toEqual(['to +15551234567'])
})

test('two transfers at once are one', async () => {
  const line = new Line()
  const tools = callTools(ALL, line)
  const both = [{ destination: 'sales' }, { destination: 'desk' }].map((args) =>
    asks(tools, 'transfer_call', args),
  )
  expect((await Promise.allSettled(both)).map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
  expect(line.did).toHaveLength(1)
})

test('keys are keys', async () => {
  const line = new Line()
  const tools = callTools(ALL, line)
  await asks(tools, 'send_digits', { digits: '1w2#' })
  for (const digits of ['', 'abc', '1;2', '9'.repeat(65), 5])
    await expect(asks(tools, 'send_digits', { digits })).rejects.toMatchObject({ kind: 'arguments' })
  expect(line.did).toEqual(['keys 1w2#'])
})

describe('beside the pipeline’s own tools', () => {
  const own = (more: object = {}): ServerTools => ({
    definitions: [{ name: 'hang_up', server: 'http', filler: null, ...more }],
    run: async () => 'the pipeline’s',
  })

  test('of one name the pipeline’s is offered and run', async () => {
    const line = new Line()
    const tools = joinedTools(own(), callTools(ALL, line))
    expect(tools.definitions.map(({ name, server }) => `${server}/${name}`)).toEqual([
      'http/hang_up',
      'call/transfer_call',
      'call/send_digits',
    ])
    expect(await asks(tools, 'hang_up')).toBe('the pipeline’s')
    expect(await asks(tools, 'send_digits', { digits: '1' })).toMatch(/pressed/)
    await expect(asks(joinedTools(callTools(null, line), own()), 'nothing')).rejects.toMatchObject({
      kind: 'unknown',
    })
    expect(line.did).toEqual(['keys 1'])
  })

  test('one that needs consent is not replaced by one that needs none', () => {
    const tools = joinedTools(own({ approval: 'always' }), callTools(ALL, new Line()))
    expect(tools.definitions.filter(({ name }) => name === 'hang_up')).toMatchObject([{ approval: 'always' }])
  })
})

describe('the pipeline’s member', () => {
  const said = (text: string) => loadPipeline(`name: p\n${text}\n`, 'p.yaml').problems.map(formatProblem)

  test('names destinations by number or SIP address', () => {
    const { loaded } = loadPipeline('name: p\ncall: { transfer: { sales: "+15551234567" } }', 'p.yaml')
    expect(loaded?.pipeline.call).toEqual({
      hangUp: false,
      transfer: { sales: '+15551234567' },
      sendDigits: false,
    })
    expect(Object.getPrototypeOf(loaded?.pipeline.call?.transfer)).toBeNull()
    expect(loadPipeline('name: p', 'p.yaml').loaded?.pipeline.call).toBeNull()
  })

  test.each(['5551234567', '+1', 'sip:a b@c', 'sip:x@y<Dial>', 'https://example.com', 'tel:+15551234567'])(
    'refuses %s, with its place',
    (to) =>
      expect(said(`call:\n  transfer:\n    sales: "${to}"`)).toEqual([
        expect.stringMatching(/^p\.yaml:4:12: .*wants a number/),
      ]),
  )
})
