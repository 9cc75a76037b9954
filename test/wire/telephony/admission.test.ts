/** Who may open a stream: by signature, token, password, or a one-time token at the start. */
import { describe, expect, test } from 'vitest'
import { MULAW_8K } from '../../../src/audio/format.ts'
import { VirtualClock } from '../../../src/clock.ts'
import type { CallStart, Upgrade } from '../../../src/wire/telephony/bridge.ts'
import { twilio } from '../../../src/wire/telephony/bridges/twilio/index.ts'
import { admit, admitAtStart } from '../../../src/wire/telephony/http/admission.ts'
import { CallTokens } from '../../../src/wire/telephony/http/tokens.ts'
import { settingOf } from './setting.ts'

const TOKEN = 'a-token-of-the-operator'
const upgrade = (more: Partial<Upgrade> = {}): Upgrade => ({
  path: '/v1/telephony/twilio',
  query: {},
  headers: {},
  publicUrl: 'https://voice.example.com',
  receivedAtMs: 1_795_000_000_000,
  ...more,
})
const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` })
const start = (parameters: Record<string, string>): CallStart => ({
  callId: 'CA1',
  streamId: null,
  inputFormat: MULAW_8K,
  outputFormat: MULAW_8K,
  from: null,
  to: null,
  parameters,
})

function gate(given: Parameters<typeof settingOf>[1] = {}, open = false) {
  const setting = settingOf('twilio', given)
  return { bridge: twilio(setting), setting, open }
}

describe('before the upgrade', () => {
  test.each([
    ['in the path', { path: TOKEN }, {}],
    ['in the query', { query: { token: TOKEN } }, {}],
    ['as a bearer', {}, { authorization: `Bearer ${TOKEN}` }],
  ])(
    'a token %s admits, and a wrong one does not',
    (_name, { path, query }: { path?: string; query?: Record<string, string> }, headers) => {
      const asked = upgrade({ headers, ...(query ? { query } : {}) })
      expect(admit(gate({ token: TOKEN }), asked, path)).toBe('admitted')
      expect(admit(gate({ token: `${TOKEN}-of-another` }), asked, path)).toBe('refused')
      expect(admit(gate(), asked, path)).toBe('refused')
    },
  )

  test('of two tokens that are shown both must be right', () => {
    const asked = upgrade({ query: { token: 'a-wrong-one-entirely' } })
    expect(admit(gate({ token: TOKEN }), asked, TOKEN)).toBe('refused')
  })

  test('a name and a password admit, and wrong ones do not', () => {
    const wants = { username: 'pbx', password: 'of-the-exchange' }
    // Twilio has no user name: another bridge's gate, with the same rules.
    const setting = settingOf('asterisk', wants)
    const bridge = { ...twilio(settingOf('twilio')), signs: false }
    const ask = (text: string) =>
      admit({ bridge, setting, open: false }, upgrade({ headers: basic(text) }), undefined)
    expect(ask('pbx:of-the-exchange')).toBe('admitted')
    for (const wrong of ['pbx:wrong', 'other:of-the-exchange', 'pbx', ':']) expect(ask(wrong)).toBe('refused')
  })

  test('a bridge that signs is refused without its signature, even where the server is open', () => {
    expect(admit(gate({ authToken: 'secret' }, true), upgrade(), undefined)).toBe('refused')
    expect(
      admit(gate({ authToken: 'secret' }), upgrade({ headers: { 'x-twilio-signature': 'AAAA' } }), undefined),
    ).toBe('refused')
  })

  test('without any proof it is admitted only where nobody needs a key', () => {
    expect(admit(gate({}, true), upgrade(), undefined)).toBe('admitted')
    expect(admit(gate({}, false), upgrade(), undefined)).toBe('at-start')
    expect(admit(gate({ token: TOKEN }, true), upgrade(), undefined)).toBe('at-start')
  })
})

describe('at the start', () => {
  test('a one-time token admits once, for its bridge, for two minutes', async () => {
    const clock = new VirtualClock()
    const tokens = new CallTokens(clock)
    const facts = { bridge: 'twilio', pipeline: 'sales' }
    const token = tokens.mint(facts)
    expect(admitAtStart(gate(), start({ parleyToken: token }), tokens)).toEqual(facts)
    expect(admitAtStart(gate(), start({ parleyToken: token }), tokens)).toBeUndefined()
    const other = tokens.mint({ bridge: 'telnyx', pipeline: null })
    expect(admitAtStart(gate(), start({ parleyToken: other }), tokens)).toBeUndefined()
    const late = tokens.mint(facts)
    await clock.advance(120_001)
    expect(admitAtStart(gate(), start({ parleyToken: late }), tokens)).toBeUndefined()
  })

  test('the operator’s own token does too, and nothing else', () => {
    const tokens = new CallTokens(new VirtualClock())
    expect(admitAtStart(gate({ token: TOKEN }), start({ parleyToken: TOKEN }), tokens)).toBe('admitted')
    expect(admitAtStart(gate({ token: TOKEN }), start({}), tokens)).toBeUndefined()
    expect(admitAtStart(gate({ token: TOKEN }), start({ parleyToken: 'guess' }), tokens)).toBeUndefined()
  })

  test('tokens are bounded: of a flood the oldest go', () => {
    const tokens = new CallTokens(new VirtualClock())
    const first = tokens.mint({ bridge: 'twilio', pipeline: null })
    for (let i = 0; i < 10_000; i++) tokens.mint({ bridge: 'twilio', pipeline: null })
    expect(tokens.take(first)).toBeUndefined()
  })
})
