/** What a voice should say of what a model wrote. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { speakable } from '../../src/stage/speakable.ts'

describe('markup goes, words stay', () => {
  test.each([
    ['**Bold** and *italic* and __both__ and ~~gone~~', 'Bold and italic and both and gone'],
    ['Use `npm ci` here', 'Use npm ci here'],
    ['a snake_case_name stays', 'a snake_case_name stays'],
    ['2 * 3 is 6, and 2*3 too', '2 * 3 is 6, and 2*3 too'],
    ['**half of a bold sentence.', 'half of a bold sentence.'],
    ['## The plan ##\n', 'The plan.'],
    ['> He said so.', 'He said so.'],
    ['- [x] Buy milk\n', 'Buy milk.'],
    ['1. Open it\n2. Close it\n', '1: Open it, 2: Close it.'],
    ['First line\nSecond line', 'First line. Second line'],
    ['a line that was\nwrapped', 'a line that was wrapped'],
    ['| Day | Open |\n|---|:--|\n| Mon | nine |\n', 'Day, Open. Mon, nine.'],
    ['One<br>Two <b>three</b> <!-- no --> four', 'One. Two three four'],
    ['Fish &amp; chips &lt;now&gt;', 'Fish & chips <now>'],
    ['1\\. not a list, \\*no\\* emphasis', '1. not a list, no emphasis'],
    ['go A → B', 'go A, B'],
  ])('%j', (text, said) => {
    expect(speakable(text)).toBe(said)
  })
})

describe('addresses', () => {
  test.each([
    ['See [our site](https://example.com/a?b=c "Title").', 'See our site.'],
    ['![A cat](cat.png) sits', 'A cat sits'],
    ['See https://www.example.com/a/b?c=d#e.', 'See example.com.'],
    ['at <http://example.com:8080/x>, then', 'at example.com, then'],
    ['www.example.com is it', 'example.com is it'],
    ['the rest](https://example.com/x) of a link', 'the rest of a link'],
    ['as shown[1] and noted[^2].', 'as shown and noted.'],
    ['mail joe@example.com', 'mail joe@example.com'],
  ])('%j', (text, said) => {
    expect(speakable(text)).toBe(said)
  })
})

describe('emoji', () => {
  test.each([
    ['Hi 😊!', 'Hi!'],
    ['👩‍👩‍👧 family 🇩🇪 flag 👍🏽 thumb 1️⃣ one', 'family flag thumb 1 one'],
    ['well :-) then', 'well then'],
    ['at 10:30 (sharp)', 'at 10:30 (sharp)'],
    ['#1 of 5* places', '#1 of 5 places'],
  ])('%j', (text, said) => {
    expect(speakable(text)).toBe(said)
  })
})

test.each(['…', '---', '***', '😀 🎉', '|---|---|', '```', '**', '', ' \n ', '- ', '?!'])(
  '%j has nothing to say, and some voices would never answer it',
  (text) => {
    expect(speakable(text)).toBe('')
  },
)

test.each([
  'It costs $3.50, i.e. 3 dollars and 50 cents.',
  'Dr. Smith said: "No way!"',
  '今天天气很好。',
  'Ça va? Où ça?',
  'می‌خواهم',
])('plain words pass as they are: %s', (text) => {
  expect(speakable(text)).toBe(text)
})

test('whatever comes, what is said is one line, trimmed, with something to say or empty', () => {
  const piece = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 6 }),
    fc.constantFrom(
      '**',
      '*',
      '_',
      '`',
      '[',
      '](',
      ')',
      '<',
      '>',
      '# ',
      '\n',
      '- ',
      '|',
      '1. ',
      'word',
      ' ',
      '😀',
    ),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (parts) => {
      const said = speakable(parts.join(''))
      expect(said).toBe(said.trim())
      expect(said).not.toMatch(/[\n\t`]| {2}/)
      expect(said === '' || /[\p{L}\p{N}]/u.test(said)).toBe(true)
    }),
    { numRuns: 500 },
  )
})
