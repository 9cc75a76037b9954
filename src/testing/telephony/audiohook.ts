/**
 * Genesys Cloud's end of an AudioHook session as Audio Connector has it: it opens and wants `opened` before any sound, counts the
 * messages of both sides, pings when told to, throws what it holds away at `barge_in`, and closes by `close` and `closed`.
 */
import { createHmac, randomBytes } from 'node:crypto'
import type { AudioFormat } from '../../audio/format.ts'
import { type Members, membersOf, nameOf, objectOf, only, same, Unheard } from './checks.ts'
import type { CallFacts, PhoneDialect, PhoneEar, PhoneWire } from './dialect.ts'
import type { LineMessage } from './line.ts'

export interface AudioHookPhoneOptions {
  readonly format?: 'PCMU' | 'L16'
  readonly apiKey?: string
  /** Base64; signs the upgrade. Left out: no signature. */
  readonly clientSecret?: string
  /** Unix seconds of the signature. */
  readonly createdS?: number
  /** The address it was configured with, and so signs; left out: the one it dials. */
  readonly signedUrl?: string
}

/** The conversation of a probe of the connection. */
export const NO_CONVERSATION = '00000000-0000-0000-0000-000000000000'
const ORGANIZATION = 'd7934305-0972-4844-938e-9060eef73d05'
const SESSION = '30b0e395-84d3-4570-ac13-9a62d8f514c0'
const CORRELATION = 'e160e428-53e2-487c-977d-96989bf5c99d'

export function audiohookPhone(options: AudioHookPhoneOptions = {}): PhoneDialect {
  const { format = 'PCMU' } = options
  const sound: AudioFormat = { encoding: format === 'PCMU' ? 'mulaw' : 'pcm16', sampleRateHz: 8_000 }
  return {
    name: 'audiohook',
    inputFormat: sound,
    outputFormat: sound,
    frameMs: 20,
    silence: 'sent',
    marksOnClear: 'dropped',
    protocols: [],
    headers: (url) => signed(options.signedUrl ?? url, options),
    connect: (call) => new AudioHookPhoneWire(call, format),
  }
}

/** The headers of its upgrade, in the order that it signs them, with a nonce of its own each time. */
function signed(url: string, { apiKey, clientSecret, createdS = 0 }: AudioHookPhoneOptions) {
  const { pathname, search, host } = new URL(url)
  const headers: Record<string, string> = {
    'audiohook-organization-id': ORGANIZATION,
    'audiohook-session-id': SESSION,
    'audiohook-correlation-id': CORRELATION,
    ...(apiKey === undefined ? {} : { 'x-api-key': apiKey }),
  }
  if (clientSecret === undefined) return headers
  const parts = Object.entries({ '@request-target': pathname + search, '@authority': host, ...headers })
  const times = `created=${createdS};expires=${createdS + 10}`
  const names = parts.map(([name]) => `"${name}"`).join(' ')
  const nonce = randomBytes(16).toString('base64')
  const parameters = `(${names});keyid="${apiKey}";nonce="${nonce}";alg="hmac-sha256";${times}`
  const base = parts.map(([name, value]) => `"${name}": ${value}\n`).join('')
  const hmac = createHmac('sha256', Buffer.from(clientSecret, 'base64'))
  const signature = hmac.update(`${base}"@signature-params": ${parameters}`).digest('base64')
  return { ...headers, 'signature-input': `sig1=${parameters}`, signature: `sig1=:${signature}:` }
}

class AudioHookPhoneWire implements PhoneWire {
  #seq = 0
  #serverSeq = 0
  #positionMs = 0
  #state: 'opening' | 'open' | 'closing' | 'closed' = 'opening'

  constructor(
    private readonly call: CallFacts,
    private readonly format: 'PCMU' | 'L16',
  ) {}

  greeting(): LineMessage[] {
    const { callId, from, to, parameters } = this.call
    const participant = { id: CORRELATION, ani: from, aniName: '', dnis: to }
    return [
      this.#message('open', {
        organizationId: ORGANIZATION,
        conversationId: callId,
        participant,
        media: [this.#offer(this.format)],
        language: 'en-US',
        inputVariables: parameters,
      }),
    ]
  }

  sound(bytes: Uint8Array, placeMs: number): LineMessage {
    this.#positionMs = placeMs
    return bytes
  }

  digit(digit: string): LineMessage[] {
    return [this.#message('dtmf', { digit })]
  }

  marked(): LineMessage[] {
    return []
  }

  cleared(): LineMessage[] {
    return []
  }

  goodbye(): LineMessage[] {
    return this.#state === 'open' || this.#state === 'opening' ? [this.#close('end')] : []
  }

  hear(message: LineMessage, ear: PhoneEar): void {
    if (typeof message !== 'string') {
      ear.kind('sound')
      if (this.#state !== 'open') throw new Unheard('sound in a session that is not open')
      return ear.sound(message)
    }
    const members = membersOf(message)
    const type = nameOf(members, 'type')
    ear.kind(type)
    this.#count(members)
    if (this.#state === 'closed') throw new Unheard('a message after closed')
    const parameters = objectOf(members, 'parameters')
    switch (type) {
      case 'opened':
        return this.#opened(parameters)
      case 'pong':
      case 'updated':
        return only(parameters)
      case 'event':
        return this.#event(parameters, ear)
      case 'disconnect':
        if (!['completed', 'unauthorized', 'error'].includes(nameOf(parameters, 'reason')))
          throw new Unheard('a reason that is not known')
        return ear.reply(this.#close('disconnect'))
      case 'closed':
        if (this.#state !== 'closing') throw new Unheard('closed, and nobody asked')
        this.#state = 'closed'
        return ear.hangUp()
      default:
        throw new Unheard(`a type that is not known: ${type.slice(0, 32)}`)
    }
  }

  #opened(parameters: Members): void {
    if (this.#state !== 'opening') throw new Unheard('a second opened')
    const media = parameters['media']
    const probe = this.call.callId === NO_CONVERSATION
    const taken = JSON.stringify(media) === JSON.stringify([this.#offer(this.format)])
    if (!taken && !(probe && JSON.stringify(media) === '[]')) throw new Unheard('media that was not offered')
    this.#state = 'open'
  }

  #event(parameters: Members, ear: PhoneEar): void {
    const { entities } = parameters
    if (JSON.stringify(entities) !== '[{"type":"barge_in","data":{}}]')
      throw new Unheard('an event that is not known')
    ear.clear()
  }

  #count(members: Members): void {
    only(members, 'version', 'id', 'type', 'seq', 'clientseq', 'parameters')
    same(members, 'version', '2')
    same(members, 'id', SESSION)
    if (members['seq'] !== ++this.#serverSeq)
      throw new Unheard(`seq ${members['seq']}, not ${this.#serverSeq}`)
    if (!(typeof members['clientseq'] === 'number' && members['clientseq'] <= this.#seq))
      throw new Unheard('clientseq of a message that was not sent')
  }

  #close(reason: string): LineMessage {
    this.#state = 'closing'
    return this.#message('close', { reason })
  }

  #offer(format: string) {
    return { type: 'audio', format, channels: ['external'], rate: 8000 }
  }

  #message(type: string, parameters: object): LineMessage {
    const position = `PT${this.#positionMs / 1000}S`
    const counts = { seq: ++this.#seq, serverseq: this.#serverSeq, position }
    return JSON.stringify({ version: '2', id: SESSION, type, ...counts, parameters })
  }
}
