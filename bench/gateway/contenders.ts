/** Who is measured by `bench:gateway`, how each is started, and how one asks it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { UPSTREAM_KEY, UPSTREAM_MODEL } from './answer.ts'
import type { ContenderSpec } from './contender.ts'

export const FLOOR_PASS = 'fastify + undici, bytes passed on'
export const FLOOR_REWRITE = 'fastify + undici, all rewritten'
export const PARLEY = 'Parley'
export const PORTKEY = 'Portkey 1.15.2'

const CALLER_KEY = 'sk-caller-of-the-benchmark'

/** What only hands bytes on is asked for the upstream's own model. */
export function floorSpec(script: string, mode: 'pass' | 'rewrite', upstreamPort: number): ContenderSpec {
  const upstream = `http://127.0.0.1:${upstreamPort}`
  return {
    name: mode === 'pass' ? FLOOR_PASS : FLOOR_REWRITE,
    args: (port) => [script, mode, String(port), upstream, UPSTREAM_KEY, UPSTREAM_MODEL],
    model: mode === 'pass' ? UPSTREAM_MODEL : 'bench',
    headers: { authorization: `Bearer ${CALLER_KEY}` },
  }
}

/** It has no keys of its own: the provider's comes with the request. */
export function portkeySpec(script: string, upstreamPort: number): ContenderSpec {
  return {
    name: PORTKEY,
    args: (port) => [script, `--port=${port}`, '--headless'],
    model: UPSTREAM_MODEL,
    headers: {
      authorization: `Bearer ${UPSTREAM_KEY}`,
      'x-portkey-provider': 'openai',
      'x-portkey-custom-host': `http://127.0.0.1:${upstreamPort}/v1`,
    },
  }
}

/**
 * As an operator would have it: keys, a pipeline whose fourth route matches, metrics and records on. The target to fall back on is the
 * same upstream by another name, so that a machine too slow for a deadline makes no answer wrong.
 */
export function parleySpec(script: string, upstreamPort: number): ContenderSpec {
  const folder = mkdtempSync(join(tmpdir(), 'parley-bench-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  const config = join(folder, 'parley.yaml')
  writeFileSync(
    config,
    `keys: [{ id: caller, secret: ${CALLER_KEY}, attributes: { tier: premium } }]
providers:
  upstream: { type: openai, baseUrl: "http://127.0.0.1:${upstreamPort}/v1", apiKey: ${UPSTREAM_KEY} }
  spare: { type: openai, baseUrl: "http://127.0.0.1:${upstreamPort}/v1", apiKey: ${UPSTREAM_KEY} }
`,
  )
  const pipelines = join(folder, 'pipelines')
  mkdirSync(pipelines)
  writeFileSync(
    join(pipelines, 'bench.yaml'),
    `name: bench
default: true
instructions: Answer.
stt: { routes: [{ name: any, use: [local/moonshine-tiny] }] }
llm:
  routes:
    - { name: trial, when: 'key.tier == "trial"', use: [upstream/gpt-small] }
    - { name: long, when: 'turn.inputTokens > 20000', use: [upstream/gpt-long] }
    - { name: ailing, when: 'request.stream && health["upstream/${UPSTREAM_MODEL}"].errorRate > 0.5', use: [upstream/gpt-spare] }
    - { name: premium, when: 'key.tier == "premium" && !has(metadata.plan)', use: [upstream/${UPSTREAM_MODEL}, spare/${UPSTREAM_MODEL}] }
    - { name: any, use: [upstream/gpt-small] }
tts: { routes: [{ name: any, use: [local/flite] }] }
`,
  )
  return {
    name: PARLEY,
    args: (port) => [
      script,
      'serve',
      '--config',
      config,
      '--pipelines',
      pipelines,
      '--port',
      String(port),
      '--offline',
    ],
    model: 'bench',
    headers: { authorization: `Bearer ${CALLER_KEY}` },
  }
}
