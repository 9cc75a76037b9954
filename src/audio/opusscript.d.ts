/** The part of `opusscript` that is used: libopus 1.4 in WASM, below the package's own wrapper. */
declare module 'opusscript/build/opusscript_native_wasm.js' {
  /** An encoder and a decoder. Results below zero are libopus's errors. Addresses are bytes of the heap. */
  export interface OpusHandler {
    /** A byte of PCM stands in each 16-bit cell at `pcm`. Returns the packet's bytes. */
    _encode(pcm: number, pcmBytes: number, packet: number, frameSamples: number): number
    /** Returns samples; a byte of PCM stands in each 16-bit cell at `pcm`. */
    _decode(packet: number, packetBytes: number, pcm: number): number
    _encoder_ctl(request: number, value: number): number
  }
  export interface OpusModule {
    /** Replaced when the memory grows. */
    readonly HEAPU8: Uint8Array
    readonly HEAPU16: Uint16Array
    readonly ready: Promise<unknown>
    _malloc(bytes: number): number
    readonly OpusScriptHandler: {
      new (sampleRateHz: number, channels: number, application: number): OpusHandler
      destroy_handler(handler: OpusHandler): void
    }
  }
  export default function load(): OpusModule
}
