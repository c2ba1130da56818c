import { concatBytes, randomInt, utf8 } from '@weft/core'
import { type DidKey, MERKLE_LEAF_SIZE, fromDidKey, sha256 } from '@weft/crypto'
import { beaconRandom } from '@weft/overlay'
import type { ShardName } from '../holder/shard-name.ts'
import { AUDITORS, DRAWN_LEAVES } from './audit-limits.ts'

/** What the leaves of one audit are drawn by. */
export interface AuditDraw {
  /** 32 bytes: of the first beacon after the one that the manifest names. */
  readonly beacon: Uint8Array
  readonly node: DidKey
  readonly auditor: DidKey
  readonly epoch: number
}

/**
 * Who audits a node in an epoch, by hash of the epoch, of where a beacon put the node and of the validator: nobody can
 * choose a key by which it gets auditors that it likes.
 * @param position of the node, 32 bytes; its public key where it has none
 */
export function auditorsOf(position: Uint8Array, epoch: number, validators: readonly DidKey[]): DidKey[] {
  const ranked = validators.map((id) => ({
    id,
    rank: sha256(utf8('weft:auditors:v1\0'), u64(epoch), position, fromDidKey(id)).toHex(),
  }))
  // Hexadecimal sorts as the numbers do.
  ranked.sort((a, b) => (a.rank < b.rank ? -1 : 1))
  return ranked.slice(0, AUDITORS).map(({ id }) => id)
}

/** The leaves that are asked for, in the order in which they were drawn; all of them when there are no more than that. */
export function drawLeaves(draw: AuditDraw, leaves: number): number[] {
  if (leaves <= DRAWN_LEAVES) return Array.from({ length: leaves }, (_, leaf) => leaf)
  const random = beaconRandom(seedOf(draw), 'leaves')
  const drawn = new Set<number>()
  while (drawn.size < DRAWN_LEAVES) drawn.add(randomInt(random, leaves))
  return [...drawn]
}

/** The leaf of a shard that is asked for by name. */
export function drawLeafOf(draw: AuditDraw, { object, segment, index }: ShardName, length: number): number {
  const use = `name:${object.toHex()}:${segment}:${index}`
  return randomInt(beaconRandom(seedOf(draw), use), leavesOf(length))
}

/** Leaves of a shard of `length` bytes. */
export function leavesOf(length: number): number {
  return Math.ceil(length / MERKLE_LEAF_SIZE)
}

function seedOf({ beacon, node, auditor, epoch }: AuditDraw): Uint8Array {
  return sha256(concatBytes([utf8('weft:audit-draw:v1\0'), beacon, fromDidKey(node), fromDidKey(auditor), u64(epoch)]))
}

function u64(value: number): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value))
  return bytes
}
