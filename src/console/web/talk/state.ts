/** What the caller is told about the call, in one word; derived from what goes on, never set by hand. */

export type Phase = 'idle' | 'connecting' | 'reconnecting' | 'live' | 'error'

export type CallState =
  | Exclude<Phase, 'live'>
  | 'listening'
  | 'hearing'
  | 'thinking'
  | 'speaking'
  | 'interrupted'

export interface CallFacts {
  readonly phase: Phase
  /** The caller is speaking. */
  readonly hearing: boolean
  /** … and cut an answer short by it. */
  readonly interrupted: boolean
  /** The caller ended, and no answer has. */
  readonly awaiting: boolean
  /** Sound is coming out. */
  readonly playing: boolean
}

export function callState(facts: CallFacts): CallState {
  if (facts.phase !== 'live') return facts.phase
  if (facts.hearing) return facts.interrupted ? 'interrupted' : 'hearing'
  if (facts.playing) return 'speaking'
  return facts.awaiting ? 'thinking' : 'listening'
}

export const STATE_LABEL: Readonly<Record<CallState, string>> = {
  idle: 'Not connected',
  connecting: 'Connecting',
  reconnecting: 'Reconnecting',
  error: 'No connection',
  listening: 'Listening',
  hearing: 'Hearing you',
  thinking: 'Thinking',
  speaking: 'Speaking',
  interrupted: 'Interrupted, hearing you',
}

/** Without a microphone the page listens to the keyboard. */
export function stateLabel(state: CallState, microphone: 'on' | 'muted' | 'off'): string {
  if (state === 'listening' && microphone === 'off') return 'Ready for your words'
  if (state === 'listening' && microphone === 'muted') return 'Microphone muted'
  return STATE_LABEL[state]
}
