import { type BeaconInput, refuseInputs } from './beacon-inputs.ts'
import type { BeaconRoster } from './beacon-roster.ts'
import { type Dealing, type SignedDealing, dealingName, refuseDealing } from './dealing.ts'
import { openDealing, verifySharing } from './verify-dealing.ts'

interface Held {
  readonly signed: SignedDealing
  readonly dealing: Dealing
}

/**
 * The verified dealings of one beacon: the first of each seat, and those that a proposal names. A seat that deals twice
 * so costs each node one verification more for each proposal that takes its other dealing, and no memory beyond that.
 */
export class DealingStore {
  readonly #roster: BeaconRoster
  /** By name in hex. */
  readonly #held = new Map<string, Held>()
  /** By seat: the name of its first dealing that was looked at, right or wrong. */
  readonly #first = new Map<number, string>()
  /** By name in hex: what the last proposal names. */
  #wanted: ReadonlyMap<string, BeaconInput> = new Map()
  /** Names of wanted dealings that do not hold. */
  readonly #bad = new Set<string>()

  constructor(roster: BeaconRoster) {
    this.#roster = roster
  }

  /** Takes a dealing; one that is here already changes nothing. @throws WeftError E_BEACON_DEALING */
  add(signed: SignedDealing): void {
    const name = dealingName(signed.body).toHex()
    if (this.#held.has(name)) return
    if (this.#bad.has(name)) throw refuseDealing('it was looked at before, and does not hold')
    const dealing = openDealing(this.#roster, signed)
    const wanted = this.#wanted.has(name)
    if (!wanted && this.#first.has(dealing.dealer)) {
      throw refuseDealing(`seat ${dealing.dealer} has dealt before`)
    }
    if (!this.#first.has(dealing.dealer)) this.#first.set(dealing.dealer, name)
    try {
      verifySharing(this.#roster, dealing)
    } catch (error) {
      this.#bad.add(name)
      throw error
    }
    this.#held.set(name, { signed: { body: signed.body.slice(), signature: signed.signature.slice() }, dealing })
  }

  get(name: Uint8Array): Held | undefined {
    return this.#held.get(name.toHex())
  }

  /** One dealing of each seat that has one, in order of the seats. */
  list(): readonly BeaconInput[] {
    const first = [...this.#first].toSorted(([a], [b]) => a - b)
    return first.flatMap(([dealer, name]) =>
      this.#held.has(name) ? [{ dealer, dealing: Uint8Array.fromHex(name) }] : [],
    )
  }

  /**
   * Makes room for what a proposal names, in place of what the one before it named, and returns what of it is missing.
   * @throws WeftError E_BEACON_INPUTS when it names a dealing that does not hold, or by a wrong seat
   */
  want(inputs: readonly BeaconInput[]): readonly BeaconInput[] {
    const missing: BeaconInput[] = []
    for (const input of inputs) {
      const name = input.dealing.toHex()
      const held = this.#held.get(name)
      if (this.#bad.has(name)) throw refuseInputs(`the dealing of seat ${input.dealer} does not hold`)
      if (held === undefined) missing.push(input)
      else if (held.dealing.dealer !== input.dealer) {
        throw refuseInputs(`the dealing named for seat ${input.dealer} is of seat ${held.dealing.dealer}`)
      }
    }
    this.#wanted = new Map(inputs.map((input) => [input.dealing.toHex(), input]))
    this.#drop()
    return missing
  }

  /** Forgets what is neither a seat's first nor wanted. */
  #drop(): void {
    const kept = new Set([...this.#first.values(), ...this.#wanted.keys()])
    for (const name of this.#held.keys()) if (!kept.has(name)) this.#held.delete(name)
    for (const name of this.#bad) if (!kept.has(name)) this.#bad.delete(name)
  }
}
