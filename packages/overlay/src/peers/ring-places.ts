import { utf8 } from '@weft/core'
import { sha256 } from '@weft/crypto'
import type { Member } from '../member.ts'

/** Rings in which each node has a place. */
export const MAX_RINGS = 16
const WORDS = 8

/** Kept for as long as the entry of the map is: 10,000 members are 20,000 hashes, some 50 ms. */
const places = new WeakMap<Placed, Uint32Array>()

/** What places hang on: the position that a beacon gave, of which nobody can make another, else the id. */
type Placed = Pick<Member, 'id' | 'position'>

/** The places of a member, one in each ring. */
export function ringPlaces(member: Placed): Uint32Array {
  let found = places.get(member)
  if (found === undefined) places.set(member, (found = hashPlaces(member.position?.toHex() ?? member.id)))
  return found
}

function hashPlaces(name: string): Uint32Array {
  const found = new Uint32Array(MAX_RINGS)
  for (let half = 0; half < MAX_RINGS / WORDS; half++) {
    const { buffer, byteOffset } = sha256(utf8(`weft:mesh:v1\0${half}${name}`))
    const view = new DataView(buffer, byteOffset)
    for (let word = 0; word < WORDS; word++) found[half * WORDS + word] = view.getUint32(4 * word)
  }
  return found
}
