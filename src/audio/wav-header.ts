/** The 44 bytes that make PCM a WAV file: what `wav.ts` does by a library, for audio that is sent many times a minute. */

/** Of 16-bit samples, `bytes` long, those of several channels side by side. The layout: RIFF, `fmt ` of 16 bytes, `data`. */
export function wavHeader(bytes: number, sampleRateHz: number, channels = 1): Uint8Array {
  const header = Buffer.alloc(44)
  header.write('RIFF', 0, 'latin1')
  header.writeUInt32LE(36 + bytes, 4)
  header.write('WAVEfmt ', 8, 'latin1')
  header.writeUInt32LE(16, 16)
  header.writeUInt16LE(1, 20)
  header.writeUInt16LE(channels, 22)
  header.writeUInt32LE(sampleRateHz, 24)
  header.writeUInt32LE(sampleRateHz * channels * 2, 28)
  header.writeUInt16LE(channels * 2, 32)
  header.writeUInt16LE(16, 34)
  header.write('data', 36, 'latin1')
  header.writeUInt32LE(bytes, 40)
  return header
}
