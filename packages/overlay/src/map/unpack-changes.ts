import { compareBytes } from '@weft/core'
import { type MapChanges, MapChangesSchema } from '@weft/wire'
import { refuseEntries } from './map-entry.ts'
import { unpackMessage } from './packed-message.ts'

/** Bytes of a public key; and with its tag and length, which is the shortest item that changes have. */
const KEY = 32
const MIN_ITEM = KEY + 2
/** Bytes that no entry is shorter than: it has a key, the id of a network and an address. */
const MIN_ENTRY = 64

/**
 * Unpacks what became of a map, from anywhere. What cannot be true of any two maps is refused before others are told of it:
 * a few bytes unpack to very many items, of which each costs time.
 * @param maxBytes of it unpacked; by default those of any packed message
 * @throws WeftError E_MAP_ENTRIES
 */
export function unpackChanges(packed: Uint8Array, maxBytes?: number): MapChanges {
  const changes = unpackMessage(MapChangesSchema, packed, maxBytes, MIN_ITEM)
  const { removed, entries } = changes
  if (removed.some(({ length }) => length !== KEY)) throw refuseEntries('a key that is gone has not 32 bytes')
  if (removed.some((key, at) => at > 0 && compareBytes(removed[at - 1] as Uint8Array, key) >= 0))
    throw refuseEntries('the keys that are gone do not ascend')
  if (entries.some(({ length }) => length < MIN_ENTRY))
    throw refuseEntries('one is too short to be the body of a certificate')
  return changes
}
