/** What Parley uses of `@echogarden/fvad-wasm` (WebRTC's voice detector, an Emscripten module without types). */
declare module '@echogarden/fvad-wasm' {
  export interface FvadModule {
    /** Replaced when the WASM memory grows: read it anew at each use. */
    readonly HEAP16: Int16Array
    _malloc(bytes: number): number
    _fvad_new(): number
    _fvad_free(detector: number): void
    /** 0 (quality, most permissive) to 3 (very aggressive); 0 on success. */
    _fvad_set_mode(detector: number, mode: number): number
    /** 8000, 16000, 32000 or 48000; 0 on success. */
    _fvad_set_sample_rate(detector: number, hz: number): number
    /** 10, 20 or 30 ms of samples. 1: speech, 0: none, -1: bad length. */
    _fvad_process(detector: number, frame: number, samples: number): number
  }
  export default function load(): Promise<FvadModule>
}
