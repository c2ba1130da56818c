import { compareBytes, equalBytes } from '@weft/core'
import { MerkleTree, merkleLeafHash, merkleRootOfLeaves } from '@weft/crypto'
import { EntryList } from './entry-list.ts'
import type { Sliced } from './in-slices.ts'
import type { MapBody } from './map-body.ts'
import { type MapEntry, readMapEntry, refuseEntries } from './map-entry.ts'

/** Entries that are read, and hashed, before others get the thread: 5 to 10 ms of work each. */
const READ_AT_ONCE = 128
const HASHED_AT_ONCE = 2_048

/** The root of a map: RFC 9162 over its entries, each the body of a certificate, sorted by public key. */
export function mapRoot(entries: readonly Uint8Array[]): Uint8Array {
  return merkleRootOfLeaves(entries.map(merkleLeafHash))
}

/**
 * Checks all entries of a map, from anywhere, against a body that was verified, and reads them.
 * @param known a list whose entries need no reading again
 * @throws WeftError E_MAP_ENTRIES, E_CERTIFICATE_MALFORMED
 */
export function* verifyEntries(
  body: MapBody,
  entries: readonly Uint8Array[],
  known: EntryList | undefined,
): Sliced<EntryList> {
  if (entries.length !== body.count) throw refuseEntries(`${entries.length} came; the map has ${body.count}`)
  const leaves: Uint8Array[] = []
  for (const bytes of entries) {
    if (leaves.push(merkleLeafHash(bytes)) % HASHED_AT_ONCE === 0) yield
  }
  const tree = MerkleTree.of(leaves, known?.tree)
  checkRoot(tree, body)
  yield
  const read: MapEntry[] = []
  let fresh = 0
  /** Position in `known` of what should come next. */
  let next = 0
  for (const [at, leaf] of leaves.entries()) {
    let entry = known?.entries[next]
    if (entry === undefined || !equalBytes(entry.leaf, leaf)) {
      entry = readMapEntry(body.network, entries[at] as Uint8Array, leaf)
      next = known?.firstFrom(entry.key) ?? 0
      const before = known?.entries[next]
      // Read in vain, as one before it is gone: the known one is kept, so that both lists share it.
      if (before !== undefined && equalBytes(before.leaf, leaf)) entry = before
      if (++fresh % READ_AT_ONCE === 0) yield
    }
    const previous = read[at - 1]
    if (previous !== undefined && compareBytes(previous.key, entry.key) >= 0) throw unsorted()
    read.push(entry)
    const replaced = known?.entries[next]
    if (replaced !== undefined && equalBytes(replaced.key, entry.key)) next++
  }
  return new EntryList(read, tree)
}

/**
 * The list that `held` becomes when `removed` keys go and `entries` come, checked against a body that was verified.
 * @throws WeftError E_MAP_ENTRIES, E_CERTIFICATE_MALFORMED
 */
export function* changeEntries(
  body: MapBody,
  held: EntryList,
  { removed, entries }: { readonly removed: readonly Uint8Array[]; readonly entries: readonly Uint8Array[] },
): Sliced<EntryList> {
  const fresh: MapEntry[] = []
  for (const bytes of entries) {
    // A copy: a view would keep the whole message in memory for as long as its last entry lives.
    if (fresh.push(readMapEntry(body.network, bytes.slice())) % READ_AT_ONCE === 0) yield
  }
  const merged = merge(held, fresh, removed)
  if (merged.length !== body.count) throw refuseEntries(`${merged.length} came out; the map has ${body.count}`)
  yield
  const tree = MerkleTree.of(
    merged.map(({ leaf }) => leaf),
    held.tree,
  )
  checkRoot(tree, body)
  return new EntryList(merged, tree)
}

/** Both sorted; a fresh entry takes the place of the held one of its key. */
function merge(held: EntryList, fresh: readonly MapEntry[], removed: readonly Uint8Array[]): MapEntry[] {
  const gone = new Set(removed.flatMap((key) => held.byKey(key) ?? []))
  const merged: MapEntry[] = []
  let from = 0
  let previous: MapEntry | undefined
  const keepUntil = (until: number): void => {
    for (; from < until; from++) {
      const entry = held.entries[from] as MapEntry
      if (!gone.has(entry)) merged.push(entry)
    }
  }
  for (const entry of fresh) {
    if (previous !== undefined && compareBytes(previous.key, entry.key) >= 0) throw unsorted()
    previous = entry
    const at = held.firstFrom(entry.key)
    keepUntil(at)
    const replaced = held.entries[at]
    if (replaced !== undefined && compareBytes(replaced.key, entry.key) === 0) from = at + 1
    merged.push(entry)
  }
  keepUntil(held.count)
  return merged
}

function checkRoot(tree: MerkleTree, { root }: MapBody): void {
  if (!equalBytes(tree.root, root)) throw refuseEntries('their Merkle root is not the one that the validators signed')
}

function unsorted(): Error {
  return refuseEntries('they are not sorted by public key')
}
