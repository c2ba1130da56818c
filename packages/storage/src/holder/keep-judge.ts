import { WeftError } from '@weft/core'
import { type DidKey, shortId } from '@weft/crypto'
import type { Overlay } from '@weft/overlay'
import { storageMembers } from '../object/object-context.ts'
import type { ObjectRecords } from '../object/object-records.ts'
import { standIns } from '../placement/stand-ins.ts'
import type { ShardName } from './shard-name.ts'

/** What a holder may keep in the place of another, or again. */
interface Keep {
  /** Merkle root that the owner signed for these bytes. */
  readonly root: Uint8Array
  /** Bytes. */
  readonly length: number
  /** ms since the epoch: as long as the object lasts. */
  readonly expiresAt: number
  /**
   * Whether a shard of the same segment has its place here; one that was taken for a holder that is back in the map has not.
   */
  readonly hasPlace: (index: number) => boolean
}

/** Says what this holder may keep of a shard that a peer brings. @throws WeftError E_SHARD_PLACE, and those of the records */
export type JudgeKeep = (name: ShardName, from: DidKey, signal: AbortSignal) => Promise<Keep>

/**
 * Judges by the owner's records and this node's own map alone, so that whoever brings a shard can have nothing kept but what
 * the owner signed, and only where everyone looks for it (docs/specs/shards.md, In the place of another).
 */
export function judgeKeeps(overlay: Overlay, records: ObjectRecords): JudgeKeep {
  return async (name, from, signal) => {
    const { object, segment: at, index } = name
    const { membership, self } = overlay
    const head = await records.readHead(object, signal)
    if (!head.quorum) throw refused('too few record holders answered to be sure that the object was not removed', true)
    if (at >= head.segments) throw refused(`the object has ${head.segments} segments`)
    const segment = await records.readSegment(object, head, at, signal)
    const shard = segment.shards[index]
    if (shard === undefined) throw refused(`a segment has ${segment.shards.length} shards`)
    const hasPlace = (other: number): boolean => {
      const holder = segment.shards[other]?.node
      return holder !== undefined && (holder === self || !membership.isMember(holder))
    }
    const keep = { root: shard.root, length: segment.shardLength, expiresAt: head.expiresAt, hasPlace }
    if (shard.node === self) return keep
    if (shard.node !== from && membership.isMember(shard.node)) {
      throw refused(`its holder …${shortId(shard.node)} is in the map`)
    }
    const named = new Set(segment.shards.map(({ node }) => node))
    if (!standIns(name, named, storageMembers({ overlay })).includes(self)) {
      throw refused('others come first for it')
    }
    return keep
  }
}

function refused(why: string, retryable = false): WeftError {
  return new WeftError({
    code: 'E_SHARD_PLACE',
    cause: `This holder does not keep the shard in the place of another: ${why}.`,
    fix: 'Bring it to the members that docs/specs/shards.md names, after they have the same map.',
    retryable,
  })
}

/** This holder has another shard of the segment. */
export function segmentTaken(): WeftError {
  return refused('it has another shard of the segment')
}
