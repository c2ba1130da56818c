import { equalBytes, throwIfAborted } from '@weft/core'
import { merkleLeafHash } from '@weft/crypto'
import { MAX_CERTIFICATE_BODY } from '../admission/certificate-body.ts'
import type { EntryList } from './entry-list.ts'
import type { MapBody } from './map-body.ts'
import { refuseEntries } from './map-entry.ts'
import type { MapSource } from './map-source.ts'
import { MAX_UNPACKED } from './packed-message.ts'
import { MAX_PICKED } from './subtree-question.ts'
import { type WalkedMap, walkSubtrees } from './walk-subtrees.ts'

/** As of a page: an answer that is neither full nor the last is refused. */
const FULL_ANSWER = MAX_UNPACKED / 2

/**
 * All entries of a map, of which only those are fetched that are not in `held`, from a node that knows nothing of what
 * is held. Each was checked against the map's Merkle tree.
 * @throws WeftError E_MAP_TOO_DIFFERENT, E_MAP_ENTRIES, E_MAP_SLOW and what the call throws
 */
export async function fetchMissing(
  source: MapSource,
  held: EntryList,
  body: Pick<MapBody, 'root' | 'count'>,
  signal: AbortSignal,
): Promise<Uint8Array[]> {
  const { root } = body
  const walk = walkSubtrees(held, body)
  let step = walk.next()
  while (step.done !== true) {
    throwIfAborted(signal)
    const { level, below, nodes } = step.value
    step = walk.next(await source.ask('map.subtrees', { root, level, below, nodes: [...nodes] }, signal))
  }
  const { found, missing } = step.value
  const left = [...missing]
  while (left.length > 0) {
    throwIfAborted(signal)
    const positions = left.slice(0, MAX_PICKED)
    const { entries } = await source.ask('map.pick', { root, positions }, signal)
    takePicked(found, positions, entries)
    left.splice(0, entries.length)
  }
  return found.map((entry) => ('bytes' in entry ? entry.bytes : new Uint8Array()))
}

/** @throws WeftError E_MAP_ENTRIES */
function takePicked(found: WalkedMap['found'], positions: readonly number[], entries: readonly Uint8Array[]): void {
  const bytes = entries.reduce((sum, { length }) => sum + length, 0)
  const isFull = entries.length === positions.length || bytes >= FULL_ANSWER
  if (entries.length === 0 || entries.length > positions.length || !isFull) {
    throw refuseEntries(`${entries.length} of ${positions.length} came that were asked for`)
  }
  for (const [at, entry] of entries.entries()) {
    const position = positions[at] as number
    const expected = found[position]
    if (expected === undefined || 'bytes' in expected || entry.length > MAX_CERTIFICATE_BODY)
      throw refuseEntries('one is too long')
    if (!equalBytes(merkleLeafHash(entry), expected.leaf)) throw refuseEntries('one is not of the map')
    // A copy: a view would keep the whole answer in memory for as long as its last entry lives.
    found[position] = { bytes: entry.slice() }
  }
}
