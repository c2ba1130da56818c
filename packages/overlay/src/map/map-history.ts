import { compareBytes, toHex } from '@weft/core'
import type { EntryList } from './entry-list.ts'

/** What makes one list of entries of another. */
export interface EntryChanges {
  /** Public keys, ascending. */
  readonly removed: readonly Uint8Array[]
  /** New or changed, in the order of their keys. */
  readonly entries: readonly Uint8Array[]
}

interface Step {
  /** The root before it, hex. */
  readonly from: string
  /** Keys that came, went or changed. */
  readonly keys: readonly Uint8Array[]
}

/** Maps back from which the changes are known. */
const MAX_STEPS = 64

/**
 * Which keys changed from map to map, for the newest maps. What they changed to stands in the held list, so that a step
 * is no more than its keys, and many steps are told as one.
 */
export class MapHistory {
  readonly #steps: Step[] = []
  #keys = 0

  /**
   * Notes that the map with the root `from` was replaced.
   * @param keys by which the new one differs @param count of its entries
   */
  note(from: Uint8Array, keys: readonly Uint8Array[], count: number): void {
    this.#steps.push({ from: toHex(from), keys })
    this.#keys += keys.length
    // Changes as long as the map help nobody: it is fetched whole then.
    while (this.#steps.length > MAX_STEPS || this.#keys > count) {
      this.#keys -= (this.#steps.shift() as Step).keys.length
    }
  }

  /**
   * What made `now`, the list that was noted last, of the one with the root `from`; undefined when that is not known.
   * @param mostKeys of all steps together, which have to be sorted; with more of them it is undefined too
   */
  changes(from: Uint8Array, now: EntryList, mostKeys = Infinity): EntryChanges | undefined {
    const root = toHex(from)
    const first = this.#steps.findLastIndex((step) => step.from === root)
    if (first < 0) return undefined
    const steps = this.#steps.slice(first)
    if (steps.reduce((sum, step) => sum + step.keys.length, 0) > mostKeys) return undefined
    const keys = steps.flatMap((step) => step.keys)
    const removed: Uint8Array[] = []
    const entries: Uint8Array[] = []
    let previous: Uint8Array | undefined
    for (const key of keys.sort(compareBytes)) {
      if (previous !== undefined && compareBytes(previous, key) === 0) continue
      previous = key
      const entry = now.byKey(key)
      if (entry === undefined) removed.push(key)
      else entries.push(entry.bytes)
    }
    return { removed, entries }
  }
}

/** By the newer list: what was last asked of it. It holds no older list, which would hold the one before it, and so on. */
const compared = new WeakMap<EntryList, { readonly before: WeakRef<EntryList>; readonly keys: readonly Uint8Array[] }>()

/**
 * The keys by which two lists differ, ascending; found once for all who hold the same two. Lists share what is the same,
 * so that most of it is one comparison.
 */
export function changedKeys(before: EntryList, after: EntryList): readonly Uint8Array[] {
  const known = compared.get(after)
  if (known?.before.deref() === before) return known.keys
  const keys = compare(before, after)
  compared.set(after, { before: new WeakRef(before), keys })
  return keys
}

function compare(before: EntryList, after: EntryList): Uint8Array[] {
  const keys: Uint8Array[] = []
  let old = 0
  let young = 0
  for (;;) {
    const [a, b] = [before.entries[old], after.entries[young]]
    if (a === undefined && b === undefined) return keys
    const order = a === undefined ? 1 : b === undefined ? -1 : a === b ? 0 : compareBytes(a.key, b.key)
    if (a !== b) keys.push((order <= 0 ? a : b)?.key as Uint8Array)
    if (order <= 0) old++
    if (order >= 0) young++
  }
}
