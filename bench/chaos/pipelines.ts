/** A pipeline for each lane: its own recognisers, models and voices shared by two lanes; the whole ladder. */
import { PHRASES } from './words.ts'

export const TURN_MS = 1_500
export const LANES_OF_A_GROUP = 2

export function groupOf(lane: number): number {
  return Math.floor(lane / LANES_OF_A_GROUP)
}

/** By their names. */
export function pipelinesOf(lanes: number): ReadonlyMap<string, string> {
  return new Map(Array.from({ length: lanes }, (_, lane) => [`lane${lane}`, pipelineOf(lane)]))
}

function pipelineOf(lane: number): string {
  const group = groupOf(lane)
  const order = <T>(one: T, other: T) => (lane % 2 === 0 ? [one, other] : [other, one]).join(', ')
  const hedge = lane % 4 === 3 ? ', hedge: { after: p95, maxShare: 0.1 }' : ''
  const ears = order(`deepgram-${lane}/nova-3`, `assemblyai-${lane}/universal-streaming-english`)
  const voices =
    group % 2 === 0
      ? `elevenlabs-${group}/eleven_flash_v2_5, cartesia-${group}/sonic-3`
      : `cartesia-${group}/sonic-3, elevenlabs-${group}/eleven_flash_v2_5`
  return `
name: lane${lane}
default: ${lane === 0}
instructions: Be brief.
voice: warm
language: en
budget:
  turnMs: ${TURN_MS}
  ladder:
    - { rung: partial }
    - { rung: faster }
    - { rung: filler, afterMs: 1200, say: ["${PHRASES.filler.text}"] }
    - { rung: apology, say: "${PHRASES.apology.text}" }
stt: { routes: [{ name: any, use: [${ears}] }] }
llm: { routes: [{ name: any, use: [${order(`model-a-${group}/m`, `model-b-${group}/m`)}]${hedge} }] }
tts: { routes: [{ name: any, use: [${voices}] }] }
voices: { warm: { elevenlabs-${group}: lane${lane}, cartesia-${group}: lane${lane} } }
`
}
