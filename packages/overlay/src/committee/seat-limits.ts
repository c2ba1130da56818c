import type { Member } from '../member.ts'
import { networkPrefix } from '../network/network-prefix.ts'

/** Seats that one operator family, and one /24 (IPv4) or /48 (IPv6), may have of a committee that is drawn. */
export const MAX_SEATS_TOGETHER = 2

/** What the limits look at. */
export type Seated = Pick<Member, 'family' | 'diversityAddress'>

/** Counts the seats that families and networks have taken. */
export class SeatLimits {
  readonly #families = new Map<string, number>()
  readonly #prefixes = new Map<string, number>()

  /** Whether one more may be seated. */
  allows({ family, diversityAddress }: Seated): boolean {
    const ofFamily = this.#families.get(family) ?? 0
    const ofPrefix = this.#prefixes.get(networkPrefix(diversityAddress)) ?? 0
    return ofFamily < MAX_SEATS_TOGETHER && ofPrefix < MAX_SEATS_TOGETHER
  }

  take({ family, diversityAddress }: Seated): void {
    const prefix = networkPrefix(diversityAddress)
    this.#families.set(family, (this.#families.get(family) ?? 0) + 1)
    this.#prefixes.set(prefix, (this.#prefixes.get(prefix) ?? 0) + 1)
  }
}
