/** The part of WebAssembly that flite needs: the types of Node 20 lack it, and the DOM's are not ours. */
declare namespace WebAssembly {
  interface Module {
    readonly [Symbol.toStringTag]: string
  }
  class Memory {
    readonly buffer: ArrayBuffer
    private constructor()
  }
  class Instance {
    readonly exports: Readonly<Record<string, unknown>>
    constructor(module: Module, imports: Readonly<Record<string, Readonly<Record<string, unknown>>>>)
  }
  function compile(bytes: Uint8Array): Promise<Module>
}
