/**
 * Bandwidth's `<StartStream mode="bidirectional">`: JSON text, µ-law at 8 kHz from the call, µ-law or linear sound to it. It has
 * no marks, and keys do not come over the socket. https://dev.bandwidth.com/docs/voice/programmable-voice/bxml/startStream, read
 * 2026-11-25; the members of messages as two adapters that others ship read them.
 */
import { type AudioFormat, MULAW_8K } from '../../../../audio/format.ts'
import { type BridgeCodec, type BridgeEvents, BridgeMistake, type Frame } from '../../bridge.ts'
import {
  asFields,
  base64,
  type Fields,
  fieldsOf,
  idOf,
  parametersOf,
  partiesOf,
  readJson,
  soundOf,
} from '../message.ts'

export class BandwidthCodec implements BridgeCodec {
  readonly #outputFormat: AudioFormat
  readonly #head: string

  constructor(outputFormat: AudioFormat) {
    this.#outputFormat = outputFormat
    this.#head = `{"eventType":"playAudio","media":{"contentType":"${contentTypeOf(outputFormat)}","payload":"`
  }

  read(message: Buffer, kind: 'text' | 'binary', events: BridgeEvents): void {
    const fields = readJson(message, kind)
    switch (fields['eventType']) {
      case 'media':
        // Our own voice, of a stream that was asked for both tracks.
        return fields['track'] === 'outbound' ? undefined : events.audio(soundOf(fields['payload']))
      case 'start':
        return this.#start(fields, events)
      case 'stop':
        return events.stop()
      default:
        return
    }
  }

  audio(bytes: Uint8Array): Frame {
    return `${this.#head}${base64(bytes)}"}}`
  }

  mark(): null {
    return null
  }

  clear(): Frame {
    return '{"eventType":"clear"}'
  }

  /** `<StopStream wait="true">` goes on with the verb after it when the socket closes. */
  goodbye(): null {
    return null
  }

  #start(fields: Fields, events: BridgeEvents): void {
    const metadata = fieldsOf(fields, 'metadata')
    const callId = idOf(metadata, 'callId')
    const streamId = idOf(metadata, 'streamId')
    checkTracks(metadata['tracks'])
    const parameters = parametersOf(fields['streamParams'])
    events.start({
      callId,
      streamId,
      inputFormat: MULAW_8K,
      outputFormat: this.#outputFormat,
      ...partiesOf({}, parameters),
      parameters,
    })
  }
}

function contentTypeOf({ encoding, sampleRateHz }: AudioFormat): string {
  if (encoding === 'mulaw') return 'audio/pcmu'
  return `audio/pcm;rate=${sampleRateHz};channels=1;bit-depth=16;endian=little;encoding=signed`
}

/** The caller's track has the one format that is known; where none is named, that one is meant. */
function checkTracks(tracks: unknown): void {
  for (const track of Array.isArray(tracks) ? tracks : []) {
    const encoding = asFields(asFields(track)?.['mediaFormat'])?.['encoding']
    if (encoding !== undefined && !/^(audio\/)?pcmu$/i.test(String(encoding)))
      throw new BridgeMistake('an encoding that is not µ-law')
  }
}
