/** The recogniser that sessions are tested with keeps the same contract as those of the providers. */
import { VirtualClock } from '../../src/clock.ts'
import { FakeStt } from '../support/stages.ts'
import { sttContract } from './stt-conformance.ts'

sttContract('FakeStt', ({ answerMs = 0 }) => ({
  adapter: new FakeStt({ words: ['Hello there.', 'Good bye.', ''], finalMs: answerMs }),
  clock: new VirtualClock(),
  open: () => 0,
  sessions: [],
}))
