/** One of each thing a session can say, as a conversation would bring them. */
import type {
  ApprovalRequestItem,
  ListedToolsItem,
  MessageItem,
  ServerCallItem,
  ToolCallItem,
} from '../../../src/session/items.ts'
import type { ResponseEnding, ResponseView, SessionOutput } from '../../../src/session/output.ts'
import type { TurnRecord } from '../../../src/trace/record.ts'

export const PLACE = { responseId: 'resp_1', itemId: 'item_2', outputIndex: 0 } as const

/** A piece of the answer's sound. */
export function sound(audio: Uint8Array): SessionOutput {
  return { type: 'answerAudio', audio, parts: [], ...PLACE }
}

export function response(ending: ResponseEnding | null, more: Partial<ResponseView> = {}): ResponseView {
  return {
    id: 'resp_1',
    ending,
    output: [],
    inConversation: true,
    modality: 'audio',
    voice: 'warm',
    maxOutputTokens: 'inf',
    usage: null,
    metadata: null,
    ...more,
  }
}

export function assistant(status: MessageItem['status'], transcript = 'Good morning.'): MessageItem {
  return { id: 'item_2', type: 'message', role: 'assistant', status, parts: [{ type: 'audio', transcript }] }
}

export const CALLER: MessageItem = {
  id: 'item_1',
  type: 'message',
  role: 'user',
  status: 'completed',
  parts: [{ type: 'audio', transcript: null }],
}

export const CALL: ToolCallItem = {
  id: 'item_3',
  type: 'toolCall',
  callId: 'call_1',
  name: 'weather',
  arguments: '{"in":"Oslo"}',
  status: 'completed',
}

export const RECORD: TurnRecord = {
  id: 'turn_1',
  sessionId: 'sess_1',
  keyId: 'web-team',
  wire: 'realtime',
  pipeline: 'support',
  startedAt: '2026-11-22T10:00:00.000Z',
  revision: 0,
  responseIds: ['resp_1'],
  experiments: [],
  route: { llm: 'any' },
  marks: { speechEnd: 0, end: 900 },
  attempts: [
    {
      stage: 'llm',
      provider: 'local',
      model: 'scripted',
      status: 'ok',
      startMs: 10,
      firstOutputMs: 20,
      endMs: 30,
      kind: null,
      hedge: false,
      reason: 'first',
      costUsd: null,
    },
  ],
  endedBy: 'silence',
  language: null,
  budget: { turnMs: 1500, actualMs: 700, brokenBy: null, degraded: [] },
  heard: null,
  text: { user: 'private words', said: 'Good morning.' },
  underruns: 0,
  costUsd: 0.001,
  outcome: 'said',
}

/** A spoken turn under server VAD, from the first word to the end of the answer. */
export const SPOKEN_TURN: readonly SessionOutput[] = [
  { type: 'speechStarted', itemId: 'item_1', audioStartMs: 340.4 },
  { type: 'speechStopped', itemId: 'item_1', audioEndMs: 1980 },
  { type: 'committed', itemId: 'item_1', previousItemId: null },
  { type: 'itemAdded', item: CALLER, previousItemId: null },
  { type: 'itemDone', item: CALLER, previousItemId: null },
  { type: 'transcriptDelta', itemId: 'item_1', delta: 'hello' },
  { type: 'transcript', itemId: 'item_1', transcript: 'hello', audioMs: 1640.2 },
  { type: 'responseCreated', response: response(null) },
  {
    type: 'answerStarted',
    item: assistant('completed'),
    previousItemId: 'item_1',
    modality: 'audio',
    inConversation: true,
    ...PLACE,
  },
  { type: 'answerText', delta: 'Good ', modality: 'audio', ...PLACE },
  sound(Uint8Array.of(1, 2, 3, 4)),
  { type: 'answerText', delta: 'morning.', modality: 'audio', ...PLACE },
  sound(Uint8Array.of(5, 6)),
  {
    type: 'answerDone',
    item: assistant('completed'),
    previousItemId: 'item_1',
    text: 'Good morning.',
    modality: 'audio',
    inConversation: true,
    ...PLACE,
  },
  {
    type: 'toolCalled',
    item: CALL,
    previousItemId: 'item_2',
    inConversation: true,
    responseId: 'resp_1',
    itemId: 'item_3',
    outputIndex: 1,
  },
  {
    type: 'responseDone',
    turn: 'turn_1',
    response: response(
      { status: 'completed' },
      {
        output: [assistant('completed'), CALL],
        usage: { inputTokens: 12, outputTokens: 5, cachedTokens: 4 },
        metadata: { client_event_id: 'x' },
      },
    ),
    record: RECORD,
  },
]

