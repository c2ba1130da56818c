import { equalBytes, toHex } from '@weft/core'
import { type EntryChanges, type EntryList, type MapReader, atOnce, mapReader } from '@weft/overlay'

/** A map that was read out of changes to another. */
interface Step {
  readonly held: EntryList
  readonly changes: EntryChanges
  readonly list: EntryList
}

/** Maps that are kept: while one spreads, some nodes still ask for those before it. */
const KEPT = 4

/**
 * Reads maps for all nodes of a simulation, which then hold the same objects. What a node fetched, entries or changes, is
 * compared with that which gave the map before: with the same bytes it gives the same list, with others it is read, or
 * refused, as for that node alone.
 */
export function sharedMapReader(readAnew: MapReader = mapReader): MapReader {
  /** By root, hex; in the order in which they were read. */
  const known = new Map<string, EntryList>()
  /** What was read last, of which map, and what came of it. */
  const steps = new Map<string, Step[]>()
  /** Arrays that were compared, and are those of a list: nobody changes an array that was handed over. */
  const same = new WeakMap<readonly Uint8Array[], EntryList>()
  const share = (list: EntryList): EntryList => {
    const name = toHex(list.root)
    const shared = known.get(name)
    if (shared !== undefined) return shared
    remember(known, name, list)
    return list
  }
  // In one piece each, since a simulation does not wait for the event loop, in which slices would end.
  return {
    // oxlint-disable-next-line require-yield
    *whole(body, entries, held) {
      const shared = known.get(toHex(body.root))
      if (shared?.count === body.count && (same.get(entries) === shared || sameEntries(shared.bytes(), entries))) {
        same.set(entries, shared)
        return shared
      }
      return share(atOnce(readAnew.whole(body, entries, held)))
    },
    // oxlint-disable-next-line require-yield
    *changed(body, held, changes) {
      const name = toHex(body.root)
      const step = steps.get(name)?.find((one) => one.held === held && sameChanges(one.changes, changes))
      if (step !== undefined && step.list.count === body.count) return step.list
      const list = share(atOnce(readAnew.changed(body, held, changes)))
      remember(steps, name, [...(steps.get(name) ?? []), { held, changes, list }].slice(-KEPT))
      return list
    },
  }
}

function sameEntries(a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean {
  return (
    a === b ||
    (a.length === b.length && a.every((bytes, at) => bytes === b[at] || equalBytes(bytes, b[at] as Uint8Array)))
  )
}

function sameChanges(a: EntryChanges, b: EntryChanges): boolean {
  return a === b || (sameEntries(a.entries, b.entries) && sameEntries(a.removed, b.removed))
}

function remember<Value>(map: Map<string, Value>, name: string, value: Value): void {
  map.set(name, value)
  const [oldest] = map.keys()
  if (map.size > KEPT && oldest !== undefined) map.delete(oldest)
}
