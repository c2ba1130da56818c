import { compareBytes, utf8 } from '@weft/core'
import { fromDidKey, sha256 } from '@weft/crypto'
import type { Member } from '../member.ts'
import type { Placing } from './placing.ts'
import type { RecordKey } from './record-store.ts'
import { networkPrefix } from '../network/network-prefix.ts'

/** Members of one operator family that may hold the same record, as long as there are others. */
const MAX_PER_FAMILY = 2
const POSITION = utf8('weft:position:v1\0')

interface Positioned {
  readonly member: Member
  /** 32 bytes: where the member stands among the record keys. */
  readonly position: Uint8Array
  /** The first 48 bits of it: comparing numbers sorts in a fifth of the time. */
  readonly rank: number
}

// Maps share the members that did not change, and the map hands out the same array until it changes: a position is
// reckoned once for a member (the key has to be read from the id), and the order is made once for a map.
const positions: Readonly<Record<Placing, WeakMap<Member, Positioned>>> = { key: new WeakMap(), beacon: new WeakMap() }
const orders: Readonly<Record<Placing, WeakMap<readonly Member[], readonly Positioned[]>>> = {
  key: new WeakMap(),
  beacon: new WeakMap(),
}

/**
 * Where a member stands among the record keys: where a beacon put it, or at SHA-256("weft:position:v1\0" || public key).
 * Undefined while no beacon has.
 */
function positioned(member: Member, placing: Placing): Positioned | undefined {
  let known = positions[placing].get(member)
  if (known === undefined) {
    const position = placing === 'beacon' ? member.position : sha256(POSITION, fromDidKey(member.id))
    if (position === undefined) return undefined
    const view = new DataView(position.buffer, position.byteOffset)
    known = { member, position, rank: view.getUint16(0) * 2 ** 32 + view.getUint32(2) }
    positions[placing].set(member, known)
  }
  return known
}

/**
 * The XOR distance between a member and a key, 32 bytes: an unsigned number, the highest byte first.
 * @throws RangeError for a member that stands nowhere yet
 */
export function distanceOf(member: Member, key: RecordKey, placing: Placing = 'key'): Uint8Array {
  const standing = positioned(member, placing)
  if (standing === undefined) throw new RangeError('distance of a member that has no position')
  return xor(standing.position, key)
}

/** Whether a member stands anywhere, and so may hold records. */
export function stands(member: Pick<Member, 'position'>, placing: Placing): boolean {
  return placing === 'key' || member.position !== undefined
}

/**
 * The `count` members closest to the key, nearest first, of those that stand anywhere: XOR distance between the key and the
 * member's position. At most
 * two of one family and one of one /24 (IPv4) or /48 (IPv6), as far as the network has enough others; a network too
 * small for that gives up the prefixes first, then the families, never the count. Everyone with the same map computes the
 * same list, and so does everyone who knows no more of the map than all of this list (docs/specs/lookup.md, Why one is enough).
 */
export function closestMembers(
  members: readonly Member[],
  key: RecordKey,
  count: number,
  placing: Placing = 'key',
): readonly Member[] {
  const ordered = inOrder(members, placing)
  const wanted = Math.min(count, ordered.length)
  if (wanted === 0) return []
  return (
    diverse(byDistance(ordered, key, 0, ordered.length, 0), wanted) ??
    relaxed([...byDistance(ordered, key, 0, ordered.length, 0)], wanted)
  )
}

function inOrder(members: readonly Member[], placing: Placing): readonly Positioned[] {
  let ordered = orders[placing].get(members)
  if (ordered === undefined) {
    ordered = members
      .flatMap((member) => positioned(member, placing) ?? [])
      .sort((a, b) => a.rank - b.rank || compareBytes(a.position, b.position))
    orders[placing].set(members, ordered)
  }
  return ordered
}

/**
 * The members from `from` up to `to`, nearest first. Their positions are in order and the same in all bits before
 * `bit`: of the two halves that differ in it, all of that which has the key's bit is nearer than any of the other.
 */
function* byDistance(
  ordered: readonly Positioned[],
  key: RecordKey,
  from: number,
  to: number,
  bit: number,
): Generator<Member> {
  if (to - from <= 1 || bit === 256) {
    for (let at = from; at < to; at++) yield (ordered[at] as Positioned).member
    return
  }
  let middle = from
  for (let end = to; middle < end;) {
    const at = (middle + end) >> 1
    if (bitOf((ordered[at] as Positioned).position, bit) === 0) middle = at + 1
    else end = at
  }
  const isSet = bitOf(key, bit) === 1
  if (isSet) yield* byDistance(ordered, key, middle, to, bit + 1)
  yield* byDistance(ordered, key, from, middle, bit + 1)
  if (!isSet) yield* byDistance(ordered, key, middle, to, bit + 1)
}

function bitOf(bytes: Uint8Array, bit: number): number {
  return ((bytes[bit >> 3] as number) >> (7 - (bit & 7))) & 1
}

function xor(a: Uint8Array, b: Uint8Array): Uint8Array {
  const out = new Uint8Array(32)
  for (let i = 0; i < 32; i++) out[i] = (a[i] as number) ^ (b[i] as number)
  return out
}

/** The first `count` that keep every rule; undefined when there are not that many. */
function diverse(sorted: Iterable<Member>, count: number): readonly Member[] | undefined {
  const rules = new Rules()
  const chosen: Member[] = []
  for (const member of sorted) {
    if (!rules.allows(member, true)) continue
    rules.add(member)
    chosen.push(member)
    if (chosen.length === count) return chosen
  }
  return undefined
}

/** Fills up in rounds, each without one more rule; the result is in order of distance again. */
function relaxed(sorted: readonly Member[], count: number): readonly Member[] {
  const rules = new Rules()
  const chosen = new Set<Member>()
  const rounds: ((member: Member) => boolean)[] = [
    (member) => rules.allows(member, true),
    (member) => rules.allows(member, false),
    () => true,
  ]
  for (const allowed of rounds) {
    for (const member of sorted) {
      if (chosen.size === count) break
      if (chosen.has(member) || !allowed(member)) continue
      rules.add(member)
      chosen.add(member)
    }
  }
  return sorted.filter((member) => chosen.has(member))
}

class Rules {
  readonly #families = new Map<string, number>()
  readonly #prefixes = new Set<string>()

  allows(member: Member, distinctPrefix: boolean): boolean {
    if ((this.#families.get(member.family) ?? 0) >= MAX_PER_FAMILY) return false
    return !distinctPrefix || !this.#prefixes.has(networkPrefix(member.diversityAddress))
  }

  add(member: Member): void {
    this.#families.set(member.family, (this.#families.get(member.family) ?? 0) + 1)
    this.#prefixes.add(networkPrefix(member.diversityAddress))
  }
}
