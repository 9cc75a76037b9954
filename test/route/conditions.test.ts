import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compileCondition } from '../../src/route/condition.ts'
import { RoutingContext } from '../../src/route/context.ts'
import { condition, FACTS, faults, judge } from './facts.ts'

describe('a condition reads the context', () => {
  test.each([
    'key.tier == "premium" && key.id == "web"',
    'session.wire == "realtime" && session.turns == 2 && session.durationMs > 60000',
    'session.user in ["anna", "bert"]',
    'size(turn.text) > 10 && turn.words == 5 && turn.complexity < 0.3',
    'turn.text.lowerAscii().contains("refund")',
    'turn.text.matches("(?i)\\\\b(refund|money back)\\\\b")',
    'turn.confidence > 0.5 && turn.inputTokens + 1 == 322',
    'request.model == "support" && request.stream && "opening_hours" in request.tools',
    'request.messages.exists(m, m.role == "user" && m.content.startsWith("I want"))',
    'request.messages[0].role == "system"',
    '!has(request.maxTokens)',
    'budget.remainingMs < budget.turnMs',
    'health["openai/gpt-4o"].p95Ms == 900 && !health["openai/gpt-4o"].open',
    'metadata.seats >= 3 && metadata.deep.a.b == 1',
    'now > timestamp("2023-11-14T00:00:00Z") && now.getDayOfWeek("Europe/Rome") == 2',
  ])('%s', (text) => {
    expect(judge(text)).toBe(true)
  })

  test('language by prefix, whole subtags', () => {
    expect(judge('lang(turn.language, "de")')).toBe(true)
    expect(judge('lang(turn.language, "de-AT")')).toBe(true)
    expect(judge('lang(turn.language, "DE_at")')).toBe(true)
    expect(judge('lang(turn.language, "d")')).toBe(false)
    expect(judge('lang(session.language, "de-AT")')).toBe(false)
  })

  test('the hour somewhere', () => {
    expect(judge('hourIn(now, "Europe/Rome") == 23')).toBe(true)
    expect(judge('hourIn(now, "UTC") >= 8 && hourIn(now, "UTC") < 18')).toBe(false)
  })

  test('a percentage by a key is the same for ever, and another with another salt', () => {
    expect(judge('percent(session.user, "a") == percent("anna", "a")')).toBe(true)
    expect(judge('percent(session.user, "a") == percent(session.user, "b")')).toBe(false)
    expect(judge('percent(metadata.seats, "a") == percent("3", "a")')).toBe(true)
    const share = (below: number) => {
      const rule = condition(`percent(session.user, "rollout") < ${below}`)
      const users = Array.from({ length: 2000 }, (_, i) => `user-${i}`)
      return users.filter((user) =>
        rule.judge(new RoutingContext({ ...FACTS, session: { ...FACTS.session, user } })),
      ).length
    }
    expect(share(10) / 2000).toBeCloseTo(0.1, 1)
    expect(share(100)).toBe(2000)
  })

  test('what is trusted stands before what the client says', () => {
    expect(judge('metadata.tier == "premium"')).toBe(true)
    expect(judge('metadata.account == "acc_1"')).toBe(true)
    expect(judge('metadata.region == "eu"')).toBe(true)
    expect(judge('metadata.tier == "free"', { key: null, minted: {} })).toBe(true)
  })

  test('a rule pays only for what it reads', () => {
    let asked = 0
    const count = <T>(value: T) => {
      asked++
      return value
    }
    const context = new RoutingContext({
      ...FACTS,
      turn: () => count(FACTS.turn!()),
      request: () => count(FACTS.request!()),
      inputTokens: () => count(1),
    })
    condition('key.tier == "premium" || turn.words > 3').judge(context)
    expect(asked).toBe(0)
    condition('turn.words > 3').judge(context)
    condition('turn.text != ""').judge(context)
    expect(asked).toBe(1)
    condition('turn.inputTokens > 3').judge(context)
    expect(asked).toBe(2)
  })
})

