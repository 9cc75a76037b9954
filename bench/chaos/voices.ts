/** Which fault a voice's double shows for a text: whose answer it is, the words say. */
import type { SentenceFault, TtsFault } from '../../src/testing/tts/double.ts'
import { MS_PER_CHAR } from './judge.ts'
import type { FaultName } from './plan.ts'
import { codesOf, samplesOf } from './words.ts'
import type { World } from './world.ts'

const FAULT: Readonly<Record<FaultName, TtsFault>> = {
  refuse: 'refuse_in_context',
  'rate-limit': 'rate_in_context',
  'accept-then-silence': 'silent_after_ms',
  'keep-alives only': 'keep_alives_only',
  'slow first token': 'slow_drip',
  drip: 'slow_drip',
  stall: 'silent_after_ms',
  drop: 'drop_mid_stream',
  malformed: 'malformed_json',
  'late-after-cancel': 'late_after_cancel',
}
const SLOW_MS = 2_600
/** A chunk holds 90 ms of sound. */
const DRIP_EVERY_MS = 260
export const CHUNK_MS = 3 * MS_PER_CHAR

/** A conversation, and whether it still has its fault before it. */
interface Talk {
  readonly turn: number
  readonly fault: ReturnType<World['attempt']>
  texts: number
  struck: boolean
}

export function voiceOf(world: World) {
  const talks = new WeakMap<object, Talk>()
  const faultOf = (text: string, conversation: object): SentenceFault | undefined => {
    const [first] = codesOf(text)
    if (!first) return undefined
    let talk = talks.get(conversation)
    if (!talk || talk.turn !== first.turn) {
      talk = { turn: first.turn, fault: world.attempt(first.turn, 'tts'), texts: 0, struck: false }
      talks.set(conversation, talk)
    }
    talk.texts++
    const { fault } = talk
    // After: in the middle of the second piece, or of the first where an answer is taken up.
    if (!fault || talk.struck || (fault.when === 'after' && talk.texts < 2 && first.place === 0))
      return undefined
    talk.struck = true
    world.strikes(first.turn, fault)
    return {
      fault: FAULT[fault.name],
      at: fault.when === 'before' ? 'start' : 'middle',
      ...(fault.name === 'slow first token' && { waitMs: SLOW_MS, dripMs: 10 }),
      ...(fault.name === 'drip' && { dripMs: DRIP_EVERY_MS }),
    }
  }
  return { faultOf, samplesOf, msPerChar: MS_PER_CHAR, chunkMs: CHUNK_MS, firstAudioMs: 90, everyMs: 12 }
}
