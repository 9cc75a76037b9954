/** What the double that is sent files hears in one: its words, and once, in the utterance it is to break in, a fault. */

import type { HeardWord } from '../../src/testing/stt/double.ts'
import type { TranscriptionFault, TranscriptionScript } from '../../src/testing/stt/transcriptions.ts'
import { isLoud } from '../chaos/words.ts'
import type { Break, FaultName } from './break.ts'
import { wordIn } from './ear.ts'

const ANSWER_MS = 120
const SAMPLES_PER_MS = 16

/** A fault of a connection as that of a request. */
const FAULT: Readonly<Record<FaultName, TranscriptionFault>> = {
  drop_mid_stream: 'drop_mid_stream',
  close_clean_early: 'refuse_503',
  error_without_context: 'refuse_503',
  malformed_json: 'malformed_json',
  silent_after_ms: 'hang_on_connect',
}

/** One for each request. */
export function fileEar(broken: Break): TranscriptionScript {
  const fault = broken.armed ? broken.of({}) : undefined
  return { hear: wordsIn, answerMs: ANSWER_MS, fault: fault && FAULT[fault] }
}

function wordsIn(samples: Int16Array): HeardWord[] {
  const words: HeardWord[] = []
  for (let at = 0; at < samples.length; ) {
    let end = at
    while (end < samples.length && isLoud(samples[end]!)) end++
    const text = wordIn([...samples.subarray(at, end)], (end - at) / SAMPLES_PER_MS)
    if (text !== undefined) words.push({ text, startMs: at / SAMPLES_PER_MS, endMs: end / SAMPLES_PER_MS })
    at = end + 1
  }
  return words
}