export const MCP_CALL: ServerCallItem = {
  id: 'item_5',
  type: 'serverCall',
  server: 'crm',
  callId: 'call_2',
  outputIndex: 1,
  name: 'find',
  arguments: '{"id":7}',
  output: null,
  error: null,
  status: 'in_progress',
}

export const APPROVAL: ApprovalRequestItem = {
  id: 'item_6',
  type: 'approvalRequest',
  server: 'crm',
  callId: 'call_3',
  outputIndex: 1,
  name: 'erase',
  arguments: '{"id":7}',
  status: 'completed',
  decision: 'pending',
  explanation: null,
}

export const LISTED: ListedToolsItem = {
  id: 'item_4',
  type: 'listedTools',
  server: 'crm',
  tools: [{ name: 'find', parameters: { type: 'object' }, annotations: { readOnlyHint: true } }],
  chars: 80,
  status: 'completed',
}

const AFTER = { previousItemId: 'item_4' } as const
const CALLED = { ...AFTER, inConversation: true, responseId: 'resp_1', outputIndex: 1 } as const

/** An MCP server is named, called, asked about, and fails; one cannot be reached. */
export const MCP_STORY: readonly SessionOutput[] = [
  { type: 'itemAdded', item: { ...LISTED, tools: [], status: 'in_progress' }, previousItemId: null },
  { type: 'listingTools', itemId: 'item_4', status: 'in_progress' },
  { type: 'listingTools', itemId: 'item_4', status: 'completed' },
  { type: 'itemDone', item: LISTED, previousItemId: null },
  { type: 'serverCalled', item: MCP_CALL, itemId: 'item_5', ...CALLED },
  {
    type: 'serverAnswered',
    item: { ...MCP_CALL, output: 'Ada', status: 'completed' },
    ...AFTER,
  },
  { type: 'approvalRequested', item: APPROVAL, itemId: 'item_6', ...CALLED },
  { type: 'serverRunning', item: { ...MCP_CALL, id: 'item_7', approvalRequestId: 'item_6' } },
  {
    type: 'serverAnswered',
    item: {
      ...MCP_CALL,
      id: 'item_7',
      approvalRequestId: 'item_6',
      error: 'No such customer.',
      status: 'incomplete',
    },
    ...AFTER,
  },
  { type: 'listingTools', itemId: 'item_8', status: 'failed' },
]

/** What a turn does not bring. */
export const THE_REST: readonly SessionOutput[] = [
  { type: 'settingsApplied' },
  { type: 'cleared' },
  { type: 'itemDeleted', itemId: 'item_1' },
  { type: 'itemTruncated', itemId: 'item_2', contentIndex: 0, audioEndMs: 450 },
  { type: 'timeoutTriggered', itemId: 'item_1', audioStartMs: 340, audioEndMs: 6340 },
  { type: 'itemRetrieved', item: assistant('completed'), audio: Uint8Array.of(1, 2, 3) },
  { type: 'itemRetrieved', item: { ...CALLER, parts: [{ type: 'text', text: 'hi' }] }, audio: null },
  { type: 'transcriptFailed', itemId: 'item_1', code: 'stt_failed', message: 'No recogniser answered.' },
  { type: 'refused', code: 'invalid_value', message: 'No.', param: 'item', ref: 'evt_9' },
  { type: 'fault', code: 'tts_failed', message: 'No voice answered.' },
  { type: 'outputCleared', responseId: 'resp_1', itemId: 'item_1', why: 'cut' },
  { type: 'turn', record: RECORD },
]
