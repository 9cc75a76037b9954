/** The members of a pipeline that matter on the telephone alone: what the model may do with a call, and what an answering machine is told. */
import { z } from 'zod'

/** Where a call may go: E.164, or a SIP address. Nothing that could end an attribute, a line or a channel's name. */
const destination = z
  .string()
  .max(300)
  .regex(
    /^(\+[1-9]\d{5,14}|sips?:[A-Za-z0-9._~+%*#-]+@[A-Za-z0-9.-]+(:\d{1,5})?(;[A-Za-z0-9=._-]+)*)$/,
    'wants a number such as +15551234567, or sip:name@host',
  )

const destinationName = z
  .string()
  .max(64)
  .regex(/^[A-Za-z0-9][A-Za-z0-9_-]*$/, 'wants letters, digits, dashes and underscores')

export const callMember = z
  .strictObject({
    hangUp: z.boolean().default(false).describe('The model may end the call.'),
    transfer: z
      .record(destinationName, destination)
      .refine((names) => Object.keys(names).length <= 32, 'must not have more than 32 destinations')
      .default({})
      .describe('The model may send the call to one of these, by its name.'),
    sendDigits: z.boolean().default(false).describe('The model may press keys, where the bridge can.'),
  })
  .nullable()
  .default(null)
  .describe('What the model may do with a telephone call; null: nothing.')

export const voicemailMember = z
  .strictObject({
    // biome-ignore lint/suspicious/noThenProperty: it is read as a member of a file and never awaited.
    then: z.enum(['hang_up', 'leave_message']),
    say: z.string().min(1).max(2000).optional().describe('The message, for leave_message.'),
  })
  .refine((one) => (one.say !== undefined) === (one.then === 'leave_message'), {
    message: 'is for leave_message, which needs it',
    path: ['say'],
  })
  .nullable()
  .default(null)
  .describe('What is done when a machine answers a call that the server placed; null: it is talked to.')
