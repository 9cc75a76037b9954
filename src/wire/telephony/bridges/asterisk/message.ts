/**
 * Control messages of Asterisk's chan_websocket in its two spellings, one a connection: a line of words (`DTMF_END digit:1
 * channel_id:1795.2`), or JSON (`{"event":"DTMF_END","digit":"1",…}`), which came with 20.18, 22.8 and 23.2.
 * https://docs.asterisk.org/Configuration/Channel-Drivers/WebSocket/ and Asterisk 22.10.1 itself, 2026-11-25.
 */
import { BridgeMistake } from '../../bridge.ts'
import { asFields, type Fields } from '../message.ts'

export type Spelling = 'plain' | 'json'

/** Asterisk logs a longer one and does nothing. */
export const MAX_COMMAND_BYTES = 128

export interface ControlMessage {
  readonly event: string
  readonly fields: Fields
  readonly spelling: Spelling
}

export function readControl(message: Buffer): ControlMessage {
  const text = message.toString('utf8')
  return text.startsWith('{') ? readObject(text) : readLine(text)
}

function readObject(text: string): ControlMessage {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new BridgeMistake('a message that is no JSON')
  }
  const fields = asFields(value)
  const event = fields?.['event']
  if (!fields || typeof event !== 'string') throw new BridgeMistake('a message without an event')
  return { event, fields, spelling: 'json' }
}

/** `EVENT name:value name:value`; values hold no spaces. What follows `MEDIA_MARK_PROCESSED` is its id alone. */
function readLine(text: string): ControlMessage {
  const [event = '', ...words] = text.trim().split(/\s+/)
  if (!/^[A-Z][A-Z_]*$/.test(event)) throw new BridgeMistake('a message that is no event')
  const fields: Record<string, unknown> = Object.create(null)
  for (const word of words) {
    const colon = word.indexOf(':')
    if (colon > 0) fields[word.slice(0, colon)] ??= word.slice(colon + 1)
    else fields['correlation_id'] ??= word
  }
  return { event, fields, spelling: 'plain' }
}

export function command(spelling: Spelling, name: string, id?: string): string {
  if (spelling === 'plain') return id === undefined ? name : `${name} ${id}`
  return JSON.stringify(id === undefined ? { command: name } : { command: name, correlation_id: id })
}
