import { equalBytes, toHex } from '@weft/core'
import { type EntryList, type MapReader, atOnce, mapReader } from '@weft/overlay'

/** Maps that are kept: while one spreads, some nodes still ask for those before it. */
const KEPT = 4

/**
 * Reads maps for all nodes of a simulation, which then hold the same objects. Entries that a node fetched whole are compared
 * with those that gave the map: with others they are read, or refused, as for that node alone. Changes are always read, and
 * the list that came out before is handed on in place of an equal one.
 */
export function sharedMapReader(readAnew: MapReader = mapReader): MapReader {
  /** By root, hex; in the order in which they were read. */
  const known = new Map<string, EntryList>()
  const share = (list: EntryList): EntryList => {
    const name = toHex(list.root)
    const shared = known.get(name)
    if (shared !== undefined) return shared
    known.set(name, list)
    const [oldest] = known.keys()
    if (known.size > KEPT && oldest !== undefined) known.delete(oldest)
    return list
  }
  // In one piece each, since a simulation does not wait for the event loop, in which slices would end.
  return {
    // oxlint-disable-next-line require-yield
    *whole(body, entries, held) {
      const shared = known.get(toHex(body.root))
      if (shared?.count === body.count && sameEntries(shared.bytes(), entries)) return shared
      return share(atOnce(readAnew.whole(body, entries, held)))
    },
    // oxlint-disable-next-line require-yield
    *changed(body, held, changes) {
      return share(atOnce(readAnew.changed(body, held, changes)))
    },
  }
}

function sameEntries(a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean {
  return a === b || (a.length === b.length && a.every((bytes, at) => equalBytes(bytes, b[at] as Uint8Array)))
}
