/** Calls placed, ended and sent elsewhere over every bridge's REST interface, before doubles that check what they are sent. */
import { describe, expect, test } from 'vitest'
import { openScope } from '../../../src/cancel.ts'
import { CallControlError } from '../../../src/wire/telephony/bridge.ts'
import { asterisk } from '../../../src/wire/telephony/bridges/asterisk/index.ts'
import { CONTROLLED, TRANSFER_URL } from '../../support/call-controls.ts'
import { settingOf } from './setting.ts'

const SIGNAL = openScope().signal
const DIAL = {
  to: '+15557654321',
  from: '+15551234567',
  target: { url: 'wss://voice.example.com/v1/telephony/x', parameters: { token: 'abc', from: 'a<b>&"c"' } },
  answerUrl: 'https://voice.example.com/v1/telephony/x/voice?token=abc',
  signal: SIGNAL,
}
/** Such as no call has, and that would climb out of its path. */
const STRANGE_ID = 'x/../../Accounts?y=1#z'

describe.each(Object.entries(CONTROLLED))('%s', (name, of) => {
  const { control: offered } = of('right')
  const ends = name !== 'exotel'

  test.runIf(offered.dial)('a call is placed once, and is found again by its id', async () => {
    const { double, control } = of('right')
    const { callId } = await control.dial!(DIAL)
    expect(double.mistakes).toEqual([])
    expect([...double.calls.keys()]).toEqual([callId])
    expect(double.calls.get(callId)!.to.replace(/\D/g, '')).toBe('15557654321')
    expect(double.requests).toHaveLength(1)
  })

  test.runIf(ends)('it is ended; ending it again is no failure', async () => {
    const { double, control } = of('right')
    const call = double.place({ to: '+1', from: '+2', placedWith: null }, idOf(name))
    await control.hangUp(call.id, SIGNAL)
    expect(call.state).toBe('over')
    await control.hangUp(call.id, SIGNAL)
    expect(double.mistakes).toEqual([])
  })

  test.runIf(offered.transfer)('it is sent to a number, and no more once it is over', async () => {
    const { double, control } = of('right')
    const call = double.place({ to: '+1', from: '+2', placedWith: null }, idOf(name))
    await control.transfer!(call.id, '+15550001111', SIGNAL)
    const asked = [TRANSFER_URL('+15550001111'), '+15550001111', '15550001111']
    expect(asked.some((where) => call.transferredTo!.includes(where))).toBe(true)
    expect(double.mistakes).toEqual([])
    call.state = 'over'
    await expect(control.transfer!(call.id, '+15550001111', SIGNAL)).rejects.toMatchObject({ kind: 'gone' })
  })

  test.runIf(offered.sendDigits)('keys are sent to the other end', async () => {
    const { double, control } = of('right')
    const call = double.place({ to: '+1', from: '+2', placedWith: null }, idOf(name))
    await control.sendDigits!(call.id, '12#', SIGNAL)
    expect(call.digits).toBe('12#')
    await expect(control.sendDigits!(call.id, '', SIGNAL)).rejects.toMatchObject({ kind: 'refused' })
  })

  const act = (control: typeof offered) =>
    ends ? control.hangUp('call-1', SIGNAL) : control.dial!(DIAL).then(() => {})

  test('a wrong secret is told as such, and stands in no error', async () => {
    const { control } = of('wrong')
    const error = await act(control).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(CallControlError)
    expect(error).toMatchObject({ kind: 'auth' })
    expect(JSON.stringify([error, String((error as Error).stack)])).not.toMatch(
      /another-secret|PRIVATE KEY|sentence/i,
    )
  })

  test.each([
    [{ status: 429, json: { message: 'A sentence of its own' } }, 'rate'],
    [{ status: 400, json: { code: 'A sentence of its own' } }, 'refused'],
    [{ status: 302 }, 'refused'],
    [{ status: 503 }, 'unreachable'],
    ['drop' as const, 'unreachable'],
  ])('what goes wrong there has a kind, and none of its sentences: %j', async (fault, kind) => {
    const { double, control } = of('right')
    double.fault = fault
    const error = (await act(control).catch((e: unknown) => e)) as Error
    expect(error).toMatchObject({ name: 'CallControlError', kind })
    expect(error.message).not.toContain('sentence')
    expect(double.requests.length).toBeLessThanOrEqual(1)
  })

  test('whoever waits no longer is let go, and so is the connection', async () => {
    const { double, control, open } = of('right')
    double.fault = 'hang'
    const scope = openScope()
    const waiting = ends
      ? control.hangUp('call-1', scope.signal)
      : control.dial!({ ...DIAL, signal: scope.signal })
    scope.cancel('hangup')
    await expect(waiting).rejects.toMatchObject({ name: 'Cancelled', reason: 'hangup' })
    expect(open()).toBe(0)
  })

  test.runIf(ends)('an id that was made up by the network stays one part of the path', async () => {
    const { double, control } = of('right')
    await control.hangUp(STRANGE_ID, SIGNAL).catch(() => {})
    const [asked] = double.requests
    expect(asked?.path.filter((part) => part.startsWith(STRANGE_ID))).toHaveLength(1)
    for (const climbing of ['..', '.', '']) {
      await expect(Promise.resolve().then(() => control.hangUp(climbing, SIGNAL))).rejects.toMatchObject({
        kind: 'refused',
      })
    }
  })
})

test('a bridge that asks for the document is not dialled without a public address', async () => {
  const { answerUrl: _, ...without } = DIAL
  for (const name of ['signalwire', 'plivo', 'bandwidth']) {
    const { double, control } = CONTROLLED[name]!('right')
    await expect(control.dial!(without)).rejects.toThrow('listen.publicUrl')
    expect(double.requests).toEqual([])
  }
})

test('Asterisk is given numbers alone: nothing that begins another part of a channel', async () => {
  const { double, control } = CONTROLLED['asterisk']!('right')
  for (const to of ['1@evil&PJSIP/2', 'x/y', 'sip:a@b']) {
    await expect(control.dial!({ ...DIAL, to })).rejects.toMatchObject({ kind: 'refused' })
  }
  expect(double.requests).toEqual([])
})

test('Asterisk has its REST interface where its settings have the members, and calls out where they say how', () => {
  const options = { baseUrl: 'http://127.0.0.1:8088/ari', ariUser: 'parley', ariPassword: 'secret' }
  const out = { endpoint: 'PJSIP/{to}@trunk', context: 'parley', extension: 's' }
  const made = (more: object) => asterisk({ ...settingOf('asterisk'), options: { ...more } }).control
  expect(made({})).toBeUndefined()
  expect(made(options)).toMatchObject({ hangUp: expect.any(Function) })
  expect(made(options)?.dial).toBeUndefined()
  expect(made({ ...options, ...out })?.dial).toBeDefined()
  expect(() => made({ ...options, endpoint: 'PJSIP/trunk' })).toThrow('{to}')
})

test('Exotel says that it cannot end a call', async () => {
  const { control } = CONTROLLED['exotel']!('right')
  await expect(control.hangUp('x', SIGNAL)).rejects.toMatchObject({ kind: 'refused' })
})

function idOf(name: string): (n: number) => string {
  return (n) =>
    name === 'twilio' || name === 'signalwire' ? `CA${String(n).padStart(32, '0')}` : `call/${n}=`
}
