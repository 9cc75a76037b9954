/**
 * Genesys Cloud AudioHook, version 2, as Audio Connector speaks it: sound in binary messages both ways, everything else as JSON
 * text with sequence numbers of both sides. https://developer.genesys.cloud/devapps/audiohook, read 2026-11-25.
 *
 *     open ─► opened ── ping ─► pong, sound, dtmf, event(barge_in) … ── close ─► closed        we end: disconnect
 *       └ of nobody's conversation: a probe of the connection, which begins no call
 */
import type { BridgeCodec, BridgeEvents, Frame } from '../../bridge.ts'
import { BridgeMistake } from '../../bridge.ts'
import {
  asFields,
  digitOf,
  type Fields,
  idOf,
  numberOf,
  parametersOf,
  partiesOf,
  readJson,
  textOf,
} from '../message.ts'
import { linearSound } from '../vonage/codec.ts'
import { type ChosenMedia, chooseMedia } from './media.ts'

type State = 'preparing' | 'open' | 'probe' | 'closed'

const NOBODY = '00000000-0000-0000-0000-000000000000'

export class AudioHookCodec implements BridgeCodec {
  #state: State = 'preparing'
  #media: ChosenMedia | undefined
  /** Of the session: each message of both sides has it. */
  #id = ''
  #seq = 0
  #clientSeq = 0

  read(message: Buffer, kind: 'text' | 'binary', events: BridgeEvents): void {
    if (kind === 'binary') return this.#sound(message, events)
    const fields = readJson(message, kind)
    const parameters = this.#accept(fields)
    switch (fields['type']) {
      case 'open':
        return this.#open(parameters, events)
      case 'ping':
        return events.reply(this.#message('pong', {}))
      case 'dtmf': {
        const digit = digitOf(parameters['digit'])
        return digit === undefined || this.#state !== 'open' ? undefined : events.digit(digit)
      }
      case 'update':
        return events.reply(this.#message('updated', {}))
      case 'error':
        return events.complaint(`error_${numberOf(parameters, 'code') ?? 'unknown'}`)
      case 'close':
        events.reply(this.#message('closed', {}))
        this.#state = 'closed'
        return events.stop()
      default:
        // playback_started, playback_completed, paused, resumed, discarded: nothing follows from them.
        return
    }
  }

  audio(bytes: Uint8Array): Frame {
    return bytes
  }

  mark(): null {
    return null
  }

  clear(): Frame {
    return this.#message('event', { entities: [{ type: 'barge_in', data: {} }] })
  }

  goodbye(why: 'completed' | 'error'): Frame | null {
    if (this.#state === 'closed' || this.#id === '') return null
    this.#state = 'closed'
    return this.#message('disconnect', { reason: why })
  }

  /** Whether it is the session's next message. Numbers may leap, since what was lost is lost; they never stand or go back. */
  #accept(fields: Fields): Fields {
    const id = idOf(fields, 'id')
    const seq = numberOf(fields, 'seq')
    if (fields['version'] !== '2') throw new BridgeMistake('a version that is not 2')
    if (this.#id !== '' && id !== this.#id) throw new BridgeMistake('a message of another session')
    if (seq === undefined || !Number.isSafeInteger(seq) || seq <= this.#clientSeq)
      throw new BridgeMistake('a sequence number that does not rise')
    if ((numberOf(fields, 'serverseq') ?? 0) > this.#seq)
      throw new BridgeMistake('an answer to what was never said')
    if (this.#state === 'closed') throw new BridgeMistake('a message after the end')
    if (this.#id === '' && fields['type'] !== 'open') throw new BridgeMistake('no open at the beginning')
    const parameters = asFields(fields['parameters']) ?? {}
    this.#id = id
    this.#clientSeq = seq
    return parameters
  }

  #open(parameters: Fields, events: BridgeEvents): void {
    if (this.#state !== 'preparing') throw new BridgeMistake('a second open')
    const conversationId = idOf(parameters, 'conversationId')
    const media = chooseMedia(parameters['media'])
    const opened = () => this.#message('opened', { startPaused: false, media: media ? [media.offer] : [] })
    if (conversationId === NOBODY) {
      this.#state = 'probe'
      return events.reply(opened())
    }
    if (!media) throw new BridgeMistake('no sound of the caller alone in a format that is known')
    this.#state = 'open'
    this.#media = media
    // Before the call begins: its first sound must not overtake it.
    events.reply(opened())
    const participant = asFields(parameters['participant']) ?? {}
    const given = { ...asFields(parameters['customConfig']), ...asFields(parameters['inputVariables']) }
    events.start({
      callId: conversationId,
      streamId: this.#id,
      inputFormat: media.format,
      outputFormat: media.format,
      ...partiesOf({ from: textOf(participant, 'ani'), to: textOf(participant, 'dnis') }, {}),
      parameters: parametersOf(given),
    })
  }

  #sound(message: Buffer, events: BridgeEvents): void {
    if (this.#state === 'probe') return
    if (!this.#media) throw new BridgeMistake('sound before open')
    events.audio(this.#media.format.encoding === 'pcm16' ? linearSound(message) : message)
  }

  #message(type: string, parameters: object): Frame {
    const seq = ++this.#seq
    return JSON.stringify({ version: '2', id: this.#id, type, seq, clientseq: this.#clientSeq, parameters })
  }
}
