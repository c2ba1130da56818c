import { compareBytes, utf8 } from '@weft/core'
import { fromDidKey, sha256 } from '@weft/crypto'
import type { Member } from '../member.ts'
import type { RecordKey } from './record-store.ts'
import { networkPrefix } from '../network/network-prefix.ts'

/** Members of one operator family that may hold the same record, as long as there are others. */
const MAX_PER_FAMILY = 2
/** Nearest members that are looked at before the whole map is sorted; enough unless one operator owns a neighbourhood. */
const FIRST_LOOK = 4

const POSITION = utf8('weft:position:v1\0')

interface Positioned {
  readonly member: Member
  /** 32 bytes: where the member stands among the record keys. */
  readonly position: Uint8Array
}

// The map hands out the same array until it changes, so the positions of one map are computed once.
const positions = new WeakMap<readonly Member[], readonly Positioned[]>()

/**
 * The `count` members closest to the key, nearest first: XOR distance between the key and SHA-256("weft:position:v1\0"
 * || public key). At most two of one family and one of one /24 (IPv4) or /48 (IPv6), as far as the network has enough
 * others; a network too small for that gives up the prefixes first, then the families, never the count. Everyone with
 * the same map computes the same list.
 */
export function closestMembers(members: readonly Member[], key: RecordKey, count: number): readonly Member[] {
  const all = positioned(members)
  const wanted = Math.min(count, all.length)
  if (wanted === 0) return []
  const near = nearest(all, key, Math.min(all.length, wanted * FIRST_LOOK))
  const chosen = diverse(near, wanted)
  if (chosen !== undefined) return chosen
  const sorted = near.length === all.length ? near : nearest(all, key, all.length)
  return diverse(sorted, wanted) ?? relaxed(sorted, wanted)
}

function positioned(members: readonly Member[]): readonly Positioned[] {
  let all = positions.get(members)
  if (all === undefined) {
    all = members.map((member) => ({ member, position: sha256(POSITION, fromDidKey(member.id)) }))
    positions.set(members, all)
  }
  return all
}

function nearest(all: readonly Positioned[], key: RecordKey, limit: number): Member[] {
  const distances = all.map(({ member, position }) => ({ member, distance: xor(position, key) }))
  if (limit >= all.length) {
    return distances.toSorted((a, b) => compareBytes(a.distance, b.distance)).map(({ member }) => member)
  }
  // One pass with a short sorted list: sorting all of 10,000 members for each key would take ten times as long.
  const best: typeof distances = []
  for (const candidate of distances) {
    const last = best[limit - 1]
    if (last !== undefined && compareBytes(candidate.distance, last.distance) >= 0) continue
    let at = Math.min(best.length, limit - 1)
    while (at > 0 && compareBytes(candidate.distance, (best[at - 1] as (typeof best)[number]).distance) < 0) at--
    best.splice(at, 0, candidate)
    if (best.length > limit) best.pop()
  }
  return best.map(({ member }) => member)
}

function xor(a: Uint8Array, b: Uint8Array): Uint8Array {
  const out = new Uint8Array(32)
  for (let i = 0; i < 32; i++) out[i] = (a[i] as number) ^ (b[i] as number)
  return out
}

/** The first `count` that keep every rule; undefined when there are not that many. */
function diverse(sorted: readonly Member[], count: number): readonly Member[] | undefined {
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
