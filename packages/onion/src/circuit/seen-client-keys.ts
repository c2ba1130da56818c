import { toHex } from '@weft/core'

/** What a node knows of handshakes that it answered. */
export interface ClientKeyMemory {
  /** False when the pair is known already; otherwise it is from now on. */
  remember(onionKey: Uint8Array, clientKey: Uint8Array): boolean
  /** How often a younger generation began, with which the one before the last was forgotten. */
  readonly generation: number
  /** Forgets what belongs to onion keys that are no longer in use. */
  keepOnly(onionKeys: readonly { readonly publicKey: Uint8Array }[]): void
}

/**
 * The clients' ephemeral keys that were used with each onion key: a handshake that comes a second time is refused.
 * Bounded: two generations of `limit` keys for each onion key; when the younger is full, the older is forgotten. What an
 * attacker gains by making a hop forget is work for the hop, never a key: the hop's own part is fresh each time. Early keys go by `EarlyGate`.
 */
export class SeenClientKeys implements ClientKeyMemory {
  readonly #limit: number
  generation = 0
  readonly #byOnionKey = new Map<string, { young: Set<string>; old: Set<string> }>()

  constructor(limit: number) {
    this.#limit = limit
  }

  remember(onionKey: Uint8Array, clientKey: Uint8Array): boolean {
    const name = toHex(onionKey)
    let seen = this.#byOnionKey.get(name)
    if (seen === undefined) {
      seen = { young: new Set(), old: new Set() }
      this.#byOnionKey.set(name, seen)
    }
    const key = Buffer.from(clientKey).toString('latin1') // one byte a letter: half the memory of hex
    if (seen.young.has(key) || seen.old.has(key)) return false
    if (seen.young.size >= this.#limit) {
      this.generation++
      seen.old = seen.young
      seen.young = new Set()
    }
    seen.young.add(key)
    return true
  }

  keepOnly(onionKeys: readonly { readonly publicKey: Uint8Array }[]): void {
    const names = new Set(onionKeys.map((pair) => toHex(pair.publicKey)))
    for (const name of this.#byOnionKey.keys()) if (!names.has(name)) this.#byOnionKey.delete(name)
  }

  /** Keys held now, of all onion keys. */
  get size(): number {
    let size = 0
    for (const { young, old } of this.#byOnionKey.values()) size += young.size + old.size
    return size
  }
}
