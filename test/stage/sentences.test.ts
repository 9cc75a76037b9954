/** Cutting a model's text for the voice: where a breath fits, and never in the middle of a thing. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Piece, SentenceSplitter } from '../../src/stage/sentences.ts'

function split(...deltas: readonly string[]): Piece[] {
  const splitter = new SentenceSplitter()
  return [...deltas.flatMap((delta) => splitter.push(delta)), ...splitter.flush()]
}

const texts = (pieces: readonly Piece[]): string[] => pieces.map((piece) => piece.text)
const spoken = (pieces: readonly Piece[]): string[] => pieces.map((piece) => piece.spoken)

/** A long first sentence, so that what follows is cut as later sentences are. */
const OPENING = 'This is the opening of a longer answer. '

function later(text: string): string[] {
  return texts(split(OPENING + text)).slice(1)
}

describe('the first clause goes out early', () => {
  test.each([
    ['Sure thing, I will look at that for you.', ['Sure thing, ', 'I will look at that for you.']],
    ['Hi! What can I do for you today?', ['Hi! ', 'What can I do for you today?']],
    ['Well, that is a good question.', ['Well, that is a good question.']],
    ['The answer is simple: you open the door.', ['The answer is simple: ', 'you open the door.']],
    ['On March 3, 2024 it rained.', ['On March 3, 2024 it rained.']],
    ['The total is 1,000 dollars.', ['The total is 1,000 dollars.']],
    ['It was a long — very long — day.', ['It was a long — ', 'very long — ', 'day.']],
    ['A well-known fact-checking team won.', ['A well-known fact-checking team won.']],
    [
      'I would be really happy to tell you everything about it because it is my favourite of all',
      ['I would be really happy to tell you everything about it ', 'because it is my favourite of all'],
    ],
    [
      'Nobody could remember seeing anything remotely comparable happening anywhere around here',
      ['Nobody could remember seeing anything remotely ', 'comparable happening anywhere around here'],
    ],
  ])('%s', (text, pieces) => {
    expect(texts(split(text))).toEqual(pieces)
  })

  test('it is there with the first letter after it, long before the sentence ends', () => {
    const splitter = new SentenceSplitter()
    expect(splitter.push('Of course,')).toEqual([])
    expect(splitter.push(' ')).toEqual([])
    expect(splitter.push('I')).toEqual([{ text: 'Of course, ', spoken: 'Of course,' }])
  })

  test('later, clauses wait for their sentence', () => {
    expect(later('If it rains, we stay, and if it does not, we go. Then we eat.')).toEqual([
      'If it rains, we stay, and if it does not, we go. ',
      'Then we eat.',
    ])
  })
})

describe('what does not end a sentence', () => {
  test.each([
    'Mr. Smith met Mrs. Jones and Dr. Who on St. James Street with Prof. Brown.',
    'Bring fruit, e.g. apples, i.e. something sweet, vs. sour things.',
    'The U.S. Army and the U.K. Government met at 5 p.m. Monday in Washington, D.C. Tuesday.',
    'J. R. R. Tolkien and John F. Kennedy never met.',
    'It costs 3.14 or 1,234.56 dollars at 10:30 in version 1.2.3 of the program.',
    'See No. 5 and Fig. 2 in Vol. 3 on p. 14 of the book.',
    'Visit example.com or mail me at joe.b@example.co.uk today.',
    'It was... strange, and then… nothing at all.',
    'She works at Yahoo! and loves it.',
    '"Stop right there!" he shouted. "Now." and then he left.'.slice(0, 32),
    'Ich komme am 3. Mai um z. B. acht mit Hr. Braun, d.h. mit dem Zug.',
    'La Sra. García y el Dr. López viven en la Av. Central, p.ej. cerca.',
    'Call me at 5 p.m. if you can.',
  ])('%s', (text) => {
    expect(later(text)).toEqual([text])
  })
})

