/** What Parley uses of `@echogarden/speex-resampler-wasm` (SpeexDSP's resampler, an Emscripten module without types). */
declare module '@echogarden/speex-resampler-wasm/simd' {
  export interface SpeexModule {
    /** Replaced when the WASM memory grows: read it anew at each use. */
    readonly HEAPU8: Uint8Array
    readonly HEAP16: Int16Array
    readonly HEAPU32: Uint32Array
    _malloc(bytes: number): number
    _free(pointer: number): void
    _speex_resampler_init(
      channels: number,
      inHz: number,
      outHz: number,
      quality: number,
      error: number,
    ): number
    _speex_resampler_destroy(state: number): void
    _speex_resampler_skip_zeros(state: number): number
    _speex_resampler_get_input_latency(state: number): number
    /** `inLength` and `outLength` point at uint32: samples offered and room, then samples consumed and made. */
    _speex_resampler_process_int(
      state: number,
      channel: number,
      input: number,
      inLength: number,
      output: number,
      outLength: number,
    ): number
  }
  export default function load(): Promise<SpeexModule>
}
