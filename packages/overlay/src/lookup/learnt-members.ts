import type { DidKey } from '@weft/crypto'
import type { Member } from '../member.ts'

/** Members that are remembered; those learnt of longest ago are forgotten first. */
const MAX_LEARNT = 1_024

/** Members that lookups found: where to reach whom the own map does not have, or has with an older certificate. */
export class LearntMembers {
  readonly #members = new Map<DidKey, Member>()

  note(members: readonly Member[]): void {
    for (const member of members) {
      const known = this.#members.get(member.id)
      this.#members.delete(member.id)
      this.#members.set(member.id, known === undefined ? member : newerOf(known, member))
    }
    for (const id of this.#members.keys()) {
      if (this.#members.size <= MAX_LEARNT) break
      this.#members.delete(id)
    }
  }

  /** The addresses of a member by its newest certificate. @param mapped as the own map has it */
  addresses(id: DidKey, mapped: Member | undefined): readonly string[] | undefined {
    const learnt = this.#members.get(id)
    if (learnt === undefined || mapped === undefined) return (learnt ?? mapped)?.addresses
    return newerOf(mapped, learnt).addresses
  }
}

function newerOf(a: Member, b: Member): Member {
  return b.certificateEpoch > a.certificateEpoch ? b : a
}
