import type { EntryList } from './entry-list.ts'
import type { Sliced } from './in-slices.ts'
import type { MapBody } from './map-body.ts'
import { changeEntries, verifyEntries } from './map-entries.ts'
import type { EntryChanges } from './map-history.ts'

/** How the entries of a map are verified and read. Many nodes in one process may share the lists that come out. */
export interface MapReader {
  /** All entries, from anywhere. @throws WeftError E_MAP_ENTRIES, E_CERTIFICATE_MALFORMED */
  whole(body: MapBody, entries: readonly Uint8Array[], known: EntryList | undefined): Sliced<EntryList>
  /** What becomes of a list by changes from anywhere. @throws WeftError E_MAP_ENTRIES, E_CERTIFICATE_MALFORMED */
  changed(body: MapBody, held: EntryList, changes: EntryChanges): Sliced<EntryList>
}

export const mapReader: MapReader = { whole: verifyEntries, changed: changeEntries }