describe('a condition that cannot be computed does not match, and says why without the caller’s data', () => {
  test.each([
    ['metadata.nothing == 1', 'missing', 'metadata.nothing is missing'],
    ['health["local/smollm2"].open', 'missing', 'an entry of health is missing'],
    ['request.messages[7].role == "user"', 'missing', 'an entry of request is missing'],
    ['metadata.seats > "3"', 'type', '> cannot be applied to double, string'],
    ['metadata.seats', 'type', 'gives a double, not true or false'],
    ['metadata.deep', 'type', 'gives a map, not true or false'],
    ['session.turns / (session.turns - 2) == 1', 'value', 'divided by zero'],
    ['int(metadata.account) == 1', 'value', 'int(metadata.account) cannot be computed from its value'],
  ])('%s', (text, kind, reason) => {
    expect(judge(text)).toMatchObject({ kind, reason })
  })

  test('an alternative that can be computed still decides', () => {
    expect(judge('metadata.nothing == 1 || session.turns == 2')).toBe(true)
    expect(judge('metadata.nothing == 1 && session.turns == 3')).toBe(false)
  })

  test('names of JavaScript are names like any other', () => {
    for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
      expect(judge(`metadata.${name} == 1`)).toMatchObject({ kind: 'missing' })
      expect(judge(`has(metadata.${name})`)).toBe(false)
    }
    expect(faults('constructor == 1')[0]).toContain('constructor is not known')
  })

  test('no value of the context is ever in a reason', () => {
    const secret = 'Xq7-secret'
    const hidden = {
      ...FACTS,
      metadata: { s: secret, list: [secret], map: { [secret]: secret }, n: 3 },
      session: { ...FACTS.session, user: secret, language: secret },
      turn: () => ({ text: secret, language: secret, confidence: 1 }),
    }
    const values = ['metadata.s', 'session.user', 'turn.text', 'metadata.list', 'metadata.map', 'metadata.n']
    const value = fc.constantFrom(...values)
    const part = fc.oneof(
      fc.tuple(value, fc.constantFrom('+', '-', '<', '%', '==', 'in'), value).map((v) => v.join(' ')),
      fc
        .tuple(fc.constantFrom('int', 'double', 'timestamp', 'duration', 'size', 'bool', 'type'), value)
        .map(([name, v]) => `${name}(${v}) == 1`),
      fc.tuple(value, value).map(([a, b]) => `${a}[${b}] == 1`),
      fc.tuple(value, value).map(([a, b]) => `{${a}: 1, ${b}: 2}[${b}] == 3`),
      value.map((v) => `${v}.exists(x, x.nothing == 1)`),
      value.map((v) => `lang(${v}, ${v})`),
      value.map((v) => `hourIn(${v}, "UTC") == 1`),
      value.map((v) => `${v} ? true : false`),
    )
    const spoken: string[] = []
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 3 }), (parts) => {
        const compiled = compileCondition(parts.join(' && '), { stage: 'llm', targets: null })
        if (!compiled.ok) return
        const context = new RoutingContext(hidden)
        const verdict = compiled.condition.judge(context)
        spoken.push(compiled.condition.why(context))
        if (typeof verdict === 'object') spoken.push(verdict.reason)
      }),
      { numRuns: 300 },
    )
    expect(spoken.length).toBeGreaterThan(100)
    expect(spoken.filter((text) => text.includes(secret))).toEqual([])
  })
})

