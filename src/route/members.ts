/** A map of the engine's whose values cost nothing until a rule reads them. */

/** Values are made when they are asked for, once; those that are not known (undefined, null) are not in it. */
export class Members extends Map<string, unknown> {
  readonly #names: Iterable<string>
  readonly #make: (name: string) => unknown

  constructor(names: Iterable<string>, make: (name: string) => unknown) {
    super()
    this.#names = names
    this.#make = make
  }

  override get(name: string): unknown {
    const known = super.get(name)
    if (known !== undefined) return known
    const value = this.#make(name) ?? undefined
    if (value !== undefined) super.set(name, value)
    return value
  }

  override has(name: string): boolean {
    return this.get(name) !== undefined
  }

  override get size(): number {
    return [...this.keys()].length
  }

  override *keys(): MapIterator<string> {
    for (const name of this.#names) if (this.get(name) !== undefined) yield name
  }

  override *entries(): MapIterator<[string, unknown]> {
    for (const name of this.keys()) yield [name, this.get(name)]
  }

  override *values(): MapIterator<unknown> {
    for (const name of this.keys()) yield this.get(name)
  }

  override [Symbol.iterator](): MapIterator<[string, unknown]> {
    return this.entries()
  }

  override forEach(visit: (value: unknown, key: string, map: Map<string, unknown>) => void): void {
    for (const [name, value] of this.entries()) visit(value, name, this)
  }
}
