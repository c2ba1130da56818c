import { WeftError } from '@weft/core'
import { merkleLeafHash, verifyMerkleSubset } from '@weft/crypto'
import { MAX_CERTIFICATE_BODY } from '../admission/certificate-body.ts'
import type { MapBody } from '../map/map-body.ts'
import { readMapEntry } from '../map/map-entry.ts'
import type { Member } from '../member.ts'
import { closestMembers, stands } from '../records/closest-members.ts'
import { placingOf, standing } from '../records/placing.ts'
import type { ClosestAnswer, ClosestQuestion } from './answer-closest.ts'
import { CLOSEST } from './lookup-limits.ts'

/**
 * Reads an answer from anywhere: what it names is in the map of a body that was verified, as many as there have to be, in
 * the order of distance and of diversity. Whether somebody nearer was left out cannot be seen from one answer alone.
 * @param known members of this map by position, among them all that the question names; what the answer brings is added.
 * What others brought meanwhile is not read again: to read an entry takes 100 µs, and most nodes tell the same.
 * @throws WeftError E_LOOKUP_ANSWER
 */
export function readClosest(
  body: Pick<MapBody, 'network' | 'root' | 'count' | 'placed'>,
  question: ClosestQuestion,
  answer: ClosestAnswer,
  known: Map<number, Member>,
): readonly Member[] {
  const { positions, entries, proof } = answer
  const expected = Math.min(CLOSEST, standing(body))
  if (positions.length !== expected) throw refuse(`${positions.length} members were named, not ${expected}`)
  if (new Set(positions).size !== expected) throw refuse('a member was named twice')
  const named = new Set(question.known)
  const told = positions.filter((position) => !named.has(position)).sort((a, b) => a - b)
  if (entries.length !== told.length) throw refuse(`${entries.length} entries came for ${told.length} members`)
  const isNew = told.some((position) => !known.has(position)) || told.length === 0
  const brought = isNew ? readProven(body, told, entries, proof, known) : new Map<number, Member>()
  // Only now: nothing is kept of an answer that is wrong in any part.
  const members = positions.map((position) => (known.get(position) ?? brought.get(position)) as Member)
  const placing = placingOf(body)
  if (!members.every((member) => stands(member, placing))) throw refuse('a member was named that has no position yet')
  const ordered = closestMembers(members, question.target, expected, placing)
  if (!members.every((member, at) => member === ordered[at])) throw refuse('the members are not in order')
  for (const [position, member] of brought) known.set(position, member)
  return members
}

function readProven(
  { network, root, count }: Pick<MapBody, 'network' | 'root' | 'count'>,
  positions: readonly number[],
  entries: readonly Uint8Array[],
  proof: Uint8Array,
  known: ReadonlyMap<number, Member>,
): Map<number, Member> {
  if (positions.length === 0) {
    if (proof.length > 0) throw refuse('a proof came without entries')
    return new Map()
  }
  if (entries.some(({ length }) => length > MAX_CERTIFICATE_BODY)) throw refuse('an entry is too long')
  const leaves = entries.map((entry) => merkleLeafHash(entry))
  if (!verifyMerkleSubset(positions, leaves, count, proof, root)) throw refuse('an entry is not of the map')
  const fresh = new Map<number, Member>()
  for (const [at, position] of positions.entries()) {
    if (known.has(position)) continue
    // A copy: a view would keep the whole answer in memory for as long as one of its entries lives.
    fresh.set(position, readMapEntry(network, (entries[at] as Uint8Array).slice(), leaves[at]).member)
  }
  return fresh
}

function refuse(why: string): WeftError {
  return new WeftError({
    code: 'E_LOOKUP_ANSWER',
    cause: `An answer that names the members closest to a target is refused: ${why}.`,
    fix: 'Nothing to do: other nodes are asked. The node that answered is faulty or lies.',
    retryable: true,
  })
}