describe('a condition that cannot be right stops the load, at its place', () => {
  test.each([
    ['key.tier = "premium"', '9: one = is no comparison: write =='],
    ['key.tier ==', '9: something must follow =='],
    ['', '0: ends too early'],
    ['turn.txt == "a"', '4: turn.txt is not known; did you mean text?'],
    ['trun.text == "a"', '0: trun is not known; did you mean turn?'],
    ['text == "a"', '0: text is not known; did you mean turn.text?'],
    [
      'tier == "premium"',
      "0: tier is not known; what the client sent is metadata.tier, the key's own is key.tier",
    ],
    ['sise(turn.text) > 1', '0: the function sise is not known; did you mean size?'],
    ['has(metadata)', '0: has wants a member, as in has(metadata.tier)'],
    [
      'health["openai/gpt4o"].open',
      '7: openai/gpt4o is no target of this pipeline; did you mean openai/gpt-4o?',
    ],
    [
      'health["openai/gpt-4o"].p96Ms > 1',
      '23: health["openai/gpt-4o"].p96Ms is not known; did you mean p95Ms?',
    ],
    ['health.exists(h, true)', '0: health has every target and cannot be listed'],
    ['request.messages.exists(m, m.text == "a")', '28: m.text is not known; there are role, content'],
    ['[1].exists(turn, turn == 1)', '3: turn is a name of the context: call the item otherwise'],
    ['Foo{a: 1} == 1', '0: Foo{…} makes a message, which no rule can use'],
    // Types: seen even behind a part that would stop the whole at run time.
    ['session.wire == "x" && turn.text > 5', '33: > cannot be applied to string, int'],
    ['metadata.a == 1 || lang(turn.words, "de")', '19: lang cannot be applied to int, string'],
    ['request.messages.exists(m, m.content > 5)', '37: > cannot be applied to string, int'],
    ['turn.words', '0: gives an int, not true or false'],
    ['size(metadata.list)', '0: never gives true or false'],
    ['"premium"', '0: gives a string, not true or false'],
    // No error to the engine, and never what was meant.
    ['session.turns == "2"', '14: == compares int with string, which are never equal'],
    ['key.seats != 5', '10: != compares string with int, which are never equal'],
    [
      'session.user == null',
      '13: == compares string with null, which are never equal: what is not known is missing, has(…) asks',
    ],
    ['request.tools.exists(t, t == 1)', '25: == compares string with int, which are never equal'],
    ['turn.text[0] == "a"', '10: a string has no entries'],
    // Costs.
    [
      'turn.text.matches(metadata.pattern)',
      '26: a regular expression must be written in the condition, not come from elsewhere',
    ],
    ['turn.text.matches("(a")', '18: the regular expression cannot be read: missing closing ): `(a`'],
    ['hourIn(now, "Europe/Roma") > 8', '12: Europe/Roma is no time zone'],
    [
      'now.getHours(session.user) > 8',
      '20: a time zone must be written in the condition, as in hourIn(now, "Europe/Rome")',
    ],
  ])('%s', (text, fault) => {
    expect(faults(text)).toContain(fault)
  })

  test('the STT stage has no turn yet, and no request', () => {
    expect(faults('turn.text == "a"', 'stt')[0]).toMatch(/^0: turn is not known yet/)
    expect(faults('request.stream', 'stt')[0]).toMatch(/^0: request is not known yet/)
    expect(faults('metadata.language == "de"', 'stt')).toEqual([])
  })

  test('what only the client decides is not guessed at', () => {
    expect(faults('metadata.a > 5 && metadata.b.startsWith("x") && metadata.c')).toEqual([])
  })

  test('too long, too deep, too many parts, too many entries, too many steps', () => {
    expect(faults(`true ${'|| true '.repeat(300)}`)).toEqual(['0: is longer than 2000 characters'])
    expect(faults(`${'true ? ('.repeat(100)}true${') : true'.repeat(100)}`)[0]).toMatch(/nested .* deep/)
    expect(faults(`${'('.repeat(100)}true${')'.repeat(100)}`)).toEqual([])
    expect(faults(`${'['.repeat(600)}1${']'.repeat(600)} == []`)[0]).toMatch(
      /nested .* deep|nested too deeply/,
    )
    expect(faults(`1 in [${'1,'.repeat(150)}1]`)[0]).toContain('a list has 151 entries')
    expect(faults(`1==1${' && 1==1'.repeat(200)}`)[0]).toMatch(/parts, 400 at most/)
    expect(faults(Array.from({ length: 60 }, () => 'key.a == "b"').join(' && '))).toEqual([])
    const inner = 'request.messages.exists(n, m.content == n.content)'
    expect(faults(`request.messages.exists(m, ${inner})`)[0]).toContain(
      'loops and regular expressions take most',
    )
    expect(faults('metadata.a.all(x, x in metadata.b)')[0]).toContain('steps')
    expect(faults('metadata.a.all(x, x in ["a", "b", "c"])')).toEqual([])
  })

  test('evil regular expressions: refused when they are dear, harmless when they are not', () => {
    expect(faults('turn.text.matches("(a?b?){500}$")')[0]).toContain('asks for too much work')
    expect(faults(`turn.text.matches("${'a'.repeat(201)}")`)[0]).toContain('longer than 200 characters')
    expect(faults('turn.text.matches("(?=a)b")')[0]).toContain('cannot be read')
    const long = '(refund|money|cancel|complaint|lawyer)'
    expect(faults(`request.messages.exists(m, m.content.matches("${long}"))`)[0]).toContain('steps')
    expect(faults('request.messages.exists(m, m.content.matches("refund"))')).toEqual([])
    const text = `${'a'.repeat(4000)}!`
    for (const evil of ['^(a+)+$', '(a|aa)+$', '(a*)*b', '(.*a){20}$', '^(\\\\w+\\\\s?)*$']) {
      // Would take longer than the test may in an engine that goes back.
      expect(judge(`turn.text.matches("${evil}")`, { turn: () => ({ ...FACTS.turn!(), text }) })).toBeTypeOf(
        'boolean',
      )
    }
  })

  test('whatever is written, the compiler answers', () => {
    const words = [
      'turn',
      '.text',
      '==',
      '"a"',
      '(',
      ')',
      '[',
      ']',
      '&&',
      'metadata',
      '.x',
      '{',
      ':',
      '1',
      '!',
      '?',
      'has',
      ',',
    ]
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constantFrom(...words), fc.string({ maxLength: 3 })), { maxLength: 12 }),
        (parts) => {
          const compiled = compileCondition(parts.join(''), { stage: 'llm', targets: null })
          if (compiled.ok) compiled.condition.judge(new RoutingContext(FACTS))
          else expect(compiled.faults[0]?.message).toBeTruthy()
        },
      ),
      { numRuns: 500 },
    )
  })
})

