/** Which of the media that AudioHook offers is taken: the caller alone, µ-law before linear, since telephones have no more. */
import { type AudioFormat, MULAW_8K } from '../../../../audio/format.ts'
import { asFields, type Fields } from '../message.ts'

export interface ChosenMedia {
  /** As it was offered, of what is known of it. */
  readonly offer: Fields
  readonly format: AudioFormat
}

const MAX_OFFERS = 16

/** Undefined: none of them. `offers` as they came. */
export function chooseMedia(offers: unknown): ChosenMedia | undefined {
  const known = (Array.isArray(offers) ? offers.slice(0, MAX_OFFERS) : []).flatMap((each: unknown) => {
    const offer = asFields(each)
    const format = offer && formatOf(offer)
    if (!offer || !format) return []
    const { type, channels, rate } = offer
    return [{ offer: { type, format: offer['format'], channels, rate }, format }]
  })
  return known.find(({ format }) => format.encoding === 'mulaw') ?? known[0]
}

function formatOf({ type, format, channels, rate }: Fields): AudioFormat | undefined {
  const external = Array.isArray(channels) && channels.length === 1 && channels[0] === 'external'
  if (type !== 'audio' || rate !== 8_000 || !external) return undefined
  if (format === 'PCMU') return MULAW_8K
  return format === 'L16' ? { encoding: 'pcm16', sampleRateHz: 8_000 } : undefined
}
