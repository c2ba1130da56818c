import { compareBytes, concatBytes, utf8 } from '@weft/core'
import { type DidKey, sha256 } from '@weft/crypto'
import type { Member } from '@weft/overlay'

const DOMAIN = utf8('weft:stand-in:v1\0')
/** Members that may keep a shard in the place of the one that its owner chose. */
export const STAND_INS = 8

/**
 * Who may keep a shard whose own holder is gone, first the one that comes first: rendezvous hashing of each shard by itself
 * over the storage members that keep none of this segment by their owner's choice. So everyone with the same map finds it
 * without asking, and a member that joins or leaves moves hardly any.
 * @param named the holders that the owner's record of the segment names. @param members of the signed map, of role storage
 */
export function standIns(
  { object, segment, index }: { readonly object: Uint8Array; readonly segment: number; readonly index: number },
  named: ReadonlySet<DidKey>,
  members: readonly Pick<Member, 'id'>[],
): DidKey[] {
  const place = new Uint8Array(8)
  const view = new DataView(place.buffer)
  view.setUint32(0, segment)
  view.setUint32(4, index)
  const prefix = concatBytes([DOMAIN, object, place])
  return members
    .filter(({ id }) => !named.has(id))
    .map(({ id }) => ({ id, score: sha256(prefix, utf8(id)) }))
    .sort((a, b) => compareBytes(b.score, a.score))
    .slice(0, STAND_INS)
    .map(({ id }) => id)
}