describe('what a rule sees is bounded', () => {
  test('texts, lists and levels are cut', () => {
    const metadata = {
      text: 'x'.repeat(10_000),
      list: Array.from({ length: 1000 }, (_, i) => i),
      deep: { a: { b: { c: { d: { e: 1 } } } } },
    }
    expect(judge('size(metadata.text) == 4096 && size(metadata.list) == 100', { metadata })).toBe(true)
    expect(judge('has(metadata.deep.a.b.c)', { metadata })).toBe(true)
    expect(judge('has(metadata.deep.a.b.c.d)', { metadata })).toBe(false)
    const messages = Array.from({ length: 500 }, (_, i) => ({ role: 'user', text: String(i) }))
    const request = () => ({ ...FACTS.request!(), messages })
    expect(judge('size(request.messages) == 100 && request.messages[99].content == "499"', { request })).toBe(
      true,
    )
  })

  test('a list of lists is cut in all', () => {
    const metadata = { a: Array.from({ length: 100 }, () => Array.from({ length: 100 }, () => 1)) }
    expect(judge('size(metadata.a) < 20 && size(metadata.a[0]) == 100', { metadata })).toBe(true)
  })

  test('odd values of a client do not break it', () => {
    const metadata = JSON.parse(
      '{"__proto__": {"a": 1}, "constructor": null, "n": [null, {"constructor": {"name": "Object"}}]}',
    )
    expect(judge('has(metadata.n) && metadata.n[1].constructor.name == "Object"', { metadata })).toBe(true)
    expect(judge('metadata.exists(k, k == "n")', { metadata })).toBe(true)
    expect(judge('has(metadata.a)', { metadata })).toBe(false)
  })
})

describe('why', () => {
  const why = (text: string) => condition(text).why(new RoutingContext(FACTS))

  test('names the parts that decided', () => {
    expect(why('key.tier == "premium" && size(turn.text) > 200 && session.turns > 5')).toBe(
      'size(turn.text) > 200, session.turns > 5 is false',
    )
    expect(why('session.turns > 5 || key.tier == "premium"')).toBe('key.tier == "premium" is true')
    expect(why('session.turns > 5')).toBe('session.turns > 5 is false')
    expect(why('metadata.nothing == 1')).toBe('metadata.nothing is missing')
  })
})
