/**
 * How fast a target is thought to be before anybody measured it here. STT: published p99 from end of speech to final
 * words, with the usual spread (p99 = 2.5 × p50, p95 = 1.9 × p50) taken for the rest. LLM and TTS: the middle of what
 * voice platforms publish as typical; no provider is better known than that. Local ones: measured on two cores.
 */
import type { StageName } from '../errors.ts'

export interface Prior {
  readonly p50Ms: number
  readonly p95Ms: number
}

const stt = (p99Ms: number): Prior => ({
  p50Ms: Math.round(p99Ms / 2.54),
  p95Ms: Math.round((p99Ms / 2.54) * 1.93),
})

const STT: Readonly<Record<string, Prior>> = {
  deepgram: stt(350),
  soniox: stt(350),
  elevenlabs: stt(410),
  assemblyai: stt(420),
  gradium: stt(620),
  speechmatics: stt(740),
  cartesia: stt(810),
  sarvam: stt(1000),
  gladia: stt(1490),
  groq: stt(1540),
  google: stt(1570),
  azure: stt(1800),
  mistral: stt(1890),
  aws: stt(1900),
  openai: stt(2010),
  /** Moonshine tiny: 51 to 367 ms for one to ten seconds of speech. */
  local: { p50Ms: 125, p95Ms: 367 },
}
const LLM: Readonly<Record<string, Prior>> = { local: { p50Ms: 150, p95Ms: 600 } }
/** Flite: 31 ms for 20 characters, 148 for 205. */
const TTS: Readonly<Record<string, Prior>> = { local: { p50Ms: 45, p95Ms: 150 } }

const TABLES = { stt: STT, llm: LLM, tts: TTS }
const TYPICAL: Readonly<Record<StageName, Prior>> = {
  stt: stt(1000),
  llm: { p50Ms: 400, p95Ms: 1000 },
  tts: { p50Ms: 150, p95Ms: 350 },
}

const SCRIPTED: Prior = { p50Ms: 2, p95Ms: 10 }

/** Of a target whose typical time somebody wrote down: with the spread that is usual in its stage. */
export function priorAround(stage: StageName, typicalMs: number): Prior {
  const { p50Ms, p95Ms } = TYPICAL[stage]
  return { p50Ms: Math.round(typicalMs), p95Ms: Math.round(typicalMs * (p95Ms / p50Ms)) }
}

/** Of a target's provider, or what is typical of its stage. `scripted` answers at once. */
export function priorOf(stage: StageName, target: string): Prior {
  if (target === 'local/scripted') return SCRIPTED
  const provider = target.slice(0, Math.max(0, target.indexOf('/')))
  const table = TABLES[stage]
  return Object.hasOwn(table, provider) ? table[provider]! : TYPICAL[stage]
}
