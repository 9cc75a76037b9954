/**
 * How fast clients may send: a bucket for each connection, and one for each key. Who floods is stopped, and the others
 * of its key notice nothing: when a key's bucket is empty, it is the connection that took most of it that has to go.
 *
 *     burst ──────────────┐
 *     take ─► ok          │ refilled by time
 *     half ───────────────┤ ─► warn, once
 *     empty ──────────────┘ ─► onExceeded
 */
import type { Clock } from '../clock.ts'

export interface InputRateSettings {
  readonly limits: {
    readonly inputBytesPerSecond: number
    /** null: what its sessions may take together. */
    readonly inputBytesPerSecondPerKey: number | null
  }
  readonly keys: readonly { readonly id: string; readonly inputBytesPerSecond: number | null }[]
}

/** Whole files are sent at once: a bucket holds this many seconds of its rate, 17 minutes of PCM at the default. */
export const BURST_S = 64
/** Of the burst: below it, a client is told. No single frame is as large as that, so that nobody is closed untold. */
const WARN_SHARE = 0.5
/** Above it, a client that was told may be told again. */
const CALM_SHARE = 0.75

export interface InputMeter {
  /** `warn`: go on like this and it ends; told once, until three quarters are there again. */
  take(bytes: number): 'ok' | 'warn'
  /** Idempotent. */
  close(): void
}

class Bucket {
  readonly #perMs: number
  readonly burst: number
  #level: number
  #at: number

  constructor(bytesPerSecond: number, at: number) {
    this.#perMs = bytesPerSecond / 1000
    this.burst = bytesPerSecond * BURST_S
    this.#level = this.burst
    this.#at = at
  }

  /** What is left after it; below zero there was not enough. */
  take(bytes: number, at: number): number {
    this.#level = Math.min(this.burst, this.#level + (at - this.#at) * this.#perMs) - bytes
    this.#at = at
    return this.#level
  }

  used(at: number): number {
    return this.burst - this.take(0, at)
  }
}

interface Member {
  readonly bucket: Bucket
  readonly onExceeded: () => void
}

interface Group {
  readonly bucket: Bucket
  readonly members: Set<Member>
}

export class InputRates {
  readonly #clock: Clock
  readonly #limits: InputRateSettings['limits']
  readonly #groups = new Map<string, Group>()
  readonly #ofKey: ReadonlyMap<string, number | null>

  constructor(clock: Clock, { limits, keys }: InputRateSettings) {
    this.#clock = clock
    this.#limits = limits
    this.#ofKey = new Map(keys.map(({ id, inputBytesPerSecond }) => [id, inputBytesPerSecond]))
  }

  /** `onExceeded` is called once, from within a `take` of this meter or of another of the same key. */
  open(keyId: string | null, onExceeded: () => void): InputMeter {
    const bucket = new Bucket(this.#limits.inputBytesPerSecond, this.#clock.now())
    let over = false
    const exceed = () => {
      if (over) return
      // What it took is given back, so that the next of its key is not stopped for it.
      group?.bucket.take(-bucket.used(this.#clock.now()), this.#clock.now())
      close()
      onExceeded()
    }
    const member: Member = { bucket, onExceeded: exceed }
    const group = this.#join(keyId, member)
    const close = () => {
      over = true
      this.#leave(keyId, group, member)
    }
    let warned = false
    const take = (bytes: number): 'ok' | 'warn' => {
      if (over) return 'ok'
      const at = this.#clock.now()
      const left = bucket.take(bytes, at) / bucket.burst
      const ofGroup = group ? group.bucket.take(bytes, at) / group.bucket.burst : 1
      if (group && ofGroup < 0) heaviest(group, at)?.onExceeded()
      if (left < 0) exceed()
      if (Math.min(left, ofGroup) > CALM_SHARE) warned = false
      const low = left < WARN_SHARE || (group && ofGroup < WARN_SHARE && heaviest(group, at) === member)
      if (over || warned || !low) return 'ok'
      warned = true
      return 'warn'
    }
    return { take, close }
  }

  #join(keyId: string | null, member: Member): Group | undefined {
    if (keyId === null) return undefined
    const rate = this.#ofKey.get(keyId) ?? this.#limits.inputBytesPerSecondPerKey
    if (rate === null) return undefined
    const group = this.#groups.get(keyId) ?? {
      bucket: new Bucket(rate, this.#clock.now()),
      members: new Set(),
    }
    this.#groups.set(keyId, group)
    group.members.add(member)
    return group
  }

  #leave(keyId: string | null, group: Group | undefined, member: Member): void {
    group?.members.delete(member)
    if (group?.members.size === 0 && keyId !== null) this.#groups.delete(keyId)
  }
}

function heaviest({ members }: Group, at: number): Member | undefined {
  const used = ({ bucket }: Member) => bucket.used(at)
  return [...members].sort((a, b) => used(b) - used(a))[0]
}
