import { throwIfAborted } from '@weft/core'
import { MapPageSchema } from '@weft/wire'
import { MAX_CERTIFICATE_BODY } from '../admission/certificate-body.ts'
import type { MapBody } from './map-body.ts'
import { refuseEntries } from './map-entry.ts'
import type { MapSource } from './map-source.ts'
import { MAX_UNPACKED, unpackMessage } from './packed-message.ts'

/** Bytes of entries in a page that is not the last: half of a full one. Whoever sends less is making it last. */
const FULL_PAGE = MAX_UNPACKED / 2

/**
 * Fetches all entries of a map from one node, page by page. They are not verified yet; no more are taken than the map
 * counts, and a source that is slow or sends short pages is given up.
 * @throws WeftError E_MAP_ENTRIES, E_MAP_SLOW and what the call throws
 */
export async function fetchEntries(
  source: MapSource,
  { root, count }: Pick<MapBody, 'root' | 'count'>,
  signal: AbortSignal,
): Promise<Uint8Array[]> {
  const fetched: Uint8Array[] = []
  for (let page = 0; fetched.length < count; page++) {
    throwIfAborted(signal)
    const { packed } = await source.ask('map.entries', { root, page }, signal)
    const { entries } = unpackMessage(MapPageSchema, packed)
    if (!isPage(entries, count - fetched.length)) {
      throw refuseEntries(`a page has ${entries.length}, and ${fetched.length} of ${count} came before`)
    }
    fetched.push(...entries)
  }
  return fetched
}

/** Whether entries are as many as fit a page, or all of those that are left. */
function isPage(entries: readonly Uint8Array[], left: number): boolean {
  if (entries.length === 0 || entries.length > left) return false
  if (entries.some(({ length }) => length > MAX_CERTIFICATE_BODY)) return false
  return entries.length === left || entries.reduce((bytes, { length }) => bytes + length, 0) >= FULL_PAGE
}
