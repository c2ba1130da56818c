import { compareBytes, utf8 } from '@weft/core'
import { sha256 } from '@weft/crypto'
import type { Member } from '@weft/overlay'

const DOMAIN = utf8('weft:placement:v1\0')

/**
 * Members in the order in which an object prefers them: rendezvous hashing (Thaler and Ravishankar 1998) by
 * SHA-256("weft:placement:v1\0" || object || did:key of the node), the highest first. Everyone with the same map gets the same order,
 * and a member that joins or leaves moves no others. All weights are equal for now.
 */
export function byRendezvous(object: Uint8Array, members: readonly Member[]): Member[] {
  return members
    .map((member) => ({ member, score: sha256(DOMAIN, object, utf8(member.id)) }))
    .sort((a, b) => compareBytes(b.score, a.score))
    .map(({ member }) => member)
}
