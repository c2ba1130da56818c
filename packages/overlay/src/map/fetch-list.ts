import { isWeftError } from '@weft/core'
import type { EntryList } from './entry-list.ts'
import { fetchEntries } from './fetch-entries.ts'
import { fetchMissing } from './fetch-missing.ts'
import { inSlices } from './in-slices.ts'
import type { MapBody } from './map-body.ts'
import type { MapReader } from './map-reader.ts'
import type { MapSource } from './map-source.ts'
import { unpackChanges } from './unpack-changes.ts'

/**
 * Gets the entries of a map from one node, with as few bytes as it can: what changed since the held map, when the node
 * knows that one; what a comparison of both shows to be missing; or all of them. The result was verified.
 * @param held the list to start from; without one all are fetched
 * @throws WeftError E_MAP_ENTRIES, E_MAP_SLOW, E_CERTIFICATE_MALFORMED and what the calls throw
 */
export async function fetchList(
  source: MapSource,
  reader: MapReader,
  held: EntryList | undefined,
  body: MapBody,
  signal: AbortSignal,
): Promise<EntryList> {
  if (held !== undefined) {
    const list =
      (await unless('E_MAP_CHANGES_UNKNOWN', () => fetchChanges(source, reader, held, body, signal))) ??
      (await unless('E_MAP_TOO_DIFFERENT', async () => {
        const entries = await fetchMissing(source, held, body, signal)
        return inSlices(reader.whole(body, entries, held), signal)
      }))
    if (list !== undefined) return list
  }
  return inSlices(reader.whole(body, await fetchEntries(source, body, signal), held), signal)
}

async function fetchChanges(
  source: MapSource,
  reader: MapReader,
  held: EntryList,
  body: MapBody,
  signal: AbortSignal,
): Promise<EntryList> {
  const { packed } = await source.ask('map.changes', { from: held.root, to: body.root }, signal)
  return inSlices(reader.changed(body, held, unpackChanges(packed)), signal)
}

/** What a way gives; undefined when it is not open, which is said by `code`. */
async function unless<T>(code: string, way: () => Promise<T>): Promise<T | undefined> {
  try {
    return await way()
  } catch (error) {
    if (isWeftError(error, code)) return undefined
    throw error
  }
}
