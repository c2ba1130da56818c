import { toHex } from '@weft/core'
import { type MapReader, type ReadMap, readMap } from '@weft/overlay'

/** Maps that are kept: while one spreads, some nodes still ask for those before it. */
const KEPT = 4

/**
 * Reads each map once for all nodes of a simulation, which then hold the same objects. The bytes that a node fetched
 * are compared with those that gave the map: with others it is read, or refused, as for that node alone.
 */
export function sharedMapReader(readAnew: MapReader = readMap): MapReader {
  /** By root, hex; in the order in which they were read. */
  const known = new Map<string, ReadMap>()
  return (body, entries) => {
    const name = `${body.network} ${toHex(body.root)} ${body.count}`
    const shared = known.get(name)
    if (shared !== undefined && sameEntries(shared.entries, entries)) return shared
    const read = readAnew(body, entries)
    known.set(name, read)
    const [oldest] = known.keys()
    if (known.size > KEPT && oldest !== undefined) known.delete(oldest)
    return read
  }
}

function sameEntries(a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean {
  return a === b || (a.length === b.length && a.every((bytes, at) => Buffer.compare(bytes, b[at] as Uint8Array) === 0))
}
