import { equalBytes } from '@weft/core'
import { MERKLE_LEAF_SIZE, merkleLeafHash, splitPath, verifyMerkleProof } from '@weft/crypto'
import type { AuditItem, AuditManifest } from '@weft/wire'
import type { ShardName } from '../holder/shard-name.ts'
import { type AuditDraw, drawLeafOf, leavesOf } from './audit-draw.ts'
import { encodeEntry } from './manifest-entry.ts'

/** What was asked for: a leaf of all, or a shard by its name. */
export type AuditAsked = { readonly leaf: number } | { readonly name: ShardName }

export const HELD = 0
export const LOST = 1
export const ABSENT = 2

/** What an item says, before a record is asked. `wrong` needs none: it contradicts itself or the manifest. */
export type ItemSays =
  | { readonly says: 'wrong'; readonly why: string }
  | { readonly says: 'lost' | 'absent'; readonly name: ShardName }
  | { readonly says: 'held'; readonly name: ShardName; readonly length: number; readonly root: Uint8Array }

/**
 * Judges one item of an answer by what its holder signed alone, so that anybody comes to the same: the entry is in the
 * manifest, it is of what was asked for, and the leaf is under the root that the item itself names.
 */
export function judgeItem(item: AuditItem, asked: AuditAsked, manifest: AuditManifest, draw: AuditDraw): ItemSays {
  const { state } = item
  const wrong = (why: string): ItemSays => ({ says: 'wrong', why })
  const name = item.name ?? { object: new Uint8Array(0), segment: 0, index: 0 }
  if ('name' in asked && !isSame(name, asked.name)) return wrong('it is of another shard')
  if (state === ABSENT) {
    return 'name' in asked ? { says: 'absent', name: asked.name } : wrong('it lacks a leaf of its own manifest')
  }
  if (state !== HELD && state !== LOST) return wrong('its state means nothing')
  const [length, start, position] = [item.length, item.start, item.position].map(Number) as [number, number, number]
  if (!Number.isSafeInteger(length) || length < 1 || name.object.length !== 32) return wrong('its entry means nothing')
  if (!isInManifest(item, { name, length, start }, position, manifest)) return wrong('its entry is not in its manifest')
  const leaf = 'leaf' in asked ? asked.leaf - start : drawLeafOf(draw, name, length)
  const leaves = leavesOf(length)
  if (leaf < 0 || leaf >= leaves) return wrong('it is of another shard than was drawn')
  if (state === LOST) return { says: 'lost', name }
  const path = splitPath(item.path)
  const isWhole = item.data.length === Math.min(MERKLE_LEAF_SIZE, length - leaf * MERKLE_LEAF_SIZE)
  const fits =
    isWhole && path !== undefined && verifyMerkleProof(merkleLeafHash(item.data), leaf, leaves, path, item.root)
  return fits
    ? { says: 'held', name, length, root: item.root }
    : wrong('its bytes are not under the root that it names')
}

function isSame(a: ShardName, b: ShardName): boolean {
  return a.segment === b.segment && a.index === b.index && equalBytes(a.object, b.object)
}

function isInManifest(
  item: AuditItem,
  entry: Parameters<typeof encodeEntry>[0],
  position: number,
  { root, shards }: AuditManifest,
): boolean {
  const proof = splitPath(item.proof)
  if (proof === undefined || !Number.isSafeInteger(entry.start)) return false
  return verifyMerkleProof(merkleLeafHash(encodeEntry(entry)), position, Number(shards), proof, root)
}
