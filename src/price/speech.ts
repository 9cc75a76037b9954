/**
 * List prices of speech models, US dollars, pay as you go: where read and when. Discounts, plans and other regions are the
 * operator's to say (`prices` in `parley.yaml`). None was checked against a bill.
 */

export interface SpeechPrice {
  /** Recognition: a minute of audio. */
  readonly usdPerMinute?: number
  /** Voice: a thousand characters. */
  readonly usdPerThousandChars?: number
  readonly source: string
  readonly asOf: string
}

const guide = (price: Omit<SpeechPrice, 'source' | 'asOf'>): SpeechPrice => ({
  ...price,
  source: 'a published comparison of 2026, apiscout.dev',
  asOf: '2026-11-25',
})

/** By target; a key that ends in `/*` stands for all models of a provider. */
export const SPEECH_PRICES: Readonly<Record<string, SpeechPrice>> = {
  'deepgram/nova-3': guide({ usdPerMinute: 0.0077 }),
  // 0.15 US dollars an hour of streaming.
  'assemblyai/*': guide({ usdPerMinute: 0.0025 }),
  'cartesia/*': {
    usdPerThousandChars: 0.038,
    source: 'about 38 US dollars a million characters on the plan Scale, nolist.ai',
    asOf: '2026-11-25',
  },
  'elevenlabs/eleven_flash_v2_5': {
    usdPerThousandChars: 0.05,
    source: 'not read again: the published rate of its fast models from memory; plans differ widely',
    asOf: '2026-11-25',
  },
}
