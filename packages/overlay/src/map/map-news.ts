import { equalBytes, isWeftError } from '@weft/core'
import {
  MAX_VOTES,
  type MapNews,
  MapNewsSchema,
  type SignedMap,
  create,
  decodeMessage,
  encodeMessage,
} from '@weft/wire'
import { decodeMapBody } from './map-body.ts'
import { refuseEntries } from './map-entry.ts'
import type { EntryChanges } from './map-history.ts'
import { packChanges } from './pack-changes.ts'
import { MAX_SIGNED_MAP, type SignedMembership } from './signed-membership.ts'
import { unpackChanges } from './unpack-changes.ts'

/** Bytes of packed changes that go along with a map: some 350 renewed entries. More are fetched. */
const MAX_NEWS_CHANGES = 40 * 1024
/** Before they are packed: honest ones are twice as long, and each entry that is read in vain costs 30 µs. */
const MAX_NEWS_UNPACKED = 160 * 1024
/** Keys that MAX_NEWS_CHANGES have room for. */
const MAX_NEWS_KEYS = MAX_NEWS_CHANGES / 32
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

/** @throws WeftError E_MESSAGE_…, E_MAP_ENTRIES */
export function decodeMapNews(bytes: Uint8Array): MapNews {
  const news = decodeMessage(MapNewsSchema, bytes, MAX_NEWS, MAX_VOTES)
  const { from, packed } = news
  if (from.length !== (packed.length === 0 ? 0 : 32))
    throw refuseEntries(`the root that ${packed.length} bytes of changes start from has ${from.length} bytes`)
  return news
}

/**
 * The changes that come along with a map; undefined when there are none. Who passes a map on has to look at them, as others
 * punish it for what is of no form.
 * @throws WeftError E_MAP_ENTRIES
 */
export function changesOfNews({ packed }: Pick<MapNews, 'packed'>): EntryChanges | undefined {
  return packed.length === 0 ? undefined : unpackChanges(packed, MAX_NEWS_UNPACKED)
}

/** Whether changes that come along with the map that is held are those that this node knows. */
export function areKnownChanges(
  membership: Pick<SignedMembership, 'changes'>,
  from: Uint8Array,
  { removed, entries }: EntryChanges,
  map: SignedMap,
): boolean {
  const known = membership.changes(from, decodeMapBody(map.body).root, MAX_NEWS_KEYS)
  return known !== undefined && isSame(removed, known.removed) && isSame(entries, known.entries)
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
