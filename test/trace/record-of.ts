/** A turn's record with the given members; the rest plain. */
import type { TurnRecord } from '../../src/trace/record.ts'

export function recordOf(facts: Partial<TurnRecord>): TurnRecord {
  return {
    id: 'turn_1',
    sessionId: 'sess_1',
    keyId: null,
    wire: 'realtime',
    pipeline: 'default',
    startedAt: '2026-01-01T00:00:00.000Z',
    revision: 1,
    responseIds: [],
    experiments: [],
    route: {},
    marks: {},
    endedBy: null,
    language: null,
    attempts: [],
    budget: { turnMs: 1500, actualMs: null, brokenBy: null, degraded: [] },
    heard: null,
    text: { user: null, said: null },
    underruns: 0,
    costUsd: null,
    outcome: 'said',
    ...facts,
  }
}