describe('what does', () => {
  test.each([
    ['We close at exactly 5 p.m. The shop is nice.', ['We close at exactly 5 p.m. ', 'The shop is nice.']],
    ['She moved to the big U.S. She likes it there.', ['She moved to the big U.S. ', 'She likes it there.']],
    ['He was certainly born in 1999. It was cold.', ['He was certainly born in 1999. ', 'It was cold.']],
    ['Is it really so true?! Yes, of course it is!', ['Is it really so true?! ', 'Yes, of course it is!']],
    ['He said "I am coming home." Then he left.', ['He said "I am coming home." ', 'Then he left.']],
    ['(This is an aside, nothing more.) On we go.', ['(This is an aside, nothing more.) ', 'On we go.']],
    ['**This one is very important.** This is not.', ['**This one is very important.** ', 'This is not.']],
    ['¿Dónde está la biblioteca? ¡Está allí mismo!', ['¿Dónde está la biblioteca? ', '¡Está allí mismo!']],
    ['It just kept going on... Then it stopped.', ['It just kept going on... ', 'Then it stopped.']],
    [
      'I have told you that the answer is no. I mean it.',
      ['I have told you that the answer is no. ', 'I mean it.'],
    ],
    ['Nobody told me about that. 42 people knew.', ['Nobody told me about that. ', '42 people knew.']],
    ['यह एक बहुत लंबा और सुंदर वाक्य है। दूसरा भी है।', ['यह एक बहुत लंबा और सुंदर वाक्य है। ', 'दूसरा भी है।']],
  ])('%s', (text, pieces) => {
    expect(later(text)).toEqual(pieces)
  })

  test('short sentences join the next, so that the voice has a line to read', () => {
    expect(later('No. I can not do that. Ask him.')).toEqual(['No. I can not do that. ', 'Ask him.'])
  })

  test('an answer all in small letters has sentences too', () => {
    expect(texts(split('hello there my friend. how are you today? i am doing fine... really.'))).toEqual([
      'hello there my friend. ',
      'how are you today? ',
      'i am doing fine... really.',
    ])
  })

  test('Chinese and Japanese need no spaces', () => {
    expect(texts(split('今天的天气非常好。我们一起去公园散步吧！你觉得怎么样？'))).toEqual([
      '今天的天气非常好。',
      '我们一起去公园散步吧！',
      '你觉得怎么样？',
    ])
    expect(texts(split('「こんにちは。」と彼は言いました。それから帰りました。'))[0]).toBe('「こんにちは。」')
    expect(texts(split('如果明天下雨，我们就待在家里。'))[0]).toBe('如果明天下雨，')
  })
})

describe('structure', () => {
  test('a list: one number is no sentence, each item has its pause', () => {
    const pieces = split(
      'Do this:\n1. Open the front door\n2. Close it behind you\n3. Run away quickly\n\nGood luck.',
    )
    expect(texts(pieces)).toEqual([
      'Do this:\n',
      '1. Open the front door\n',
      '2. Close it behind you\n',
      '3. Run away quickly\n\n',
      'Good luck.',
    ])
    expect(spoken(pieces)[1]).toBe('1: Open the front door.')
  })

  test('bullets joined into one piece are said with pauses between', () => {
    expect(spoken(split(`${OPENING}\n\n- Milk\n- Eggs\n- Fresh bread\n`)).slice(1)).toEqual([
      'Milk, Eggs, Fresh bread.',
    ])
  })

  test('a heading is a sentence of its own', () => {
    expect(spoken(split('# The plan\n\nFirst we rest.'))).toEqual(['The plan.', 'First we rest.'])
  })

  test('a line that was only wrapped goes on', () => {
    expect(later('This is one sentence that was\nwrapped by its writer.')).toEqual([
      'This is one sentence that was\nwrapped by its writer.',
    ])
  })

  test('code is shown and not said, whatever stops and backticks stand in it', () => {
    const text = 'Try this:\n```js\nconsole.log("Hi. There!") // `x`\n```\nIt greets you.'
    const pieces = split(text)
    expect(texts(pieces).join('')).toBe(text)
    expect(spoken(pieces).filter((said) => said !== '')).toEqual(['Try this:', 'It greets you.'])
  })

  test('code that never ends is let go line by line and never said', () => {
    const splitter = new SentenceSplitter()
    const pieces = [
      ...splitter.push('```\n'),
      ...splitter.push('x = 1\n'.repeat(50)),
      ...splitter.push('y'.repeat(9999)),
    ]
    expect(pieces.length).toBeGreaterThan(55)
    expect(pieces.every((piece) => piece.spoken === '')).toBe(true)
  })

  test('a link’s address is neither counted nor broken', () => {
    const text =
      'See [our site](https://example.com/a.very/long?path=with.dots&more=1, and) or go there. Thanks.'
    expect(
      texts(split('See [our site](https://example.com/a.very/long?path=with.dots&more=1) or go there.')),
    ).toEqual(['See [our site](https://example.com/a.very/long?path=with.dots&more=1) or go there.'])
    expect(texts(split(text)).join('')).toBe(text)
  })
})

describe('no text is held without bound', () => {
  test('a sentence without end is cut at clauses', () => {
    const pieces = split(OPENING + 'and then we went on to the next town, '.repeat(40))
    for (const { text } of pieces) expect(text.length).toBeLessThanOrEqual(240)
    expect(pieces.slice(1, -1).every(({ text }) => text.endsWith(', '))).toBe(true)
  })

  test('one without any mark is cut between words', () => {
    for (const { text } of split('word '.repeat(300))) {
      expect(text.length).toBeLessThanOrEqual(240)
      expect(text).toMatch(/^(?:word )+$/)
    }
  })

  test.each(['a', '*', '.', '. ', ' ', '\n', '"', '`', '](', 'h', '\u0301', '!"', '天', '- ', '1. '])(
    'nothing but %j',
    (what) => {
      const splitter = new SentenceSplitter()
      let held = 0
      let most = 0
      for (let i = 0; i < 100; i++) {
        held += 40 * what.length
        for (const { text } of splitter.push(what.repeat(40))) held -= text.length
        most = Math.max(most, held)
      }
      expect(most).toBeLessThan(2100)
    },
  )

  test('one endless word is cut through, but not through a character', () => {
    const pieces = split('x🙂'.repeat(2000))
    expect(pieces.length).toBeGreaterThan(3)
    for (const { text } of pieces) expect(() => encodeURIComponent(text)).not.toThrow()
  })
})

