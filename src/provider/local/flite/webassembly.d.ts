/** The part of WebAssembly that flite needs: the types of Node 20 name only `Module`, and the DOM's are not ours. */
declare namespace WebAssembly {
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
