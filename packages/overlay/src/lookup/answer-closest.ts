import { WeftError } from '@weft/core'
import { merkleSubsetProof } from '@weft/crypto'
import type { EntryList } from '../map/entry-list.ts'
import type { MapEntry } from '../map/map-entry.ts'
import { closestMembers } from '../records/closest-members.ts'
import { placingOf } from '../records/placing.ts'
import { CLOSEST, MAX_KNOWN } from './lookup-limits.ts'

/** Asks for the members closest to `target` by a map. */
export interface ClosestQuestion {
  /** 32 bytes */
  readonly target: Uint8Array
  /** Positions of entries that the caller has already, ascending. */
  readonly known: readonly number[]
}

export interface ClosestAnswer {
  /** Where they are in the map; nearest first. */
  readonly positions: readonly number[]
  /** The entries of those that are not known, ascending by position. */
  readonly entries: readonly Uint8Array[]
  /** That these entries are in the map (`merkleSubsetProof`); empty without any. */
  readonly proof: Uint8Array
}

/**
 * The members closest to a target by the whole map, whatever was revoked since: whoever holds the map says the same, so
 * that any other answer is seen to be wrong beside this one. Hashes nothing but what the order of a new map needs.
 * @throws WeftError E_LOOKUP_QUESTION
 */
export function answerClosest(
  list: EntryList,
  { target, known }: ClosestQuestion,
  placing = placingOf(list),
): ClosestAnswer {
  if (target.length !== 32) throw refuse(`its target has ${target.length} bytes`)
  if (known.length > MAX_KNOWN) throw refuse(`it says that ${known.length} entries are known`)
  if (!known.every((position, at) => position > (known[at - 1] ?? -1))) throw refuse('what is known does not ascend')
  const positions = closestMembers(list.members, target, CLOSEST, placing).map(
    (member) => list.position(member) as number,
  )
  const isKnown = new Set(known)
  const told = positions.filter((position) => !isKnown.has(position)).sort((a, b) => a - b)
  return {
    positions,
    entries: told.map((position) => (list.entries[position] as MapEntry).bytes),
    proof: merkleSubsetProof(list.tree, told),
  }
}

function refuse(why: string): WeftError {
  return new WeftError({
    code: 'E_LOOKUP_QUESTION',
    cause: `A question for the members closest to a target cannot be answered: ${why}.`,
    fix: 'The asking node has to follow docs/specs/lookup.md; update the older of the two sides.',
  })
}