describe('a slow drip', () => {
  const drip = (text: string): { out: string[]; rest: string[] } => {
    const splitter = new SentenceSplitter()
    splitter.push(OPENING)
    const before = texts(splitter.push(text))
    const out = [...before, ...texts(splitter.flushClause())]
    return { out: out.filter((piece) => piece !== OPENING), rest: texts(splitter.flush()) }
  }

  test('what stands before a clause mark goes out', () => {
    expect(drip('If the weather is fine tomorrow, we will go to')).toEqual({
      out: ['If the weather is fine tomorrow, '],
      rest: ['we will go to'],
    })
  })

  test('a sentence whose end could not be told yet goes out', () => {
    expect(drip('That is all I know.').out).toEqual(['That is all I know.'])
  })

  test.each(['It costs 3.', 'Then came the old Mr.', 'We will meet at 5 p.', 'It costs 1,', 'Hello', ''])(
    'but not "%s", which may go on',
    (text) => {
      expect(drip(text).out).toEqual([])
    },
  )

  test('without a mark, 60 characters and more go out up to the last word', () => {
    const text = 'We walked along the river without saying anything to each oth'
    expect(drip(text)).toEqual({ out: [text.slice(0, -3)], rest: ['oth'] })
    expect(drip(text.slice(0, 40)).out).toEqual([])
  })

  test('inside code nothing is flushed', () => {
    const splitter = new SentenceSplitter()
    splitter.push('```\nlet a, b = 1, and so on, and so on, and so on, and so on, and so on')
    expect(splitter.flushClause()).toEqual([])
  })
})

/** Text full of what makes cutting hard. */
const tricky = fc
  .array(
    fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom('the', 'a', 'Hello', 'we', 'go', 'home', 'It', 'is', 'and') },
      {
        weight: 2,
        arbitrary: fc.constantFrom(
          '. ',
          ', ',
          '! ',
          '? ',
          ' ',
          ' ',
          ' ',
          '\n',
          '\n\n',
          '... ',
          ': ',
          ' — ',
          '." ',
          '"',
        ),
      },
      fc.constantFrom('Mr. ', 'U.S. ', 'p.m. ', 'e.g. ', '3.', '14', '1. ', 'No. 5', 'J. ', 'am 3. Mai'),
      fc.constantFrom(
        '```',
        '`',
        '``',
        '**',
        '*',
        '- ',
        '# ',
        '> ',
        '|',
        '](',
        '[x](http://a.b/c.d) ',
        'https://x.y ',
      ),
      fc.constantFrom('今天', '。', '，', '！', '「', '」', '🙂', '👩‍👩‍👧', 'é', 'ไทย', '\u0301'),
      fc.string({ unit: 'binary', maxLength: 4 }),
      fc.constantFrom(' '.repeat(250), '*'.repeat(300), 'x'.repeat(700), '.'.repeat(250)),
    ),
    { maxLength: 60 },
  )
  .map((parts) => parts.join(''))

function cutAt(text: string, places: readonly number[]): string[] {
  const sorted = [...new Set(places.map((place) => place % (text.length + 1)))].sort((a, b) => a - b)
  return [0, ...sorted].map((start, i) => text.slice(start, sorted[i] ?? text.length))
}

describe('whatever the text and however it arrives', () => {
  test('nothing is lost, doubled or changed, also when the drip is slow', () => {
    fc.assert(
      fc.property(tricky, fc.array(fc.nat(1000)), fc.array(fc.boolean()), (text, places, stalls) => {
        const splitter = new SentenceSplitter()
        const pieces: Piece[] = []
        for (const [i, delta] of cutAt(text, places).entries()) {
          pieces.push(...splitter.push(delta))
          if (stalls[i]) pieces.push(...splitter.flushClause())
        }
        pieces.push(...splitter.flush())
        expect(texts(pieces).join('')).toBe(text)
        expect(pieces.every((piece) => piece.text !== '')).toBe(true)
      }),
      { numRuns: 200 },
    )
  })

  test('the pieces are the same', () => {
    fc.assert(
      fc.property(tricky, fc.array(fc.nat(1000), { maxLength: 30 }), (text, places) => {
        expect(split(...cutAt(text, places))).toEqual(split(text))
      }),
      { numRuns: 400 },
    )
  })

  test('letter by letter too', () => {
    fc.assert(
      fc.property(tricky, (text) => {
        expect(split(...text.split(''))).toEqual(split(text))
      }),
      { numRuns: 60 },
    )
  })
})
