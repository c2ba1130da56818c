import { equalBytes, isWeftError } from '@weft/core'
import {
  MapChangesSchema,
  type MapNews,
  MapNewsSchema,
  type SignedMap,
  create,
  decodeMessage,
  encodeMessage,
} from '@weft/wire'
import { decodeMapBody } from './map-body.ts'
import { packChanges } from './pack-changes.ts'
import { unpackMessage } from './packed-message.ts'
import { MAX_SIGNED_MAP, type SignedMembership } from './signed-membership.ts'

/** Bytes of packed changes that go along with a map: some 350 renewed entries. More are fetched. */
const MAX_NEWS_CHANGES = 40 * 1024
/** Before they are packed: honest ones are twice as long, and each entry that is read in vain costs 30 µs. */
export const MAX_NEWS_UNPACKED = 160 * 1024
/** Bytes of a MapNews: both, a root, and their framing. */
const MAX_NEWS = MAX_SIGNED_MAP + MAX_NEWS_CHANGES + 64

/**
 * A new map as the topic `map` carries it, with what changed since the one before, where that is known and little.
 * @param map the one that is held
 * @param before the root of the map before
 */
export function encodeMapNews(
  membership: SignedMembership,
  map: SignedMap,
  before: Uint8Array | undefined,
): Uint8Array {
  const packed = before === undefined ? undefined : changesOf(membership, map, before)
  const isLittle = before !== undefined && packed !== undefined && packed.length <= MAX_NEWS_CHANGES
  return encodeMessage(MapNewsSchema, create(MapNewsSchema, isLittle ? { map, from: before, packed } : { map }))
}

/** @throws WeftError E_MESSAGE_… */
export function decodeMapNews(bytes: Uint8Array): MapNews {
  return decodeMessage(MapNewsSchema, bytes, MAX_NEWS)
}

/** Whether the changes that come along with the map that is held are those that this node knows, or there are none. */
export function hasKnownChanges(
  membership: Pick<SignedMembership, 'changes'>,
  { from, packed }: Pick<MapNews, 'from' | 'packed'>,
  map: SignedMap,
): boolean {
  if (packed.length === 0) return true
  const known = membership.changes(from, decodeMapBody(map.body).root)
  if (known === undefined) return false
  try {
    const { removed, entries } = unpackMessage(MapChangesSchema, packed, MAX_NEWS_UNPACKED)
    return isSame(removed, known.removed) && isSame(entries, known.entries)
  } catch {
    return false
  }
}

function isSame(a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean {
  return a.length === b.length && a.every((bytes, at) => equalBytes(bytes, b[at] as Uint8Array))
}

function changesOf(membership: SignedMembership, map: SignedMap, before: Uint8Array): Uint8Array | undefined {
  const { root } = decodeMapBody(map.body)
  if (equalBytes(before, root)) return undefined
  try {
    return packChanges(membership, before, root, MAX_NEWS_UNPACKED)
  } catch (error) {
    if (isWeftError(error, 'E_MAP_CHANGES_UNKNOWN')) return undefined
    throw error
  }
}
