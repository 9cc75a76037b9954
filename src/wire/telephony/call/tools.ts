/**
 * What the model may do with its own call: end it, send it to one of the pipeline's destinations, press keys. Tools of one session,
 * offered as far as the pipeline allows and the bridge can. The model names destinations and never sees or gives a number.
 */
import { orAborted } from '../../../cancel.ts'
import type { CallPolicy } from '../../../config/pipeline.ts'
import type { ToolCall, ToolDefinition } from '../../../dialect/neutral.ts'
import { NO_TOOLS, type ServerTools, ToolError } from '../../../stage/tools.ts'
import { argumentsOf } from '../../../tool/arguments.ts'

/** What is done. Left out: the bridge cannot. */
export interface CallActs {
  /** Told, and returns at once: the call ends when what is being said was heard. */
  hangUp(): void
  /** Rejects when the bridge did not do it: the call goes on. */
  transfer?(to: string): Promise<void>
  /** Of `0-9 * # w`, never empty. */
  sendDigits?(digits: string): Promise<void>
}

export const HANG_UP = 'hang_up'
export const TRANSFER_CALL = 'transfer_call'
export const SEND_DIGITS = 'send_digits'
/** As `ServerTool.server`. */
const SERVER = 'call'
const MAX_DIGITS = 64

type Act = ToolDefinition & { readonly run: (call: ToolCall, signal: AbortSignal) => Promise<string> }

/** `policy` null: the pipeline allows nothing. */
export function callTools(policy: CallPolicy | null, acts: CallActs): ServerTools {
  if (!policy) return NO_TOOLS
  const { transfer, sendDigits } = acts
  const offered: Act[] = []
  if (policy.hangUp) offered.push(hangUpTool(acts))
  if (transfer && Object.keys(policy.transfer).length > 0) {
    offered.push(transferTool(policy.transfer, (to) => transfer.call(acts, to)))
  }
  if (sendDigits && policy.sendDigits) offered.push(digitsTool((digits) => sendDigits.call(acts, digits)))
  return {
    definitions: offered.map(({ run: _, ...tool }) => ({ ...tool, server: SERVER, filler: null })),
    run(call, options) {
      const tool = offered.find(({ name }) => name === call.name)
      return tool ? tool.run(call, options.signal) : NO_TOOLS.run(call, options)
    },
  }
}

function hangUpTool(acts: CallActs): Act {
  return {
    name: HANG_UP,
    description: 'Ends this telephone call. Say goodbye first; the call ends once that was heard.',
    parameters: objectOf({}),
    async run(call) {
      argumentsOf(call, { parameters: objectOf({}) })
      acts.hangUp()
      return 'The call ends now. Say nothing more.'
    },
  }
}

function transferTool(
  destinations: Readonly<Record<string, string>>,
  transfer: (to: string) => Promise<void>,
): Act {
  const names = Object.keys(destinations)
  const parameters = objectOf({ destination: { type: 'string', enum: names } })
  let state: 'here' | 'under way' | 'gone' = 'here'
  return {
    name: TRANSFER_CALL,
    description: 'Sends the caller to somebody else. Say so first: you leave the call.',
    parameters,
    async run(call, signal) {
      const name = String(argumentsOf(call, { parameters })['destination'])
      const to = Object.hasOwn(destinations, name) ? destinations[name] : undefined
      if (to === undefined)
        throw new ToolError('arguments', `There is no such destination; ${names.join(', ')}.`)
      if (state !== 'here') throw new ToolError('tool', 'The call is being transferred already.')
      state = 'under way'
      try {
        await orAborted(transfer(to), signal)
      } catch {
        signal.throwIfAborted()
        state = 'here'
        throw new ToolError('tool', 'The call could not be transferred. It goes on here.')
      }
      state = 'gone'
      return 'The call was transferred. Say nothing more.'
    },
  }
}

function digitsTool(sendDigits: (digits: string) => Promise<void>): Act {
  const digits = { type: 'string', pattern: '^[0-9*#w]+$', minLength: 1, maxLength: MAX_DIGITS }
  const parameters = objectOf({ digits: { ...digits, description: 'Keys to press; w waits half a second.' } })
  return {
    name: SEND_DIGITS,
    description: 'Presses keys of the telephone, as an automated menu asks for.',
    parameters,
    async run(call, signal) {
      const pressed = argumentsOf(call, { parameters })['digits']
      if (typeof pressed !== 'string' || pressed.length > MAX_DIGITS || !/^[0-9*#w]+$/.test(pressed))
        throw new ToolError('arguments', 'Digits are 0-9, *, # and w.')
      try {
        await orAborted(sendDigits(pressed), signal)
      } catch {
        signal.throwIfAborted()
        throw new ToolError('tool', 'The keys could not be pressed.')
      }
      return 'The keys were pressed.'
    },
  }
}

function objectOf(properties: Readonly<Record<string, object>>) {
  return { type: 'object', properties, required: Object.keys(properties), additionalProperties: false }
}
